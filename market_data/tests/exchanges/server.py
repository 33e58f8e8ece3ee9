"""A local server that speaks the public REST protocols of Binance and Kraken, on good days and on bad ones."""

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np

from market_data.candles import Candles
from market_data.intervals import INTERVAL_MS
from market_data.prices.replay import binance
from market_data.tests.candle_maker import START_MS

KRAKEN_CANDLES = 720


@dataclass
class Exchange:
    """What both exchanges trade, and how they will misbehave.

    Attributes
    ----------
    candles
        By symbol, `BTCUSDT`; with all of the candles that will ever be.
    now_ms
        The exchange's clock: candles that open later do not exist yet, the last one is still growing.
    faults
        What goes wrong with the next requests for candles, one each.
    requests
        Paths and times of all requests for candles.
    """

    candles: dict[str, Candles] = field(default_factory=dict[str, Candles])
    now_ms: int = START_MS
    delisted: set[str] = field(default_factory=set[str])
    faults: deque[str] = field(default_factory=deque[str])
    requests: list[tuple[str, float]] = field(default_factory=list[tuple[str, float]])
    volumes: dict[str, float] = field(default_factory=dict[str, float])
    on_candles: Callable[[], object] = lambda: None
    url: str = ""

    def rows(self, symbol: str, since_ms: int, count: int) -> list[tuple[Any, ...]]:
        """Up to `count` candles from a time on; the one that is growing has half its volume."""
        candles = self.candles[symbol]
        first = candles.bar_at(since_ms)
        stop = min(first + count, int(np.searchsorted(candles.open_time_ms, self.now_ms, side="right")))
        part = candles.bars(first, stop)
        columns = (part.open_time_ms, part.open, part.high, part.low, part.close, part.volume)
        rows = list(zip(*(column.tolist() for column in columns), strict=True))
        if rows and rows[-1][0] + INTERVAL_MS["1h"] > self.now_ms:
            rows[-1] = (*rows[-1][:5], rows[-1][5] / 2)
        return rows


class _Handler(BaseHTTPRequestHandler):
    server: "_Server"  # pyright: ignore[reportIncompatibleVariableOverride]
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer like Binance below /api/v3, like Kraken below /0/public."""
        path = urlsplit(self.path).path
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        exchange = self.server.exchange
        name = path.rpartition("/")[2]
        if name in ("klines", "OHLC"):
            exchange.requests.append((self.path, time.monotonic()))
            fault = exchange.faults.popleft() if exchange.faults else ""
            exchange.on_candles()
            if self._misbehave(fault):
                return
            answer = (
                _binance_klines(exchange, query, fault)
                if name == "klines"
                else _kraken_candles(exchange, query, fault)
            )
        else:
            answer = _ANSWERS[name](exchange)
        self._send(200, answer)

    def _misbehave(self, fault: str) -> bool:
        status, _, seconds = fault.partition(" ")
        if status.isdigit():
            headers = {"Retry-After": seconds} if seconds else {}
            self._send(int(status), {"code": -1003, "msg": "Too many requests"}, headers)
        elif fault == "timeout":
            self.rfile.read(1)  # nothing comes: the client goes away first
            self.close_connection = True
        elif fault == "cut":
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(b"[[17040672")
            self.wfile.flush()
            self.close_connection = True
        elif fault == "unknown" and self.path.startswith("/api/"):
            self._send(400, {"code": -1121, "msg": "Invalid symbol."})
        elif fault == "unknown":
            self._send(200, {"error": ["EQuery:Unknown asset pair"]})
        elif fault == "too often":
            self._send(200, {"error": ["EAPI:Rate limit exceeded"]})
        elif fault == "broken":
            self._send_bytes(200, b"<html>maintenance</html>", {})
        else:
            return False
        return True

    def _send(self, status: int, answer: Any, headers: dict[str, str] | None = None) -> None:
        self._send_bytes(status, json.dumps(answer).encode(), headers or {})

    def _send_bytes(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            **headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        """The date of every answer, by the exchange's own clock."""
        return super().date_time_string(
            self.server.exchange.now_ms / 1000 if timestamp is None else timestamp
        )

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the base class's name)
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.exchange = exchange

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is part of the test."""


def _page(exchange: Exchange, symbol: str, since_ms: int, count: int, fault: str) -> list[tuple[Any, ...]]:
    if fault == "overlap":
        since_ms -= 5 * INTERVAL_MS["1h"]
    if fault == "short":
        count = 7
    rows = exchange.rows(symbol, since_ms, count)
    return rows[::-1] if fault == "reversed" else rows + rows[-3:] if fault == "twice" else rows


def _binance_klines(exchange: Exchange, query: dict[str, str], fault: str) -> Any:
    rows = _page(
        exchange, query["symbol"], int(query.get("startTime", 0)), int(query.get("limit", 500)), fault
    )
    hour = INTERVAL_MS["1h"]
    return [[t, *map(str, prices), t + hour - 1, "1", 5, "1", "1", "0"] for t, *prices in rows]


def _kraken_candles(exchange: Exchange, query: dict[str, str], fault: str) -> Any:
    symbol = query["pair"]
    since_ms = int(query.get("since", 0)) * 1000
    oldest_ms = exchange.now_ms - KRAKEN_CANDLES * INTERVAL_MS["1h"]
    rows = _page(exchange, symbol, max(since_ms, oldest_ms), KRAKEN_CANDLES, fault)
    candles = [[t // 1000, o, h, l, c, "0", v, 5] for t, o, h, l, c, v in rows]  # noqa: E741
    return {"error": [], "result": {symbol: candles, "last": 0}}


def _binance_markets(exchange: Exchange) -> Any:
    return binance.markets(exchange.candles, delisted=exchange.delisted)


def kraken_markets(symbols: Iterable[str]) -> Any:
    """`GET /0/public/AssetPairs` of pairs against USDT."""
    pairs = {
        symbol: {
            "altname": symbol,
            "wsname": f"{symbol.removesuffix('USDT')}/USDT",
            "base": symbol.removesuffix("USDT"),
            "quote": "USDT",
            "pair_decimals": 2,
            "lot_decimals": 8,
            "fees": [[0, 0.4]],
            "fees_maker": [[0, 0.25]],
            "leverage_buy": [],
            "leverage_sell": [],
            "ordermin": "0.001",
            "status": "online",
        }
        for symbol in symbols
    }
    return {"error": [], "result": pairs}


def kraken_assets(symbols: Iterable[str]) -> Any:
    """`GET /0/public/Assets` of the coins and USDT."""
    names = {"USDT", *(symbol.removesuffix("USDT") for symbol in symbols)}
    asset = {"aclass": "currency", "decimals": 8, "display_decimals": 5, "status": "enabled"}
    return {"error": [], "result": {name: {**asset, "altname": name} for name in names}}


_ANSWERS = {
    "exchangeInfo": _binance_markets,
    "time": lambda exchange: {"serverTime": exchange.now_ms},
    "24hr": lambda exchange: [
        {
            "symbol": symbol,
            "lastPrice": "1",
            "quoteVolume": str(volume),
            "volume": "1",
            "closeTime": exchange.now_ms,
        }
        for symbol, volume in exchange.volumes.items()
    ],
    "AssetPairs": lambda exchange: kraken_markets(exchange.candles),
    "Assets": lambda exchange: kraken_assets(exchange.candles),
    "Time": lambda exchange: {"error": [], "result": {"unixtime": exchange.now_ms // 1000}},
}


@contextmanager
def running_exchange() -> Generator[Exchange]:
    """An exchange that answers at `url`."""
    server = _Server(exchange := Exchange())
    exchange.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield exchange
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
