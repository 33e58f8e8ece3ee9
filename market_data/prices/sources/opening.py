"""Sources by the names that settings give them."""

import re
from collections.abc import Sequence

from django.conf import settings

from market_data.errors import MarketDataError
from market_data.prices.sources.binance import REST_URL, STREAM_URL, BinanceSource
from market_data.prices.sources.coingecko import URL, CoinGeckoSource
from market_data.prices.sources.polling import CcxtSource
from market_data.prices.sources.protocol import Source

REPLAY = "replay"
MOST = 3
_CCXT = re.compile(r"ccxt:([a-z0-9]+)")


class UnknownSourceError(MarketDataError):
    """Settings name a source that there is not."""


def check_names(names: Sequence[str]) -> None:
    """Raise UnknownSourceError unless these are one to three different sources."""
    if not 1 <= len(names) <= MOST or len(set(names)) < len(names):
        raise UnknownSourceError(
            f"PRICE_SOURCES names one to {MOST} different sources, the first the primary one; "
            f"it is {','.join(names)!r}."
        )
    for name in names:
        if name not in ("binance", "coingecko", REPLAY) and not _CCXT.fullmatch(name):
            raise UnknownSourceError(
                f"PRICE_SOURCES: there is no source {name!r}; there are binance, coingecko, "
                f"ccxt:NAME for any exchange of ccxt, and {REPLAY}."
            )


def open_source(name: str, *, replay_url: str = "") -> Source:
    """A source; `EXCHANGE_URLS` may send it to another host."""
    urls = settings.EXCHANGE_URLS
    if name == REPLAY:
        stream_url = replay_url.replace("http", "ws", 1)
        return BinanceSource(REPLAY, stream_url=stream_url, rest_url=replay_url, is_replay=True)
    if name == "binance":
        return BinanceSource(
            stream_url=urls.get("binance-stream", STREAM_URL), rest_url=urls.get("binance", REST_URL)
        )
    if name == "coingecko":
        return CoinGeckoSource(url=urls.get("coingecko", URL))
    exchange = name.removeprefix("ccxt:")
    return CcxtSource(exchange, url=urls.get(exchange))
