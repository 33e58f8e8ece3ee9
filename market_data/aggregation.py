"""Coarser candles from finer ones: worked out on read, fast enough not to be stored."""

import numpy as np

from market_data.candles import Candles, IntArray
from market_data.intervals import INTERVAL_MS, anchor_ms


def finer_intervals(interval: str) -> list[str]:
    """The intervals that candles of this one can be made of, finest first."""
    length = INTERVAL_MS[interval]
    return [name for name, finer in INTERVAL_MS.items() if finer < length and length % finer == 0]


def start_of_period(time_ms: int, interval: str) -> int:
    """The open time of the candle that a time lies in: whole intervals since 1970, weeks from Monday on."""
    length, anchor = INTERVAL_MS[interval], anchor_ms(interval)
    return (time_ms - anchor) // length * length + anchor


def next_period(time_ms: int, interval: str) -> int:
    """The first candle's open time that is not before a time."""
    return start_of_period(time_ms + INTERVAL_MS[interval] - 1, interval)


def aggregate(candles: Candles, interval: str) -> Candles:
    """Candles of `interval` from finer ones whose interval divides it.

    A period gets a candle when there is at least one finer candle in it: holes stay holes. A period that is
    cut off at either end of `candles` gives a candle of what is there.
    """
    if not len(candles):
        return candles
    periods: IntArray = (candles.open_time_ms - anchor_ms(interval)) // INTERVAL_MS[interval]
    starts = np.flatnonzero(np.diff(periods, prepend=periods[:1] - 1))
    ends = np.append(starts[1:], len(candles)) - 1
    return Candles(
        periods[starts] * INTERVAL_MS[interval] + anchor_ms(interval),
        candles.open[starts],
        np.maximum.reduceat(candles.high, starts),
        np.minimum.reduceat(candles.low, starts),
        candles.close[ends],
        np.add.reduceat(candles.volume, starts),
    )
