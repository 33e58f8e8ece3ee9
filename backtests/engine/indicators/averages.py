"""Moving averages. All return NaN where no value exists yet, and have the length of their input."""

from backtests.engine.compiled import compiled
from backtests.engine.indicators.blank import blank
from market_data.candles import FloatArray


@compiled
def sma(values: FloatArray, period: int) -> FloatArray:
    """Simple moving average, the mean of the last `period` values; first valid at index `period − 1`.

    The running sum is taken anew every `period` bars, so that no rounding error builds up.
    """
    n_bars = values.shape[0]
    averages = blank(n_bars, period - 1)
    weight = 1.0 / period
    for block in range(period - 1, n_bars, period):
        total = 0.0
        for bar in range(block - period + 1, block + 1):
            total += values[bar]
        averages[block] = total * weight
        for bar in range(block + 1, min(block + period, n_bars)):
            total += values[bar] - values[bar - period]
            averages[bar] = total * weight
    return averages


@compiled
def ema(values: FloatArray, period: int) -> FloatArray:
    """Exponential moving average, the newest value weighing `2 / (period + 1)`; first valid at `period − 1`.

    Starts, as TA-Lib does, from the simple average of the first `period` values.
    """
    n_bars = values.shape[0]
    averages = blank(n_bars, period - 1)
    if n_bars < period:
        return averages
    average = 0.0
    for bar in range(period):
        average += values[bar] / period
    averages[period - 1] = average
    new = 2.0 / (period + 1.0)
    old = 1.0 - new
    for bar in range(period, n_bars):
        average = average * old + values[bar] * new
        averages[bar] = average
    return averages
