"""The WebSocket edge: live prices to one browser, which may change its mind about what it watches."""

import asyncio
import logging
from typing import Any

from market_data.prices import hub
from market_data.prices.viewers import Viewer
from market_data.prices.wanted import (
    InvalidWantedError,
    Pause,
    Request,
    Resume,
    Set,
    Wanted,
    changed,
    of_query,
    parse,
)
from workers.messages import InvalidMessageError
from workers.sockets import BAD_REQUEST, BROKEN, UserSocket

logger = logging.getLogger(__name__)

REASON_BYTES = 120
"""A close frame has no room for more."""


class PricesConsumer(UserSocket):
    """Send what `?symbols=`, `?interval=` and `?source=` ask for; see `market_data.prices.wanted` for messages.

    A message is answered by a `reply` or a `problem`, which leave the prices as they come.
    """

    _sending: asyncio.Task[None] | None = None
    _viewer: Viewer | None = None

    async def opened(self, user: Any) -> None:
        scope: dict[str, Any] = {**self.scope}
        try:
            wanted = of_query(scope["query_string"].decode("latin-1"))
        except InvalidWantedError as error:
            return await self._refuse_wanted(error)
        self._sending = asyncio.create_task(self._send_prices(wanted, owner_id=user.pk))
        return None

    async def closed(self) -> None:
        if self._sending is not None:
            self._sending.cancel()

    async def _send_prices(self, wanted: Wanted, *, owner_id: int) -> None:
        try:
            async with hub.watching(wanted, owner_id=owner_id) as self._viewer:
                while True:
                    await self.send(text_data=await self._viewer.next_message())
        except InvalidWantedError as error:
            await self._refuse_wanted(error)
        except Exception:
            logger.exception("sending prices broke off")
            await self.close(code=BROKEN)

    async def heard(self, text: str | None) -> None:
        """Do what a message asks for."""
        try:
            reply = self._obey(parse(text))
        except InvalidMessageError as error:
            reply = {"type": "problem", "detail": str(error)}
        except InvalidWantedError as error:
            reply = {"type": "problem", "detail": str(error), "errors": error.errors}
        await self.say(reply)

    def _obey(self, message: Request) -> dict[str, Any]:
        viewer = self._viewer
        if viewer is None:
            raise InvalidMessageError("wait for the first prices")
        match message:
            case Set():
                viewer.watch(changed(viewer.wanted, message))
            case Pause():
                viewer.pause()
            case Resume():
                viewer.resume()
        symbols = viewer.wanted.symbols
        return {
            "type": "reply",
            "to": message.type,
            "symbols": None if symbols is None else sorted(symbols),
            "interval": viewer.wanted.interval_seconds,
            "source": viewer.wanted.source,
        }

    async def _refuse_wanted(self, error: InvalidWantedError) -> None:
        reason = str(error).encode()[:REASON_BYTES].decode(errors="ignore")
        await self.refuse(BAD_REQUEST, reason)
