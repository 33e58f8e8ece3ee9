"""The WebSocket edge: one run's events to one browser."""

import asyncio
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from workers import feeds, runs
from workers.parameters import InvalidSeqError, parse_after

BAD_REQUEST, NOT_LOGGED_IN, NOT_FOUND = 4400, 4401, 4404


class NotFoundConsumer(AsyncWebsocketConsumer):
    """Every address without a consumer."""

    async def connect(self) -> None:
        await self.accept()
        await self.close(code=NOT_FOUND, reason="there is nothing at this address")


class RunConsumer(AsyncWebsocketConsumer):
    """Send a run's events, from the one after `?after=` on; close with 1000 after the last."""

    _sending: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        # A browser learns the reason of a refusal only from a close after the handshake.
        await self.accept()
        try:
            after = parse_after(self.scope["query_string"].decode("latin-1"))
        except InvalidSeqError as error:
            return await self.close(code=BAD_REQUEST, reason=str(error))
        scope: dict[str, Any] = {**self.scope}
        user = scope["user"]
        if user is None:
            return await self.close(code=NOT_LOGGED_IN, reason="log in or send a token")
        run_id: UUID = scope["url_route"]["kwargs"]["run_id"]
        run = await database_sync_to_async(runs.find_visible)(run_id, user)
        if run is None:
            return await self.close(code=NOT_FOUND, reason="there is no such run")
        self._sending = asyncio.create_task(self._send_events(run_id, after))
        return None

    async def disconnect(self, code: int) -> None:
        if self._sending is not None:
            self._sending.cancel()

    async def _send_events(self, run_id: UUID, after: int) -> None:
        async for event in feeds.follow(run_id, after=after):
            await self.send(text_data=event.json)
        await self.close(code=1000)

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any
    ) -> None:
        """Nothing is expected from a client yet; what it sends is ignored."""
