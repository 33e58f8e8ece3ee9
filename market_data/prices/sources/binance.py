"""Binance's WebSocket streams: every symbol's 24 h ticker once a second, and candles as they close.

Whatever speaks the same protocol is a source of this class too: the local exchange that replays candles.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from http import HTTPStatus
from typing import Any, cast

import httpx
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException

from market_data.prices.sources.protocol import (
    ClosedCandle,
    Delisted,
    Event,
    Pace,
    SourceError,
    Tick,
    number,
)
from market_data.prices.sources.waits import retry_after_seconds

STREAM_URL = "wss://data-stream.binance.vision"
REST_URL = "https://data-api.binance.vision"
BUSY_SYMBOL = "BTCUSDT"
"""Listened to whether wanted or not: it trades every second, so that silence means a stall."""
CONNECT_SECONDS = 4.0
SILENT_SECONDS = 30.0
"""A symbol that says nothing for so long while others do is looked up in the list of markets."""


class BinanceSource:
    """One connection for all symbols."""

    stall_seconds = 3.0
    late_seconds = 0.0

    def __init__(
        self,
        name: str = "binance",
        *,
        stream_url: str = STREAM_URL,
        rest_url: str = REST_URL,
        is_replay: bool = False,
    ) -> None:
        self.name, self.series_source = name, name
        self.is_replay = is_replay
        self._stream_url, self._rest_url = stream_url.rstrip("/"), rest_url.rstrip("/")

    async def events(
        self, symbols: Sequence[str], candles: Sequence[tuple[str, str]], pace: Pace
    ) -> AsyncGenerator[list[Event]]:
        """See `Source`."""
        listings = _Listings(self._rest_url, symbols)
        try:
            async with connect(
                f"{self._stream_url}/stream?streams={_streams(symbols, candles)}",
                open_timeout=CONNECT_SECONDS,
                close_timeout=1,
                max_size=1 << 20,
                compression=None,
                proxy=True if self._stream_url.startswith("wss:") else None,
            ) as socket:
                async for event in _events(socket, listings):
                    yield event
        except InvalidStatus as error:
            wait = retry_after_seconds(error.response.headers)
            raise SourceError(
                f"refused with {error.response.status_code}", retry_after_seconds=wait
            ) from error
        except (WebSocketException, OSError, TimeoutError) as error:
            raise SourceError(f"no connection: {error or type(error).__name__}") from error


async def _events(socket: ClientConnection, listings: "_Listings") -> AsyncGenerator[list[Event]]:
    async with aclosing(_messages(socket)) as messages:
        async for message in messages:
            event = parse(message)
            if isinstance(event, Tick):
                listings.heard(event.symbol)
            if event is not None:
                yield [event]
            if gone := await listings.gone():
                yield [Delisted(symbol) for symbol in gone]
    raise SourceError("closed the connection")


async def _messages(socket: ClientConnection) -> AsyncGenerator[str | bytes]:
    async for message in socket:
        yield message


def _streams(symbols: Sequence[str], candles: Sequence[tuple[str, str]]) -> str:
    tickers = [f"{symbol.lower()}@ticker" for symbol in dict.fromkeys([*symbols, BUSY_SYMBOL])]
    return "/".join([*tickers, *(f"{symbol.lower()}@kline_{interval}" for symbol, interval in candles)])


def parse(message: str | bytes) -> Tick | ClosedCandle | None:
    """What a message of a combined stream says; None if that is nothing of interest.

    Raises
    ------
    SourceError
        If it is no such message.
    """
    try:
        data = orjson.loads(message)["data"]
        kind = data["e"]
        if kind == "24hrTicker":
            return _tick(data)
        return _candle(data["k"]) if kind == "kline" and data["k"]["x"] is True else None
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise SourceError(f"sent what can't be read: {str(message)[:80]!r}") from error


def _tick(data: dict[str, Any]) -> Tick:
    change = number(data.get("P"))
    return Tick(
        symbol=str(data["s"]),
        price=float(data["c"]),
        exchange_time_ms=int(data["E"]),
        change_24h=None if change is None else change / 100,
        high_24h=number(data.get("h")),
        low_24h=number(data.get("l")),
        volume_24h_quote=number(data.get("q")),
    )


def _candle(data: dict[str, Any]) -> ClosedCandle:
    prices = (float(data[name]) for name in "ohlcv")
    return ClosedCandle(str(data["s"]), str(data["i"]), int(data["t"]), *prices)


class _Listings:
    """Asks what has become of symbols that have fallen silent: Binance's streams don't say."""

    def __init__(self, rest_url: str, symbols: Sequence[str]) -> None:
        self._rest_url = rest_url
        self._ask_at = dict.fromkeys(symbols, time.monotonic() + SILENT_SECONDS)
        self._asking: asyncio.Task[list[str]] | None = None

    def heard(self, symbol: str) -> None:
        """The symbol is alive."""
        if symbol in self._ask_at:
            self._ask_at[symbol] = time.monotonic() + SILENT_SECONDS

    async def gone(self) -> list[str]:
        """Symbols that were found to be traded no longer since this was asked last; never waits."""
        if self._asking is not None:
            if not self._asking.done():
                return []
            found, self._asking = self._asking.result(), None
            return found
        silent = [symbol for symbol, at in self._ask_at.items() if at <= time.monotonic()]
        if silent:
            self._ask_at.update(dict.fromkeys(silent, time.monotonic() + 60 * SILENT_SECONDS))
            self._asking = asyncio.create_task(self._not_traded(silent))
        return []

    async def _not_traded(self, symbols: Sequence[str]) -> list[str]:
        async with httpx.AsyncClient(base_url=self._rest_url, timeout=CONNECT_SECONDS) as client:
            return [symbol for symbol in symbols if await _is_not_traded(client, symbol)]


async def _is_not_traded(client: httpx.AsyncClient, symbol: str) -> bool:
    try:
        answer = await client.get("/api/v3/exchangeInfo", params={"symbol": symbol})
        if answer.status_code == HTTPStatus.BAD_REQUEST:
            return True  # it knows no such symbol
        markets = cast("list[dict[str, Any]]", answer.raise_for_status().json()["symbols"])
        return all(market.get("status") != "TRADING" for market in markets)
    except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError):
        return False  # asked again later
