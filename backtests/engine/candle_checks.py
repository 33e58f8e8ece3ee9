"""Refuse candles that a backtest can't trust, at the speed of a kernel."""

from dataclasses import fields
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from backtests.engine.compiled import compiled
from backtests.engine.errors import EngineError
from market_data.candles import CandleError, Candles, FloatArray, IntArray, validate

_COLUMNS: dict[str, np.dtype[Any]] = {
    field.name: np.dtype(np.int64 if field.name == "open_time_ms" else np.float64)
    for field in fields(Candles)
}


@compiled
def _breaks_a_rule(
    open_time_ms: IntArray,
    open_: FloatArray,
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    volume: FloatArray,
) -> tuple[bool, int]:
    """Whether any bar breaks a rule, and the shortest step between bars; branch-free, to vectorise."""
    broken = 0
    shortest = 2**62
    for bar in range(close.shape[0]):
        lowest = low[bar]
        highest = high[bar]
        good = (
            (lowest > 0.0)
            & (lowest <= open_[bar])
            & (open_[bar] <= highest)
            & (lowest <= close[bar])
            & (close[bar] <= highest)
            & (highest < np.inf)
            & (volume[bar] >= 0.0)
            & (volume[bar] < np.inf)
        )
        broken |= 1 - good
    for bar in range(1, open_time_ms.shape[0]):
        shortest = min(shortest, open_time_ms[bar] - open_time_ms[bar - 1])
    return broken != 0 or shortest <= 0, shortest


def check_candles(candles: Candles) -> int:
    """Check every rule of a series.

    Returns
    -------
    int
        The interval: the shortest step between two candles, in milliseconds; 0 for a single candle.

    Raises
    ------
    EngineError
        At the first rule that is broken; names the array, the bar and the rule.
    """
    check_shapes(candles)
    broken, shortest_ms = _breaks_a_rule(
        candles.open_time_ms, candles.open, candles.high, candles.low, candles.close, candles.volume
    )
    if broken:
        _name_the_fault(candles)
    return shortest_ms if len(candles) > 1 else 0


def check_shapes(candles: Candles) -> None:
    """Check that all arrays are one-dimensional, contiguous, of the right type and one length, and not empty.

    Raises
    ------
    EngineError
        Names the array and the rule.
    """
    n_bars = len(candles.open_time_ms)
    if n_bars == 0:
        raise EngineError("there are no candles")
    for name, wanted in _COLUMNS.items():
        if not _is_vector(getattr(candles, name), wanted, n_bars):
            _name_the_fault(candles)


def _is_vector(array: object, dtype: np.dtype[Any], n_bars: int) -> bool:
    if not isinstance(array, np.ndarray):
        return False
    array = cast("NDArray[Any]", array)
    return array.dtype == dtype and array.shape == (n_bars,) and array.flags.c_contiguous


def _name_the_fault(candles: Candles) -> None:
    try:
        validate(candles)
    except CandleError as error:
        raise EngineError(str(error)) from error
    raise AssertionError("the kernel and market_data.candles.validate disagree on the rules of a series")


def same_kind_of_memory(candles: Candles) -> Candles:
    """The candles, read-only or unaligned arrays copied: numba would compile every kernel anew for those."""
    arrays = [getattr(candles, name) for name in _COLUMNS]
    if all(array.flags.writeable and array.flags.aligned for array in arrays):
        return candles
    return Candles(*(np.require(array, requirements=["C", "A", "W", "O"]) for array in arrays))
