"""Momentum indicators. All return NaN where no value exists yet, and have the length of their input."""

import numpy as np

from backtests.engine.compiled import compiled
from market_data.candles import FloatArray


@compiled
def rsi(close: FloatArray, period: int) -> FloatArray:
    """Relative strength index, `100 · gain / (gain + loss)` with Wilder's averages; first valid at `period`.

    Wilder, "New Concepts in Technical Trading Systems" (1978). 0 where nothing moved at all, as in TA-Lib.
    """
    n_bars = close.shape[0]
    values = np.full(n_bars, np.nan)
    if n_bars <= period:
        return values
    gain = 0.0
    loss = 0.0
    for bar in range(1, period + 1):
        change = close[bar] - close[bar - 1]
        gain += max(change, 0.0)
        loss += max(-change, 0.0)
    old = (period - 1.0) / period
    new = 1.0 / period
    gain *= new
    loss *= new
    values[period] = 100.0 * gain / (gain + loss) if gain + loss > 0.0 else 0.0
    for bar in range(period + 1, n_bars):
        change = close[bar] - close[bar - 1]
        gain = gain * old + max(change, 0.0) * new
        loss = loss * old + max(-change, 0.0) * new
        both = gain + loss
        values[bar] = 100.0 * gain / both if both > 0.0 else 0.0
    return values
