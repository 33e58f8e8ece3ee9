"""What every WebSocket has in common: a user who may open only so many, and messages neither too large nor too fast."""

import asyncio
import time
from contextlib import suppress
from typing import Any

import orjson
from channels.generic.websocket import AsyncWebsocketConsumer

from workers import connections
from workers.connections import TooManyConnectionsError
from workers.messages import MAX_MESSAGE_BYTES

BAD_REQUEST, NOT_LOGGED_IN, NOT_FOUND, TOO_MANY = 4400, 4401, 4404, 4429
ALL_SENT, TOO_LARGE = 1000, 1009
BROKEN = 1011
"""The client may come back at once."""
REASON_BYTES = 123
MESSAGES_PER_SECOND = 20


class UserSocket(AsyncWebsocketConsumer):
    """Base of the consumers: they override `opened`, `heard` and `closed`.

    A socket is refused only after its handshake: a browser learns the reason of no other refusal.
    """

    _has_opened = False
    _is_closing = False
    _messages = 0
    _messages_since = 0.0
    _logging_out: asyncio.Task[None] | None = None

    async def opened(self, user: Any) -> None:
        """The user has connected, and may have one more connection. Send what is to be sent from a task."""

    async def heard(self, text: str | None) -> None:
        """The client has sent a message; None for one that is not text."""

    async def closed(self) -> None:
        """The connection has ended, whoever ended it. Comes once, and only after `opened`."""

    async def say(self, message: Any) -> None:
        """Send something as JSON."""
        await self.send(text_data=orjson.dumps(message).decode())

    async def refuse(self, code: int, reason: str) -> None:
        """Close with a reason, as far as a close frame has room for it."""
        await self.close(code=code, reason=reason.encode()[:REASON_BYTES].decode(errors="ignore"))

    async def send(self, *args: Any, **kwargs: Any) -> None:
        """Send, unless the connection is closing or gone: its end is told by `closed`."""
        if not self._is_closing:
            with suppress(OSError):  # what a server raises when the client has just gone
                await super().send(*args, **kwargs)

    async def close(self, *args: Any, **kwargs: Any) -> None:
        """Close, once; what the client says from now on is not heard."""
        if not self._is_closing:
            self._is_closing = True
            with suppress(OSError):
                await super().close(*args, **kwargs)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one connection from beginning to end; it ends with the login that opened it."""
        try:
            async with connections.opened(scope["credential"]) as connection:
                connection.login_ended.add_done_callback(self._log_out)
                await self._serve(scope, receive, send)
        except TooManyConnectionsError as error:
            await receive()
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.close", "code": TOO_MANY, "reason": str(error)[:REASON_BYTES]})

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self._has_opened:
                await self.closed()

    def _log_out(self, _: asyncio.Future[None]) -> None:
        self._logging_out = asyncio.create_task(self.refuse(NOT_LOGGED_IN, connections.LOGIN_ENDED))

    async def connect(self) -> None:
        await self.accept()
        scope: dict[str, Any] = {**self.scope}
        if scope["user"] is None:
            await self.refuse(NOT_LOGGED_IN, "log in, or send a token or a ticket")
            return
        self._has_opened = True
        await self.opened(scope["user"])

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any
    ) -> None:
        if self._is_closing:
            return
        size = len(bytes_data or b"") if text_data is None else len(text_data.encode())
        if size > MAX_MESSAGE_BYTES:
            await self.refuse(TOO_LARGE, f"a message has at most {MAX_MESSAGE_BYTES:,} bytes")
        elif self._is_too_fast():
            await self.refuse(TOO_MANY, f"at most {MESSAGES_PER_SECOND} messages a second")
        else:
            await self.heard(text_data)

    def _is_too_fast(self) -> bool:
        now = time.monotonic()
        if now - self._messages_since >= 1.0:
            self._messages, self._messages_since = 0, now
        self._messages += 1
        return self._messages > MESSAGES_PER_SECOND
