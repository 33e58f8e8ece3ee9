"""CoinGecko's REST interface: prices of the whole market's average, about a minute old.

It prices coins in dollars. A symbol against a dollar token, such as BTCUSDT, is the coin's price divided by
the token's.
"""

from collections.abc import AsyncGenerator, Sequence
from datetime import datetime
from typing import Any, cast

import httpx

from market_data.prices.sources.protocol import Delisted, Event, Pace, SourceError, Tick, now_ms, number
from market_data.prices.sources.waits import retry_after_seconds
from market_data.symbols import split_symbol

URL = "https://api.coingecko.com"
LEAST_SECONDS = 12.0
"""Between two requests: what it allows those who have no key."""
TIMEOUT_SECONDS = 4.0
PAGE = 250


class CoinGeckoSource:
    """One request for all symbols."""

    name = "coingecko"
    series_source = None
    is_replay = False
    stall_seconds = 300.0
    late_seconds = 600.0
    least_seconds = LEAST_SECONDS

    def __init__(self, *, url: str = URL) -> None:
        self._url = url

    async def events(
        self, symbols: Sequence[str], candles: Sequence[tuple[str, str]], pace: Pace
    ) -> AsyncGenerator[list[Event]]:
        """See `Source`."""
        wanted = {symbol: split_symbol(symbol) for symbol in symbols}
        async with httpx.AsyncClient(base_url=self._url, timeout=TIMEOUT_SECONDS) as client:
            while True:
                coins = await _coins(client, {name for pair in wanted.values() for name in pair if name})
                yield [
                    _event(symbol, coins.get(base), coins.get(quote), quote)
                    for symbol, (base, quote) in wanted.items()
                ]
                await pace.wait(self.least_seconds)


async def _coins(client: httpx.AsyncClient, names: set[str]) -> dict[str, dict[str, Any]]:
    """What it knows of each coin, by its short name; of several with one name, the largest."""
    query = {
        "vs_currency": "usd",
        "symbols": ",".join(sorted(name.lower() for name in names)),
        "include_tokens": "top",
        "per_page": PAGE,
    }
    try:
        answer = await client.get("/api/v3/coins/markets", params=query)
        answer.raise_for_status()
        found = cast("list[dict[str, Any]]", answer.json())
        return {str(coin["symbol"]).upper(): coin for coin in reversed(found)}
    except httpx.HTTPStatusError as error:
        wait = retry_after_seconds(error.response.headers)
        raise SourceError(f"answered {error.response.status_code}", retry_after_seconds=wait) from error
    except httpx.HTTPError as error:
        raise SourceError(f"no answer: {error or type(error).__name__}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SourceError("sent what can't be read") from error


def _event(symbol: str, coin: dict[str, Any] | None, quote: dict[str, Any] | None, quote_name: str) -> Event:
    rate = 1.0 if quote_name == "USD" else number((quote or {}).get("current_price"))
    price = number((coin or {}).get("current_price"))
    if coin is None or price is None or not rate:
        return Delisted(symbol)
    high, low, volume = (number(coin.get(name)) for name in ("high_24h", "low_24h", "total_volume"))
    change = number(coin.get("price_change_percentage_24h"))
    return Tick(
        symbol=symbol,
        price=price / rate,
        exchange_time_ms=_time_ms(coin.get("last_updated")),
        change_24h=None if change is None else change / 100,
        high_24h=None if high is None else high / rate,
        low_24h=None if low is None else low / rate,
        volume_24h_quote=None if volume is None else volume / rate,
    )


def _time_ms(moment: object) -> int:
    try:
        return round(datetime.fromisoformat(str(moment)).timestamp() * 1000)
    except ValueError:
        return now_ms()
