"""A market of stored candles that are played again, one stored candle a minute, on today's clock.

Minute `n` since 1970 has the prices of the stored candle `n` modulo their number: forwards, then backwards,
and so on, so that no price leaps where the candles begin again. So every exchange that plays the same candles
has the same history, whenever it was started: whoever missed a candle can ask for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from market_data.aggregation import aggregate, next_period
from market_data.candles import Candles, FloatArray
from market_data.intervals import DAY_MS, MINUTE_MS

MOST_DECIMALS = 8
_DAY_MINUTES = DAY_MS // MINUTE_MS


@dataclass(frozen=True, slots=True)
class Ticker:
    """A symbol's price and its last 24 hours.

    Attributes
    ----------
    open
        The price 24 hours ago.
    volume, quote_volume
        In coins and in quote currency.
    """

    symbol: str
    price: float
    open: float
    high: float
    low: float
    volume: float
    quote_volume: float


class ReplayMarket:
    """Candles and prices of the symbols whose stored candles it is given, at any time.

    Attributes
    ----------
    is_made_up
        Whether the candles stand in for those that the store does not have yet.
    """

    def __init__(self, stored: Mapping[str, Candles], *, is_made_up: bool = False) -> None:
        self.is_made_up = is_made_up
        self._loops = {symbol: _Loop(candles) for symbol, candles in stored.items() if len(candles)}

    @property
    def symbols(self) -> list[str]:
        """What it trades."""
        return list(self._loops)

    def ticker(self, symbol: str, at_ms: int) -> Ticker:
        """Price at a time, and the 24 hours before it."""
        loop, minute = self._loops[symbol], at_ms // MINUTE_MS
        day = loop.minutes(minute - _DAY_MINUTES + 1, minute)
        price = loop.price(at_ms)
        return Ticker(
            symbol=symbol,
            price=price,
            open=float(day.open[0]),
            high=max(float(day.high.max()), price),
            low=min(float(day.low.min()), price),
            volume=round(float(day.volume.sum()), 3),
            quote_volume=round(float((day.volume * day.close).sum()), 3),
        )

    def candles(self, symbol: str, interval: str, start_ms: int, end_ms: int, at_ms: int) -> Candles:
        """Candles with `start_ms <= open time < end_ms` as they are at a time: the last may still grow."""
        first = next_period(start_ms, interval) // MINUTE_MS
        stop = min(next_period(end_ms, interval) // MINUTE_MS, at_ms // MINUTE_MS + 1)
        minutes = self._loops[symbol].minutes(first, max(stop, first))
        whole = minutes if interval == "1m" else aggregate(minutes, interval)
        return replace(whole, volume=np.round(whole.volume, 3))


class _Loop:
    """One symbol's stored candles, forwards and backwards for ever."""

    def __init__(self, candles: Candles) -> None:
        self._forwards = candles
        self._decimals = _decimals(candles.close)

    def minutes(self, start: int, stop: int) -> Candles:
        """The candles of minutes `start` to `stop` (exclusive) since 1970."""
        numbers = np.arange(start, stop, dtype=np.int64)
        count = len(self._forwards)
        at = numbers % (2 * count)
        back = at >= count
        bar = np.where(back, 2 * count - 1 - at, at)
        stored = self._forwards
        opened, closed = stored.open[bar], stored.close[bar]
        return Candles(
            numbers * MINUTE_MS,
            np.where(back, closed, opened),
            stored.high[bar],
            stored.low[bar],
            np.where(back, opened, closed),
            stored.volume[bar],
        )

    def price(self, at_ms: int) -> float:
        """The price inside a minute: from open to close by way of both extremes, the nearer one first."""
        minute = self.minutes(at_ms // MINUTE_MS, at_ms // MINUTE_MS + 1)
        opened, high, low, close = (
            float(one[0]) for one in (minute.open, minute.high, minute.low, minute.close)
        )
        way = [opened, low, high, close] if close >= opened else [opened, high, low, close]
        share = 3 * (at_ms % MINUTE_MS) / MINUTE_MS
        leg = min(int(share), 2)
        price = way[leg] + (way[leg + 1] - way[leg]) * (share - leg)
        return min(max(round(price, self._decimals), low), high)


def _decimals(prices: FloatArray) -> int:
    """How many decimals the prices have."""
    some = prices[-500:]
    return next(
        (digits for digits in range(MOST_DECIMALS) if np.array_equal(np.round(some, digits), some)),
        MOST_DECIMALS,
    )
