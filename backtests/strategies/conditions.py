"""From indicator values to signals, in one pass each. NaN meets no condition."""

import numpy as np

from backtests.engine.compiled import compiled
from backtests.engine.signals import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT, Flags
from market_data.candles import FloatArray

ROUNDING = 1e-12
"""Averages of unmoved prices differ by less than this share of the price, others by more."""

_LONG = ENTER_LONG | EXIT_SHORT
_SHORT = ENTER_SHORT | EXIT_LONG


@compiled
def crossings(fast: FloatArray, slow: FloatArray, close: FloatArray) -> Flags:
    """Long when `fast` crosses above `slow`, short when it crosses below; each leaves the other side.

    A cross needs a valid bar before it. Touching is no cross: while both are equal, but for rounding at the
    scale of the price, the side before counts.
    """
    n_bars = fast.shape[0]
    flags = np.zeros(n_bars, dtype=np.uint8)
    above = 0
    for bar in range(n_bars):
        difference = fast[bar] - slow[bar]
        rounding = ROUNDING * close[bar]
        if difference > rounding:
            if above < 0:
                flags[bar] = _LONG
            above = 1
        elif difference < -rounding:
            if above > 0:
                flags[bar] = _SHORT
            above = -1
    return flags


@compiled
def beyond(values: FloatArray, low: float, high: float, follow: bool) -> Flags:
    """At every bar beyond a level: long above `high`, short below `low` if `follow`, else the other way.

    Each leaves the other side.
    """
    n_bars = values.shape[0]
    flags = np.empty(n_bars, dtype=np.uint8)
    above = np.uint8(_LONG if follow else _SHORT)
    below = np.uint8(_SHORT if follow else _LONG)
    nothing = np.uint8(0)
    for bar in range(n_bars):
        flags[bar] = (above if values[bar] > high else nothing) | (below if values[bar] < low else nothing)
    return flags


@compiled
def reversions(
    close: FloatArray, mean: FloatArray, deviation: FloatArray, entry: float, leave: float
) -> Flags:
    """Long below `mean − entry · deviation`, left above `mean − leave · deviation`; shorts mirror that.

    Where nothing deviates, nothing is said.
    """
    n_bars = close.shape[0]
    flags = np.zeros(n_bars, dtype=np.uint8)
    for bar in range(n_bars):
        away = close[bar] - mean[bar]
        far = entry * deviation[bar]
        near = leave * deviation[bar]
        if deviation[bar] > 0.0:
            flags[bar] = (
                (ENTER_LONG if away < -far else 0)
                | (EXIT_LONG if away > -near else 0)
                | (ENTER_SHORT if away > far else 0)
                | (EXIT_SHORT if away < near else 0)
            )
    return flags


@compiled
def breakouts(close: FloatArray, middle: FloatArray, width: FloatArray, factor: float) -> Flags:
    """Long above `middle + factor · width`, left below the middle; shorts mirror that.

    Where the channel has no width, or the close is at the middle but for rounding, nothing is said.
    """
    n_bars = close.shape[0]
    flags = np.zeros(n_bars, dtype=np.uint8)
    for bar in range(n_bars):
        away = close[bar] - middle[bar]
        far = factor * width[bar]
        if width[bar] > 0.0 and abs(away) > ROUNDING * close[bar]:
            flags[bar] = (
                (ENTER_LONG if away > far else 0)
                | (EXIT_LONG if away < 0.0 else 0)
                | (ENTER_SHORT if away < -far else 0)
                | (EXIT_SHORT if away > 0.0 else 0)
            )
    return flags


@compiled
def range_breaks(
    close: FloatArray,
    entry_high: FloatArray,
    entry_low: FloatArray,
    exit_high: FloatArray,
    exit_low: FloatArray,
) -> Flags:
    """Long above the entry range of the bars before, left below the exit range; shorts mirror that."""
    n_bars = close.shape[0]
    flags = np.zeros(n_bars, dtype=np.uint8)
    for bar in range(1, n_bars):
        price = close[bar]
        flags[bar] = (
            (ENTER_LONG if price > entry_high[bar - 1] else 0)
            | (EXIT_LONG if price < exit_low[bar - 1] else 0)
            | (ENTER_SHORT if price < entry_low[bar - 1] else 0)
            | (EXIT_SHORT if price > exit_high[bar - 1] else 0)
        )
    return flags
