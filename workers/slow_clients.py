"""Clients that don't read what they asked for: cut off, so that nobody else pays for them."""

import asyncio
import logging
from typing import Any

from django.conf import settings

logger = logging.getLogger(__name__)


class CutOffSlowClients:
    """ASGI middleware, the outermost: when a client takes nothing for `SLOW_CLIENT_SECONDS`, its connection is gone.

    The server writes into a buffer of some 64 KiB and has the application wait while that is full. How far a
    watcher may be behind is bounded elsewhere (see `workers.feeds`); without this it could stay behind for ever.
    """

    def __init__(self, application: Any) -> None:
        self.application: Any = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> Any:
        if scope["type"] not in {"http", "websocket"}:
            return await self.application(scope, receive, send)
        return await self.application(scope, receive, _Sender(scope, send))


class _Sender:
    def __init__(self, scope: dict[str, Any], send: Any) -> None:
        self._scope = scope
        self._send = send
        self._gone = False

    async def __call__(self, message: dict[str, Any]) -> None:
        if self._gone:
            return  # the application will hear of the disconnection in a moment
        limit = asyncio.timeout(settings.SLOW_CLIENT_SECONDS)
        try:
            async with limit:
                await self._send(message)
        except TimeoutError:
            if not limit.expired():
                raise
            self._gone = True
            logger.warning("cut off a client that reads nothing: %s", self._scope.get("client"))
            _abort(self._send)


def _abort(send: Any) -> None:
    """End a connection without waiting for its buffer: closing it would wait for a client that does not read."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:  # another server than uvicorn: it has to notice by itself
        logger.error("this server's connections can't be cut off")
    else:
        transport.abort()
