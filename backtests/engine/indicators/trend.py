"""Strength of a trend. Returns NaN where no value exists yet, and has the length of its input."""

from backtests.engine.compiled import compiled
from backtests.engine.indicators.blank import blank
from market_data.candles import FloatArray


@compiled
def adx(high: FloatArray, low: FloatArray, close: FloatArray, period: int) -> FloatArray:
    """Average directional index by Wilder (1978), 0 … 100; first valid at `2 · period − 1`.

    Starts as TA-Lib does: sums over the first `period − 1` changes, then the mean of `period` directional
    indexes. Where nothing moved, the last value is kept.
    """
    n_bars = close.shape[0]
    values = blank(n_bars, 2 * period - 1)
    if n_bars < 2 * period:
        return values
    rises = 0.0
    falls = 0.0
    ranges = 0.0
    average = 0.0
    keep = 1.0 - 1.0 / period
    for bar in range(1, n_bars):
        if bar >= period:
            rises *= keep
            falls *= keep
            ranges *= keep
        rise = high[bar] - high[bar - 1]
        fall = low[bar - 1] - low[bar]
        if fall > 0.0 and rise < fall:
            falls += fall
        elif rise > 0.0 and rise > fall:
            rises += rise
        ranges += max(high[bar], close[bar - 1]) - min(low[bar], close[bar - 1])
        if bar < period:
            continue
        both = rises + falls
        moves = ranges > 0.0 and both > 0.0
        index = 100.0 * abs(falls - rises) / both if moves else 0.0
        if bar < 2 * period:
            average += index / period
        elif moves:
            average = average * keep + index / period
        if bar >= 2 * period - 1:
            values[bar] = average
    return values
