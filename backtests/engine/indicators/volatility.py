"""How far prices spread. All return NaN where no value exists yet, and have the length of their input."""

import numpy as np

from backtests.engine.compiled import compiled
from backtests.engine.indicators.blank import blank
from market_data.candles import FloatArray

LARGEST_LOSS = 1e2
"""A square that leaves a sum and is this much larger than the rest takes two of its sixteen digits along."""


@compiled
def _sums(values: FloatArray, first: int, end: int, center: float) -> tuple[float, float]:
    """Sum and sum of squares of the differences to `center`."""
    total = 0.0
    squares = 0.0
    for bar in range(first, end):
        difference = values[bar] - center
        total += difference
        squares += difference * difference
    return total, squares


@compiled
def mean_and_deviation(values: FloatArray, period: int) -> tuple[FloatArray, FloatArray]:
    """Mean and population standard deviation of the last `period` values; first valid at `period − 1`.

    Running sums of differences to a value of the window, taken anew every `period` bars and when a value
    leaves beside which the rest is small: rounding stays at the scale of the deviation, not of the price.
    Where all values are equal, the deviation is exactly 0.
    """
    n_bars = values.shape[0]
    means = blank(n_bars, period - 1)
    deviations = blank(n_bars, period - 1)
    weight = 1.0 / period
    equal = 1  # how many of the newest values are equal
    for bar in range(1, min(period - 1, n_bars)):
        equal = equal + 1 if values[bar] == values[bar - 1] else 1
    center = 0.0
    total = 0.0
    squares = 0.0
    fresh_until = 0
    for bar in range(period - 1, n_bars):
        is_stale = bar >= fresh_until
        if not is_stale:
            added = values[bar] - center
            gone = values[bar - period] - center
            total += added - gone
            squares += added * added - gone * gone
            is_stale = gone * gone > LARGEST_LOSS * squares
        if is_stale:
            center = values[bar]
            total, squares = _sums(values, bar - period + 1, bar + 1, center)
            fresh_until = bar + period
        if bar > 0:
            equal = equal + 1 if values[bar] == values[bar - 1] else 1
        mean = total * weight
        variance = max(squares * weight - mean * mean, 0.0)
        means[bar] = center + mean if equal < period else values[bar]
        deviations[bar] = np.sqrt(variance) if equal < period else 0.0
    return means, deviations


@compiled
def atr(high: FloatArray, low: FloatArray, close: FloatArray, period: int) -> FloatArray:
    """Average true range by Wilder (1978); first valid at `period`: the first bar has no close before it."""
    n_bars = close.shape[0]
    values = blank(n_bars, period)
    if n_bars <= period:
        return values
    average = 0.0
    for bar in range(1, period + 1):
        average += max(high[bar], close[bar - 1]) - min(low[bar], close[bar - 1])
    average /= period
    values[period] = average
    new = 1.0 / period
    old = 1.0 - new
    for bar in range(period + 1, n_bars):
        true_range = max(high[bar], close[bar - 1]) - min(low[bar], close[bar - 1])
        average = average * old + true_range * new
        values[bar] = average
    return values


@compiled
def highest(values: FloatArray, period: int) -> FloatArray:
    """Highest of the last `period` values; first valid at `period − 1`.

    Three comparisons a bar for any period (van Herk 1992; Gil and Werman 1993): a window is the end of one
    block and the beginning of the next.
    """
    n_bars = values.shape[0]
    extremes = blank(n_bars, period - 1)
    ends = np.empty(period)
    for block in range(0, n_bars - period + 1, period):
        extreme = values[block + period - 1]
        for offset in range(period - 1, -1, -1):
            extreme = max(extreme, values[block + offset])
            ends[offset] = extreme
        extremes[block + period - 1] = ends[0]
        if block + period >= n_bars:
            break
        beginning = values[block + period]
        for offset in range(1, min(period, n_bars - block - period + 1)):
            beginning = max(beginning, values[block + period + offset - 1])
            extremes[block + period + offset - 1] = max(ends[offset], beginning)
    return extremes


@compiled
def lowest(values: FloatArray, period: int) -> FloatArray:
    """Lowest of the last `period` values; first valid at `period − 1`. Computed as `highest` is."""
    n_bars = values.shape[0]
    extremes = blank(n_bars, period - 1)
    ends = np.empty(period)
    for block in range(0, n_bars - period + 1, period):
        extreme = values[block + period - 1]
        for offset in range(period - 1, -1, -1):
            extreme = min(extreme, values[block + offset])
            ends[offset] = extreme
        extremes[block + period - 1] = ends[0]
        if block + period >= n_bars:
            break
        beginning = values[block + period]
        for offset in range(1, min(period, n_bars - block - period + 1)):
            beginning = min(beginning, values[block + period + offset - 1])
            extremes[block + period + offset - 1] = min(ends[offset], beginning)
    return extremes
