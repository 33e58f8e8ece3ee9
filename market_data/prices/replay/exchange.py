"""A local exchange: speaks Binance's REST and WebSocket protocols on one port, for whoever has no network.

It plays stored candles again (`market.py`). What it sends is true to the protocol, so that the feed uses it
like the real one; that it is a replay is known from its name and marked on every price.
"""

import asyncio
import json
import logging
import math
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from market_data.aggregation import start_of_period
from market_data.exchanges.connection import Exchange
from market_data.intervals import INTERVAL_MS
from market_data.prices.replay import binance
from market_data.prices.replay.market import ReplayMarket
from market_data.prices.replay.rest import open_replay_exchange
from market_data.prices.replay.stored import market_to_play, stored_symbols
from market_data.prices.sources.protocol import now_ms
from market_data.prices.threads import DatabaseThread

TICK_SECONDS = 1.0
MOST_KLINES = 1000
Query = dict[str, str]
_connections_logger = logging.getLogger(f"{__name__}.connections")
_connections_logger.setLevel(logging.WARNING)  # not a line for every request


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a REST request."""

    body: bytes
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()


def answer(body: Any, status: int = 200, **headers: str) -> Answer:
    """An answer in JSON."""
    return Answer(orjson.dumps(body), status, tuple(headers.items()))


class LocalExchange:
    """The server. Tests override what shall go wrong.

    Parameters
    ----------
    clock
        The exchange's time in milliseconds since 1970.
    tick_seconds
        How often it sends each ticker.
    """

    def __init__(
        self,
        market: ReplayMarket,
        *,
        clock: Callable[[], int] = now_ms,
        tick_seconds: float = TICK_SECONDS,
    ) -> None:
        self.market, self.clock, self.tick_seconds = market, clock, tick_seconds
        self.url = ""

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncGenerator[None]:
        """Serve on 127.0.0.1 at `url`."""
        async with serve(
            self._stream,
            "127.0.0.1",
            port,
            process_request=self.answer_or_upgrade,
            compression=None,
            open_timeout=None,
            close_timeout=0.2,
            server_header=None,
            logger=_connections_logger,
        ) as server:
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            yield

    async def rest(self, path: str, query: Query) -> Answer:
        """Answer a REST request."""
        name = path.removeprefix("/api/v3/")
        if name == "time":
            return answer({"serverTime": self.clock()})
        if name == "ping":
            return answer({})
        if unknown := self._unknown(query):
            return unknown
        if name == "exchangeInfo":
            return answer(binance.markets(self._wanted(query), time_ms=self.clock()))
        if name == "ticker/24hr":
            tickers = [
                binance.ticker(self.market.ticker(one, self.clock()), self.clock())
                for one in self._wanted(query)
            ]
            return answer(tickers[0] if "symbol" in query else tickers)
        if name == "klines":
            return self._klines(query)
        return answer({"code": -1, "msg": "there is nothing at this address"}, HTTPStatus.NOT_FOUND)

    def tickers(self, symbols: Sequence[str]) -> list[bytes]:
        """The messages about the symbols' prices of now."""
        at_ms = self.clock()
        return [orjson.dumps(binance.ticker_event(self.market.ticker(one, at_ms), at_ms)) for one in symbols]

    def closed_candles(self, streams: Sequence[tuple[str, str]], after_ms: int, until_ms: int) -> list[bytes]:
        """The messages about candles that have closed between two times."""
        messages: list[bytes] = []
        for symbol, interval in streams:
            first = start_of_period(after_ms, interval)
            stop = start_of_period(until_ms, interval)
            if first == stop:
                continue
            candles = self.market.candles(symbol, interval, first, stop, until_ms)
            messages += [
                orjson.dumps(binance.kline_event(symbol, interval, candles, bar, until_ms))
                for bar in range(len(candles))
            ]
        return messages

    async def send_stream(self, socket: ServerConnection, streams: Sequence[str]) -> None:
        """Send tickers every `tick_seconds`, and candles as they close, to a client's or the market's end."""
        market = self.market
        tickers, candles = _subscribed(streams, market.symbols)
        before_ms = self.clock()
        while self.market is market:
            at_ms = self.clock()
            for message in self.closed_candles(candles, before_ms, at_ms) + self.tickers(tickers):
                await socket.send(message, text=True)
            before_ms = at_ms
            await asyncio.sleep(self.tick_seconds)

    async def _stream(self, socket: ServerConnection) -> None:
        assert socket.request is not None
        query = parse_qs(urlsplit(socket.request.path).query)
        with suppress(ConnectionClosed):
            await self.send_stream(socket, query.get("streams", [""])[0].split("/"))

    async def answer_or_upgrade(self, socket: ServerConnection, request: Request) -> Response | None:
        """Answer a REST request; None for one that opens a WebSocket."""
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return None
        parts = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        given = await self.rest(parts.path, query)
        headers = Headers(
            {
                "Content-Type": "application/json",
                "Content-Length": str(len(given.body)),
                "Connection": "close",
            }
        )
        for name, value in given.headers:
            headers.pop(name.replace("_", "-"), None)
            headers[name.replace("_", "-")] = value
        return Response(given.status, HTTPStatus(given.status).phrase, headers, given.body)

    def _wanted(self, query: Query) -> list[str]:
        if "symbol" in query:
            return [query["symbol"]]
        return json.loads(query["symbols"]) if "symbols" in query else self.market.symbols

    def _unknown(self, query: Query) -> Answer | None:
        try:
            unknown = set(self._wanted(query)) - set(self.market.symbols)
        except (ValueError, TypeError):
            return answer({"code": -1100, "msg": "Illegal characters found."}, HTTPStatus.BAD_REQUEST)
        return answer({"code": -1121, "msg": "Invalid symbol."}, HTTPStatus.BAD_REQUEST) if unknown else None

    def _klines(self, query: Query) -> Answer:
        interval = query.get("interval", "")
        start, end, limit = (query.get(name, "") for name in ("startTime", "endTime", "limit"))
        numbers = all(one.isdigit() or not one for one in (start, end, limit))
        if interval not in INTERVAL_MS or "symbol" not in query or not numbers:
            return answer({"code": -1120, "msg": "Invalid interval."}, HTTPStatus.BAD_REQUEST)
        at_ms, length = self.clock(), INTERVAL_MS[interval]
        count = min(int(limit or 500), MOST_KLINES)
        end_ms = min(int(end) + 1 if end else math.inf, at_ms)
        start_ms = int(start) if start else at_ms - count * length
        end_ms = int(min(end_ms, start_ms + count * length))
        candles = self.market.candles(query["symbol"], interval, start_ms, end_ms, at_ms)
        return answer(binance.klines(candles, interval))


def _subscribed(streams: Sequence[str], known: Sequence[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """Symbols of the tickers, and (symbol, interval) of the candles; Binance ignores what it does not know."""
    tickers: list[str] = []
    candles: list[tuple[str, str]] = []
    for stream in streams:
        symbol, _, kind = stream.partition("@")
        if symbol.upper() not in known:
            continue
        if kind == "ticker":
            tickers.append(symbol.upper())
        elif kind.removeprefix("kline_") in INTERVAL_MS:
            candles.append((symbol.upper(), kind.removeprefix("kline_")))
    return tickers, candles


class RunningReplay:
    """The local exchange of a feed."""

    def __init__(self, exchange: LocalExchange, thread: DatabaseThread) -> None:
        self._exchange, self._thread = exchange, thread

    @property
    def url(self) -> str:
        """Where it is."""
        return self._exchange.url

    @property
    def symbols(self) -> frozenset[str]:
        """What it trades."""
        return frozenset(self._exchange.market.symbols)

    @property
    def is_made_up(self) -> bool:
        """Whether it plays made-up candles, for want of any."""
        return self._exchange.market.is_made_up

    def open_exchange(self) -> Exchange:
        """Its REST interface, for candles that were missed."""
        return open_replay_exchange(self.url)

    async def renew(self) -> bool:
        """Play what the store has by now; whether that is another market. Who listens has to connect again."""
        stored = await self._thread.run(stored_symbols)
        if not stored or (self.symbols == frozenset(stored) and not self.is_made_up):
            return False
        self._exchange.market = await self._thread.run(market_to_play)
        return True


@asynccontextmanager
async def replaying(thread: DatabaseThread) -> AsyncGenerator[RunningReplay]:
    """A local exchange that plays what the store has."""
    exchange = LocalExchange(await thread.run(market_to_play))
    async with exchange.serving():
        yield RunningReplay(exchange, thread)
