"""What Binance's REST interface and streams say, as far as a market of prices and candles can say it."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from market_data.candles import Candles
from market_data.intervals import DAY_MS, INTERVAL_MS
from market_data.prices.replay.market import Ticker
from market_data.symbols import split_symbol


def markets(symbols: Iterable[str], *, delisted: Iterable[str] = (), time_ms: int = 0) -> dict[str, Any]:
    """`GET /api/v3/exchangeInfo`."""
    gone = set(delisted)
    listed = [_market(symbol, "BREAK" if symbol in gone else "TRADING") for symbol in symbols]
    return {"timezone": "UTC", "serverTime": time_ms, "rateLimits": [], "symbols": listed}


def _market(symbol: str, status: str) -> dict[str, Any]:
    base, quote = split_symbol(symbol)
    return {
        "symbol": symbol,
        "status": status,
        "baseAsset": base,
        "quoteAsset": quote,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "permissions": ["SPOT"],
        "filters": [],
    }


def klines(candles: Candles, interval: str) -> list[list[Any]]:
    """`GET /api/v3/klines`."""
    length = INTERVAL_MS[interval]
    columns = (candles.open, candles.high, candles.low, candles.close, candles.volume)
    rows = zip(candles.open_time_ms.tolist(), *(column.tolist() for column in columns), strict=True)
    return [[at, *map(text, values), at + length - 1, "0", 0, "0", "0", "0"] for at, *values in rows]


def ticker(one: Ticker, at_ms: int) -> dict[str, Any]:
    """One symbol of `GET /api/v3/ticker/24hr`."""
    return {
        "symbol": one.symbol,
        "priceChange": text(one.price - one.open),
        "priceChangePercent": f"{100 * (one.price / one.open - 1):.3f}",
        "lastPrice": text(one.price),
        "openPrice": text(one.open),
        "highPrice": text(one.high),
        "lowPrice": text(one.low),
        "volume": text(one.volume),
        "quoteVolume": text(one.quote_volume),
        "openTime": at_ms - DAY_MS,
        "closeTime": at_ms,
        "count": 0,
    }


def ticker_event(one: Ticker, at_ms: int) -> dict[str, Any]:
    """What the stream `SYMBOL@ticker` sends once a second."""
    data = {
        "e": "24hrTicker",
        "E": at_ms,
        "s": one.symbol,
        "p": text(one.price - one.open),
        "P": f"{100 * (one.price / one.open - 1):.3f}",
        "c": text(one.price),
        "o": text(one.open),
        "h": text(one.high),
        "l": text(one.low),
        "v": text(one.volume),
        "q": text(one.quote_volume),
        "O": at_ms - DAY_MS,
        "C": at_ms,
    }
    return {"stream": f"{one.symbol.lower()}@ticker", "data": data}


def kline_event(symbol: str, interval: str, candles: Candles, bar: int, at_ms: int) -> dict[str, Any]:
    """What the stream `SYMBOL@kline_INTERVAL` sends when a candle closes."""
    open_ms = int(candles.open_time_ms[bar])
    prices = {
        name: text(float(column[bar]))
        for name, column in zip(
            "ohlcv", (candles.open, candles.high, candles.low, candles.close, candles.volume), strict=True
        )
    }
    kline = {"t": open_ms, "T": open_ms + INTERVAL_MS[interval] - 1, "s": symbol, "i": interval, "x": True}
    data = {"e": "kline", "E": at_ms, "s": symbol, "k": {**kline, **prices}}
    return {"stream": f"{symbol.lower()}@kline_{interval}", "data": data}


def text(value: float) -> str:
    """A number as exchanges write it: all its digits, no exponent."""
    return np.format_float_positional(value, trim="0")
