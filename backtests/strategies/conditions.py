"""From indicator values to signals, in one pass each. NaN meets no condition."""

import numpy as np

from backtests.engine.compiled import compiled
from backtests.engine.signals import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT, Flags
from market_data.candles import FloatArray


@compiled
def crossings(fast: FloatArray, slow: FloatArray) -> Flags:
    """Long when `fast` crosses above `slow`, short when it crosses below; each leaves the other side.

    A cross needs a valid bar before it. Touching is no cross: after equality the side before it counts.
    """
    n_bars = fast.shape[0]
    flags = np.zeros(n_bars, dtype=np.uint8)
    above = 0
    for bar in range(n_bars):
        difference = fast[bar] - slow[bar]
        if difference > 0.0:
            if above < 0:
                flags[bar] = ENTER_LONG | EXIT_SHORT
            above = 1
        elif difference < 0.0:
            if above > 0:
                flags[bar] = ENTER_SHORT | EXIT_LONG
            above = -1
    return flags


@compiled
def reversals(values: FloatArray, low: float, high: float) -> Flags:
    """Long below `low`, short above `high`; each leaves the other side."""
    n_bars = values.shape[0]
    flags = np.empty(n_bars, dtype=np.uint8)
    for bar in range(n_bars):
        value = values[bar]
        flags[bar] = (value < low) * (ENTER_LONG | EXIT_SHORT) + (value > high) * (ENTER_SHORT | EXIT_LONG)
    return flags
