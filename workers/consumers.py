"""The WebSocket edge: one run's events to one browser."""

import asyncio
import logging
from contextlib import aclosing
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from workers import commands, feeds, runs
from workers.messages import InvalidMessageError
from workers.models import Run
from workers.parameters import InvalidSeqError, parse_after
from workers.sockets import ALL_SENT, BAD_REQUEST, BROKEN, NOT_FOUND, UserSocket

logger = logging.getLogger(__name__)


class NotFoundConsumer(AsyncWebsocketConsumer):
    """Every address without a consumer."""

    async def connect(self) -> None:
        await self.accept()
        await self.close(code=NOT_FOUND, reason="there is nothing at this address")


class RunConsumer(UserSocket):
    """Send a run's events, from the one after `?after=` on; close with 1000 after the last.

    A client may send commands (see `workers.commands`); each is answered by a `reply` or a `problem`, which are
    no events and bear no number.
    """

    _sending: asyncio.Task[None] | None = None
    _run_id: UUID | None = None

    async def opened(self, user: Any) -> None:
        scope: dict[str, Any] = {**self.scope}
        try:
            after = parse_after(scope["query_string"].decode("latin-1"))
        except InvalidSeqError as error:
            return await self.refuse(BAD_REQUEST, str(error))
        run_id: UUID = scope["url_route"]["kwargs"]["run_id"]
        run = await database_sync_to_async(runs.find_visible)(run_id, user)
        if run is None:
            return await self.refuse(NOT_FOUND, "there is no such run")
        if after > run.last_seq:
            return await self.refuse(
                BAD_REQUEST, f"after must be at most {run.last_seq}, the last event so far"
            )
        if run.has_ended and after == run.last_seq:
            return await self.close(code=ALL_SENT)
        self._run_id = run_id
        self._sending = asyncio.create_task(self._send_events(run_id, after))
        return None

    async def closed(self) -> None:
        if self._sending is not None:
            self._sending.cancel()

    async def _send_events(self, run_id: UUID, after: int) -> None:
        try:
            async with aclosing(feeds.follow(run_id, after=after)) as events:
                async for event in events:
                    await self.send(text_data=event.json)
            await self.close(code=ALL_SENT)
        except feeds.RunDeletedError as error:
            await self.refuse(NOT_FOUND, str(error))
        except Exception:
            logger.exception("sending events broke off")
            await self.close(code=BROKEN)

    async def heard(self, text: str | None) -> None:
        """Carry out a command."""
        assert self._run_id is not None, "a socket without a run is refused"
        try:
            command = commands.parse(text)
        except InvalidMessageError as error:
            return await self.say({"type": "problem", "detail": str(error)})
        try:
            reply = await database_sync_to_async(commands.carry_out)(command, run_id=self._run_id)
        except Run.DoesNotExist:
            return await self.refuse(NOT_FOUND, "there is no such run any more")
        return await self.say(reply)
