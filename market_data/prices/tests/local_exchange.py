"""The local exchange on bad days, and with Kraken's and CoinGecko's REST interfaces beside Binance's."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from market_data.candles import Candles
from market_data.prices.replay import binance
from market_data.prices.replay.exchange import Answer, LocalExchange, Query, answer
from market_data.prices.replay.market import ReplayMarket, Ticker
from market_data.tests.candle_maker import make_candles
from market_data.tests.exchanges.server import kraken_assets, kraken_markets

BINANCE, KRAKEN, COINGECKO = "binance", "kraken", "coingecko"
_TRADED = {"v": ["1", "1"], "p": ["1", "1"], "t": [1, 1]}


class FixedMarket(ReplayMarket):
    """A market whose prices a test sets."""

    def __init__(self, prices: Mapping[str, float], stored: Mapping[str, Candles] | None = None) -> None:
        super().__init__(
            stored or {symbol: make_candles(1500, seed=number) for number, symbol in enumerate(prices)}
        )
        self.prices = dict(prices)

    def ticker(self, symbol: str, at_ms: int) -> Ticker:
        price = self.prices[symbol]
        return Ticker(symbol, price, price / 1.25, price * 1.5, price / 2, 1000.0, 1000.0 * price)


@dataclass
class Faults:
    """What one protocol does wrong at the moment.

    Attributes
    ----------
    kind
        `stall`, `cut`, `garbage`, `refuse 429`, `refuse 503`, … or nothing.
    factor
        What its prices are multiplied with.
    clock_ms
        How far its clock is ahead.
    """

    kind: str = ""
    retry_after: int | None = None
    factor: dict[str, float] = field(default_factory=dict[str, float])
    clock_ms: int = 0


class BadExchange(LocalExchange):
    """Speaks three protocols; each has its own offset to the market's prices, and its own faults.

    Attributes
    ----------
    offsets
        What each protocol adds to the prices, so that a test sees whose price is shown.
    requests
        REST requests and connections, by protocol.
    """

    def __init__(self, market: FixedMarket, **options: Any) -> None:
        super().__init__(market, tick_seconds=options.pop("tick_seconds", 0.1), **options)
        self.fixed = market
        self.faults = {BINANCE: Faults(), KRAKEN: Faults(), COINGECKO: Faults()}
        self.offsets = {BINANCE: 0.0, KRAKEN: 1.0, COINGECKO: 2.0}
        self.delisted: dict[str, set[str]] = {BINANCE: set(), KRAKEN: set(), COINGECKO: set()}
        self.requests: Counter[str] = Counter()
        self.asked_at: dict[str, list[float]] = {BINANCE: [], KRAKEN: [], COINGECKO: []}
        self.extra: list[bytes] = []
        """Messages that are sent to the next subscriber of Binance's stream as they are."""

    @property
    def urls(self) -> dict[str, str]:
        """For the setting EXCHANGE_URLS."""
        stream = self.url.replace("http", "ws", 1)
        return {BINANCE: self.url, "binance-stream": stream, KRAKEN: self.url, COINGECKO: self.url}

    def price(self, protocol: str, symbol: str) -> float:
        """What a protocol says is the price."""
        factor = self.faults[protocol].factor.get(symbol, 1.0)
        return (self.fixed.prices[symbol] + self.offsets[protocol]) * factor

    async def rest(self, path: str, query: Query) -> Answer:
        protocol = KRAKEN if path.startswith("/0/") else COINGECKO if "/coins/" in path else BINANCE
        self.requests[protocol] += 1
        self.asked_at[protocol].append(asyncio.get_running_loop().time())
        faults = self.faults[protocol]
        if faults.kind == "stall":
            await asyncio.sleep(60)
        if faults.kind == "garbage":
            return Answer(b"<html>maintenance</html>")
        if faults.kind == "cut":
            return Answer(b'{"error":[],"resu', headers=(("Content-Length", "5000"),))
        if faults.kind.startswith("refuse"):
            wait = {} if faults.retry_after is None else {"Retry_After": str(faults.retry_after)}
            return answer({"code": -1003, "msg": "no"}, int(faults.kind.split()[1]), **wait)
        if protocol == KRAKEN:
            return self._kraken(path, query)
        if protocol == COINGECKO:
            return self._coingecko()
        if path.endswith("exchangeInfo") and query.get("symbol") in self.delisted[BINANCE]:
            return answer(binance.markets([query["symbol"]], delisted=[query["symbol"]]))
        return await super().rest(path, query)

    async def answer_or_upgrade(self, socket: ServerConnection, request: Request) -> Response | None:
        faults = self.faults[BINANCE]
        if request.headers.get("Upgrade"):
            self.asked_at[BINANCE].append(asyncio.get_running_loop().time())
        if request.headers.get("Upgrade") and faults.kind.startswith("refuse"):
            self.requests[BINANCE] += 1
            headers = {"Content-Length": "0", "Connection": "close"}
            wait = {} if faults.retry_after is None else {"Retry-After": str(faults.retry_after)}
            return Response(int(faults.kind.split()[1]), "No", Headers(headers | wait))
        return await super().answer_or_upgrade(socket, request)

    def tickers(self, symbols: Sequence[str]) -> list[bytes]:
        faults = self.faults[BINANCE]
        if faults.kind == "garbage":
            return [b'{"stream": "btcusdt@ticker", "data": {"e": "24hrTicker", "c": ']
        at_ms = self.clock() + faults.clock_ms
        listed = [symbol for symbol in symbols if symbol not in self.delisted[BINANCE]]
        return [self.ticker_message(symbol, at_ms) for symbol in listed]

    def ticker_message(self, symbol: str, at_ms: int, price: float | None = None) -> bytes:
        """A ticker as Binance's stream sends it."""
        price = self.price(BINANCE, symbol) if price is None else price
        ticker = replace(self.fixed.ticker(symbol, at_ms), price=price)
        return json.dumps(binance.ticker_event(ticker, at_ms)).encode()

    async def send_stream(self, socket: ServerConnection, streams: Sequence[str]) -> None:
        self.requests[BINANCE] += 1
        sending = asyncio.create_task(super().send_stream(_Valve(socket, self), streams))  # pyright: ignore[reportArgumentType]
        breaking = asyncio.create_task(self._cut(socket))
        leaving = asyncio.create_task(socket.wait_closed())
        try:
            done, _ = await asyncio.wait([sending, breaking, leaving], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in (sending, breaking, leaving):
                task.cancel()

    async def _cut(self, socket: ServerConnection) -> None:
        while not self.faults[BINANCE].kind.startswith(("cut", "refuse")):
            await asyncio.sleep(0.02)
        socket.transport.abort()

    def _kraken(self, path: str, query: Query) -> Answer:
        listed = [one for one in self.fixed.prices if one not in self.delisted[KRAKEN]]
        if path.endswith("AssetPairs"):
            return answer(kraken_markets(listed))
        if path.endswith("Assets"):
            return answer(kraken_assets(listed))
        if path.endswith("Time"):
            return answer({"error": [], "result": {"unixtime": self.clock() // 1000}})
        wanted = query["pair"].split(",") if "pair" in query else listed
        return answer({"error": [], "result": {one: self._kraken_ticker(one) for one in wanted}})

    def _kraken_ticker(self, symbol: str) -> dict[str, Any]:
        price = str(self.price(KRAKEN, symbol))
        last, day = [price, "1"], [price, price]
        return {
            "a": [price, "1", "1"],
            "b": [price, "1", "1"],
            "c": last,
            "o": price,
            "h": day,
            "l": day,
            **_TRADED,
        }

    def _coingecko(self) -> Answer:
        moment = datetime.fromtimestamp((self.clock() + self.faults[COINGECKO].clock_ms) / 1000, tz=UTC)
        listed = [one for one in self.fixed.prices if one not in self.delisted[COINGECKO]]
        coins = [_coin(one.removesuffix("USDT"), self.price(COINGECKO, one), moment) for one in listed]
        return answer([_coin("USDT", 1.0, moment), *coins])


class _Valve:
    """A socket that says nothing while the stream stalls, as one whose other end is frozen."""

    def __init__(self, socket: ServerConnection, exchange: BadExchange) -> None:
        self._socket, self._exchange = socket, exchange

    async def send(self, message: bytes, **options: Any) -> None:
        while self._exchange.faults[BINANCE].kind == "stall":
            await asyncio.sleep(0.02)
        for extra in self._take_extra():
            await self._socket.send(extra, text=True)
        await self._socket.send(message, **options)

    def _take_extra(self) -> Iterable[bytes]:
        extra, self._exchange.extra[:] = list(self._exchange.extra), []
        return extra


def _coin(name: str, price: float, moment: datetime) -> dict[str, Any]:
    return {
        "id": name.lower(),
        "symbol": name.lower(),
        "current_price": price,
        "high_24h": price * 1.1,
        "low_24h": price * 0.9,
        "total_volume": 5000.0,
        "price_change_percentage_24h": 2.5,
        "last_updated": moment.isoformat().replace("+00:00", "Z"),
    }


def sped_up(start_ms: int, factor: float) -> Any:
    """A clock that began at a time when this was called, and runs so many times faster."""
    loop = asyncio.get_running_loop()
    begun = loop.time()
    return lambda: start_ms + int((loop.time() - begun) * 1000 * factor)
