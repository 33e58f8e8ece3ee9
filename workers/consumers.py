"""The WebSocket edge: one run's events to one browser."""

import asyncio
import time
from typing import Any
from uuid import UUID

import orjson
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer

from workers import commands, feeds, runs
from workers.parameters import InvalidSeqError, parse_after

BAD_REQUEST, NOT_LOGGED_IN, NOT_FOUND, TOO_FAST = 4400, 4401, 4404, 4429
COMMANDS_PER_SECOND = 20


class NotFoundConsumer(AsyncWebsocketConsumer):
    """Every address without a consumer."""

    async def connect(self) -> None:
        await self.accept()
        await self.close(code=NOT_FOUND, reason="there is nothing at this address")


class RunConsumer(AsyncWebsocketConsumer):
    """Send a run's events, from the one after `?after=` on; close with 1000 after the last.

    A client may send commands (see `workers.commands`); each is answered by a `reply` or a `problem`, which are
    no events and bear no number.
    """

    _sending: asyncio.Task[None] | None = None
    _run_id: UUID | None = None
    _commands = 0
    _commands_since = 0.0

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
        self._run_id = run_id
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
        """Carry out a command."""
        if self._run_id is None:
            return None  # closing already
        if self._is_too_fast():
            return await self.close(code=TOO_FAST, reason=f"at most {COMMANDS_PER_SECOND} commands a second")
        try:
            command = commands.parse(text_data)
        except commands.InvalidCommandError as error:
            return await self._send({"type": "problem", "detail": str(error)})
        reply = await database_sync_to_async(commands.carry_out)(command, run_id=self._run_id)
        return await self._send(reply)

    def _is_too_fast(self) -> bool:
        now = time.monotonic()
        if now - self._commands_since >= 1.0:
            self._commands, self._commands_since = 0, now
        self._commands += 1
        return self._commands > COMMANDS_PER_SECOND

    async def _send(self, message: dict[str, Any]) -> None:
        await self.send(text_data=orjson.dumps(message).decode())
