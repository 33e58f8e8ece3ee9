"""One exchange, through ccxt: its markets, its clock and its candles, with patience for its bad moments."""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from importlib import import_module
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import numpy as np
from django.conf import settings

from market_data.candles import Candles
from market_data.codec import empty_candles
from market_data.errors import MarketDataError

logger = logging.getLogger(__name__)
T = TypeVar("T")
ATTEMPTS = 8
TIMEOUT_MS = 10_000
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 1.0, 120.0
PAGE_CANDLES = 1000
MARKETS_KEPT_SECONDS = 3600.0
_LARGEST_PAGES = {"binance": 1000, "kraken": 720, "coinbase": 300, "bybit": 1000, "okx": 300}
OPTIONS = {"binance": {"fetchMarkets": {"types": ["spot"]}}, "bybit": {"fetchMarkets": {"types": ["spot"]}}}
_UNKNOWN_SYMBOL = re.compile(r"(unknown|invalid) (asset )?(symbol|pair|market)", re.IGNORECASE)
"""What exchanges say that ccxt does not take for an unknown symbol."""


class ExchangeError(MarketDataError):
    """An exchange that can't or won't answer; says which one, and what it said."""


class UnknownSymbolError(ExchangeError):
    """A cryptocurrency that an exchange does not have, or no longer trades."""


@dataclass(frozen=True, slots=True)
class Market:
    """A pair that an exchange trades, or has traded."""

    symbol: str
    code: str
    active: bool


class Exchange:
    """A connection to one exchange. Made by `open_exchange`.

    Attributes
    ----------
    attempts
        How often it is asked before it is given up.
    is_replay
        Its candles are of no market: the series they go to are marked as generated.
    check
        Looks at each page of a market's candles before it is used; raises ExchangeError if it can't be right.
    """

    def __init__(self, name: str, client: Any, errors: Any) -> None:
        self.name = name
        self.attempts = ATTEMPTS
        self.is_replay = False
        self.check: Callable[[Market, Candles], None] = lambda market, page: None
        self.page_candles = _LARGEST_PAGES.get(name, PAGE_CANDLES)
        self._client = client
        self._errors = errors
        self._markets: dict[str, Market] = {}
        self._markets_at = float("-inf")
        self._ahead_ms = 0.0

    @property
    def markets(self) -> dict[str, Market]:
        """Spot pairs by our symbol, `BTCUSDT`; asked for once an hour."""
        if time.monotonic() - self._markets_at > MARKETS_KEPT_SECONDS:
            found = self._patiently(lambda: self._client.load_markets(reload=True))
            self._markets = _spot_markets(found)
            self._ahead_ms = self._ahead_of_exchange_ms()
            self._markets_at = time.monotonic()
        return self._markets

    def market(self, symbol: str) -> Market:
        """The pair of a symbol.

        Raises
        ------
        UnknownSymbolError
            If the exchange never had it.
        """
        market = self.markets.get(symbol)
        if market is None:
            raise UnknownSymbolError(f"{self.name} has no {symbol}.")
        return market

    def check_interval(self, interval: str) -> None:
        """Raise ExchangeError for an interval that the exchange does not offer."""
        offered = self._client.timeframes or {}
        if interval not in offered:
            raise ExchangeError(f"{self.name} has no {interval} candles; it has {', '.join(offered)}.")

    def now_ms(self) -> int:
        """The exchange's own time: what tells a finished candle from one that is still growing.

        Where the exchange does not tell it, this host's clock, put right by the date of the exchange's answers.
        """
        if not self._client.has.get("fetchTime"):
            return round(time.time() * 1000 - self._ahead_ms)
        return int(self._patiently(self._client.fetch_time))

    def _ahead_of_exchange_ms(self) -> float:
        """How far this host's clock is ahead of the exchange's, by the date of its last answer; a second at best."""
        date = self._headers().get("date")
        try:
            return time.time() * 1000 - parsedate_to_datetime(date or "").timestamp() * 1000
        except ValueError:
            return 0.0

    def page(self, market: Market, interval: str, since_ms: int) -> Candles:
        """Candles from a time on, as many as the exchange gives at once, in the order of time, each once."""
        page = _as_candles(self._patiently(lambda: self._rows(market.code, interval, since_ms)))
        self.check(market, page)
        return page

    def _rows(self, code: str, interval: str, since_ms: int) -> list[list[Any]]:
        rows = self._client.fetch_ohlcv(code, interval, since=since_ms, limit=self.page_candles)
        # Some of ccxt's classes take a page of HTML for an answer without candles, which would leave a hole.
        if not rows and not str(self._client.last_http_response or "").lstrip().startswith(("{", "[")):
            raise self._errors.BadResponse("the answer is no JSON")
        return rows

    def most_traded(self, count: int, quote: str = "USDT") -> list[str]:
        """Symbols of the pairs with most volume against a currency, over the last day."""
        codes = {market.code: symbol for symbol, market in self.markets.items() if market.active}
        tickers = self._patiently(self._client.fetch_tickers)
        volumes = {
            codes[code]: float(ticker.get("quoteVolume") or 0.0)
            for code, ticker in tickers.items()
            if code in codes and code.endswith(f"/{quote}")
        }
        return sorted(volumes, key=lambda symbol: (-volumes[symbol], symbol))[:count]

    def _patiently(self, ask: Callable[[], T]) -> T:
        """Ask again after failures that pass: rate limits, 5xx, timeouts, cut connections, broken answers."""
        wait = FIRST_WAIT_SECONDS
        for attempt in range(1, self.attempts + 1):
            try:
                return ask()
            except (self._errors.NetworkError, self._errors.BadResponse) as error:
                if attempt == self.attempts:
                    raise ExchangeError(
                        f"{self.name} did not answer in {self.attempts} attempts: {_words(error)}"
                    ) from error
                seconds = min(max(wait, self._retry_after()), LONGEST_WAIT_SECONDS)
                logger.warning("%s: %s; asked again in %.1f s", self.name, _words(error), seconds)
                time.sleep(seconds)
                wait *= 2
            except self._errors.BadSymbol as error:
                raise UnknownSymbolError(f"{self.name} does not know it: {_words(error)}") from error
            except self._errors.BaseError as error:
                if _UNKNOWN_SYMBOL.search(str(error)):
                    raise UnknownSymbolError(f"{self.name} does not know it: {_words(error)}") from error
                raise ExchangeError(f"{self.name} refused: {_words(error)}") from error
        raise AssertionError("the last attempt returns or raises")

    def _retry_after(self) -> float:
        """Seconds that the exchange asked to wait with its last answer."""
        given = self._headers().get("retry-after", "0")
        return float(given) if str(given).replace(".", "", 1).isdigit() else 0.0

    def _headers(self) -> dict[str, str]:
        """Of the last answer, with names in lower case."""
        headers = self._client.last_response_headers or {}
        return {name.lower(): value for name, value in headers.items()}


def open_exchange(name: str) -> Exchange:
    """A connection to an exchange by ccxt's name of it, such as binance, coinbase, kraken, bybit, okx.

    Raises
    ------
    ExchangeError
        If ccxt knows no exchange of that name, or none of its candles.
    """
    ccxt = import_module("ccxt")  # takes two seconds: only those who download wait for it
    if name not in ccxt.exchanges:
        raise ExchangeError(f"{name!r} is no exchange; known are {', '.join(ccxt.exchanges)}.")
    client = getattr(ccxt, name)(
        {"timeout": TIMEOUT_MS, "enableRateLimit": True, "options": OPTIONS.get(name, {})}
    )
    if not client.has.get("fetchOHLCV"):
        raise ExchangeError(f"{name} gives no candles.")
    if name in settings.EXCHANGE_URLS:
        client.urls["api"] = redirected(client.urls["api"], settings.EXCHANGE_URLS[name])
    return Exchange(name, client, ccxt)


def redirected(urls: Any, base: str) -> Any:
    """The exchange's addresses on another host, as for a mirror or a proxy."""
    if isinstance(urls, dict):
        return {name: redirected(url, base) for name, url in urls.items()}
    target, parts = urlsplit(base), urlsplit(urls)
    return urlunsplit((target.scheme, target.netloc, parts.path, parts.query, ""))


def _spot_markets(found: dict[str, dict[str, Any]]) -> dict[str, Market]:
    spot = (market for market in found.values() if market.get("spot"))
    return {
        symbol: Market(symbol, str(market["symbol"]), market.get("active") is not False)
        for market in spot
        if (symbol := f"{market['base']}{market['quote']}".upper())
    }


def _as_candles(rows: list[list[Any]]) -> Candles:
    """Candles of ccxt's rows, each time once; rows without prices are not candles."""
    known = {int(row[0]): row[1:6] for row in rows if None not in row[:6]}
    candles = empty_candles(len(known))
    if known:
        times = np.array(sorted(known), dtype=np.int64)
        values = np.array([known[time_ms] for time_ms in times.tolist()], dtype=np.float64)
        candles.open_time_ms[:] = times
        for number, column in enumerate(
            (candles.open, candles.high, candles.low, candles.close, candles.volume)
        ):
            column[:] = values[:, number]
    return candles


def _words(error: Exception) -> str:
    """What went wrong, in one line of a bearable length."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]
