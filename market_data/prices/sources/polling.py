"""Any exchange that ccxt knows, asked for all tickers at once every few seconds."""

import asyncio
import functools
from collections.abc import AsyncGenerator, Sequence
from importlib import import_module
from typing import Any

from market_data.exchanges.connection import OPTIONS, redirected
from market_data.prices.sources.protocol import Delisted, Event, Pace, SourceError, Tick, now_ms, number
from market_data.prices.sources.waits import retry_after_seconds

TIMEOUT_SECONDS = 4.0
MARKETS_KEPT_SECONDS = 3600.0


class CcxtSource:
    """One exchange through ccxt's asynchronous class, which keeps to the exchange's rate limit."""

    is_replay = False
    stall_seconds = 5.0
    late_seconds = 60.0

    def __init__(self, exchange: str, *, url: str | None = None) -> None:
        self.name, self.series_source = f"ccxt:{exchange}", exchange
        self._exchange, self._url = exchange, url

    async def events(
        self, symbols: Sequence[str], candles: Sequence[tuple[str, str]], pace: Pace
    ) -> AsyncGenerator[list[Event]]:
        """See `Source`. Candles come from the exchange's REST interface when they are missed."""
        client, errors = await asyncio.to_thread(_open, self._exchange, self._url)
        loop = asyncio.get_running_loop()
        try:
            codes: dict[str, str] = {}
            codes_at = float("-inf")
            while True:
                if loop.time() - codes_at > MARKETS_KEPT_SECONDS:
                    codes, codes_at = _codes(await _ask(client, errors, "load_markets", True)), loop.time()
                    yield [Delisted(symbol) for symbol in symbols if symbol not in codes]
                yield await _ticks(client, errors, {codes[one]: one for one in symbols if one in codes})
                await pace.wait()
        finally:
            await client.close()


@functools.cache
def _library() -> Any:
    return import_module("ccxt.async_support")  # takes two seconds: only a feed that needs it waits for it


def _open(name: str, url: str | None) -> tuple[Any, Any]:
    library = _library()
    if name not in library.exchanges:
        raise SourceError(f"ccxt knows no exchange {name}")
    client = getattr(library, name)(
        {"timeout": TIMEOUT_SECONDS * 1000, "enableRateLimit": True, "options": OPTIONS.get(name, {})}
    )
    if url is not None:
        client.urls["api"] = redirected(client.urls["api"], url)
    return client, library


async def _ask(client: Any, errors: Any, method: str, *arguments: Any) -> Any:
    try:
        return await getattr(client, method)(*arguments)
    except errors.BaseError as error:
        wait = 0.0
        if isinstance(error, errors.DDoSProtection | errors.RateLimitExceeded):
            wait = retry_after_seconds(client.last_response_headers)
        words = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        raise SourceError(words, retry_after_seconds=wait) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SourceError(f"sent what can't be read: {error}") from error


def _codes(markets: dict[str, dict[str, Any]]) -> dict[str, str]:
    """ccxt's names of the pairs that are traded, by ours."""
    return {
        f"{market['base']}{market['quote']}".upper(): str(market["symbol"])
        for market in markets.values()
        if market.get("spot") and market.get("active") is not False
    }


async def _ticks(client: Any, errors: Any, symbols: dict[str, str]) -> list[Event]:
    if not symbols:
        raise SourceError("trades none of the symbols")
    found = await _ask(client, errors, "fetch_tickers", list(symbols))
    return [_tick(symbols[code], ticker) for code, ticker in found.items() if code in symbols]


def _tick(symbol: str, ticker: dict[str, Any]) -> Tick:
    change = number(ticker.get("percentage"))
    price = number(ticker.get("last"))
    return Tick(
        symbol=symbol,
        price=float("nan") if price is None else price,
        exchange_time_ms=int(ticker.get("timestamp") or now_ms()),
        change_24h=None if change is None else change / 100,
        high_24h=number(ticker.get("high")),
        low_24h=number(ticker.get("low")),
        volume_24h_quote=number(ticker.get("quoteVolume")),
    )
