"""Momentum indicators. All return NaN where no value exists yet, and have the length of their input."""

import numpy as np

from backtests.engine.compiled import compiled
from backtests.engine.indicators.blank import blank
from market_data.candles import FloatArray


@compiled
def _share_of_gain(gain: float, loss: float, unmoved: float) -> float:
    return 100.0 * gain / (gain + loss) if gain + loss > 0.0 else unmoved


@compiled
def rsi(close: FloatArray, period: int) -> FloatArray:
    """Relative strength index, `100 · gain / (gain + loss)` with Wilder's averages; first valid at `period`.

    Wilder, "New Concepts in Technical Trading Systems" (1978). 0 where nothing moved at all, as in TA-Lib.
    """
    n_bars = close.shape[0]
    values = blank(n_bars, period)
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
    values[period] = _share_of_gain(gain, loss, 0.0)
    for bar in range(period + 1, n_bars):
        change = close[bar] - close[bar - 1]
        gain = gain * old + max(change, 0.0) * new
        loss = loss * old + max(-change, 0.0) * new
        values[bar] = _share_of_gain(gain, loss, 0.0)
    return values


@compiled
def simple_rsi(close: FloatArray, period: int) -> FloatArray:
    """Relative strength index with simple averages of the last `period` changes; first valid at `period`.

    Cutler's variant: unlike Wilder's it forgets a change after `period` bars. NaN where nothing moved in that
    time. Both sums are taken anew every `period` bars, and a sum of no changes at all is exactly 0.
    """
    n_bars = close.shape[0]
    values = blank(n_bars, period)
    for block in range(period, n_bars, period):
        gain = 0.0
        loss = 0.0
        rises = 0
        falls = 0
        for bar in range(block - period + 1, block + 1):
            change = close[bar] - close[bar - 1]
            gain += max(change, 0.0)
            loss += max(-change, 0.0)
            rises += change > 0.0
            falls += change < 0.0
        values[block] = _share_of_gain(gain, loss, np.nan)
        for bar in range(block + 1, min(block + period, n_bars)):
            change = close[bar] - close[bar - 1]
            gone = close[bar - period] - close[bar - period - 1]
            rises += (change > 0.0) - (gone > 0.0)
            falls += (change < 0.0) - (gone < 0.0)
            gain = gain + max(change, 0.0) - max(gone, 0.0) if rises > 0 else 0.0
            loss = loss + max(-change, 0.0) - max(-gone, 0.0) if falls > 0 else 0.0
            values[bar] = _share_of_gain(gain, loss, np.nan)
    return values


@compiled
def macd(close: FloatArray, fast: int, slow: int, signal: int) -> tuple[FloatArray, FloatArray]:
    """The MACD line, `ema(fast) − ema(slow)`, and its exponential average over `signal` bars (Appel 1979).

    As in TA-Lib both averages start at `slow − 1`, from simple averages. The line is valid from there on, the
    signal line from `slow + signal − 2` on.
    """
    n_bars = close.shape[0]
    line = blank(n_bars, slow - 1)
    smooth = blank(n_bars, slow + signal - 2)
    if n_bars < slow:
        return line, smooth
    fast_average = 0.0
    slow_average = 0.0
    for bar in range(slow):
        fast_average += close[bar] / fast if bar >= slow - fast else 0.0
        slow_average += close[bar] / slow
    fast_new = 2.0 / (fast + 1.0)
    slow_new = 2.0 / (slow + 1.0)
    signal_new = 2.0 / (signal + 1.0)
    line[slow - 1] = fast_average - slow_average
    total = line[slow - 1]
    start = slow + signal - 2
    for bar in range(slow, min(start + 1, n_bars)):
        fast_average = fast_average * (1.0 - fast_new) + close[bar] * fast_new
        slow_average = slow_average * (1.0 - slow_new) + close[bar] * slow_new
        line[bar] = fast_average - slow_average
        total += line[bar]
    if n_bars <= start:
        return line, smooth
    average = total / signal
    smooth[start] = average
    for bar in range(start + 1, n_bars):
        fast_average = fast_average * (1.0 - fast_new) + close[bar] * fast_new
        slow_average = slow_average * (1.0 - slow_new) + close[bar] * slow_new
        difference = fast_average - slow_average
        average = average * (1.0 - signal_new) + difference * signal_new
        line[bar] = difference
        smooth[bar] = average
    return line, smooth


@compiled
def roc(values: FloatArray, period: int) -> FloatArray:
    """Rate of change in percent, `100 · (value / value `period` bars ago − 1)`; first valid at `period`."""
    n_bars = values.shape[0]
    changes = blank(n_bars, period)
    for bar in range(period, n_bars):
        changes[bar] = 100.0 * (values[bar] / values[bar - period] - 1.0)
    return changes
