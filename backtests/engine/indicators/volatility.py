"""How far prices spread. All return NaN where no value exists yet, and have the length of their input."""

import numpy as np

from backtests.engine.compiled import compiled
from market_data.candles import FloatArray


@compiled
def mean_and_deviation(values: FloatArray, period: int) -> tuple[FloatArray, FloatArray]:
    """Mean and population standard deviation of the last `period` values; first valid at `period − 1`.

    Sums are of differences to a value of the window, and taken anew every `period` bars: cancellation stays
    at the scale of the deviation, not of the price. Where all values are equal, the deviation is exactly 0.
    """
    n_bars = values.shape[0]
    means = np.full(n_bars, np.nan)
    deviations = np.full(n_bars, np.nan)
    weight = 1.0 / period
    same_since = 0  # the first bar of the current run of equal values
    for block in range(period - 1, n_bars, period):
        center = values[block]
        total = 0.0
        squares = 0.0
        for bar in range(block - period + 1, block + 1):
            difference = values[bar] - center
            total += difference
            squares += difference * difference
            if bar > 0 and values[bar] != values[bar - 1]:
                same_since = bar
        for bar in range(block, min(block + period, n_bars)):
            if bar > block:
                added = values[bar] - center
                gone = values[bar - period] - center
                total += added - gone
                squares += added * added - gone * gone
                if values[bar] != values[bar - 1]:
                    same_since = bar
            if bar - same_since + 1 >= period:
                means[bar] = values[bar]
                deviations[bar] = 0.0
            else:
                mean = total * weight
                means[bar] = center + mean
                deviations[bar] = np.sqrt(max(squares * weight - mean * mean, 0.0))
    return means, deviations


@compiled
def atr(high: FloatArray, low: FloatArray, close: FloatArray, period: int) -> FloatArray:
    """Average true range by Wilder (1978); first valid at `period`: the first bar has no close before it."""
    n_bars = close.shape[0]
    values = np.full(n_bars, np.nan)
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
    extremes = np.full(n_bars, np.nan)
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
    extremes = np.full(n_bars, np.nan)
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
