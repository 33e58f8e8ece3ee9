"""Candles as NumPy arrays: the one form in which prices travel from the store to the engine."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


class CandleError(ValueError):
    """Candles that break a rule; the message names the array, the bar and the rule."""


@dataclass(frozen=True, slots=True, eq=False)
class Candles:
    """Candles of one cryptocurrency at one interval, oldest first.

    Attributes
    ----------
    open_time_ms : (n_bars,) int64
        Open time of each candle, milliseconds since 1970 UTC, strictly rising. Gaps are allowed.
    open, high, low, close : (n_bars,) float64
        Prices in quote currency, positive, `low <= open, close <= high`.
    volume : (n_bars,) float64
        Traded volume in units of the coin, never negative.
    """

    open_time_ms: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray

    def __len__(self) -> int:
        return len(self.open_time_ms)

    def bars(self, start: int, stop: int) -> "Candles":
        """Bars `start` to `stop` (exclusive) as views on the same memory."""
        return Candles(*(getattr(self, field.name)[start:stop] for field in fields(self)))

    def bar_at(self, time_ms: int) -> int:
        """The first bar that opens at `time_ms` or later; `len(self)` if there is none."""
        return int(np.searchsorted(self.open_time_ms, time_ms, side="left"))

    def between(self, start_ms: int, end_ms: int) -> "Candles":
        """Candles with `start_ms <= open time < end_ms`, as views on the same memory."""
        return self.bars(self.bar_at(start_ms), self.bar_at(end_ms))


def validate(candles: Candles) -> None:
    """Check every rule of a series.

    Raises
    ------
    CandleError
        At the first rule that is broken; names the array, the bar and the rule.
    """
    _check_shapes(candles)
    _check_times(candles.open_time_ms)
    for name in ("open", "high", "low", "close"):
        prices: FloatArray = getattr(candles, name)
        _refuse(~((prices > 0.0) & (prices < np.inf)), name, prices, "must be positive and finite")
    _refuse(
        ~((candles.volume >= 0.0) & (candles.volume < np.inf)),
        "volume",
        candles.volume,
        "must be finite and not negative",
    )
    top = np.maximum(candles.open, candles.close)
    bottom = np.minimum(candles.open, candles.close)
    _refuse(candles.high < top, "high", candles.high, "must not be below open or close")
    _refuse(candles.low > bottom, "low", candles.low, "must not be above open or close")


def _check_shapes(candles: Candles) -> None:
    for field in fields(candles):
        array = getattr(candles, field.name)
        wanted = np.int64 if field.name == "open_time_ms" else np.float64
        if not isinstance(array, np.ndarray) or array.ndim != 1 or array.dtype != wanted:
            raise CandleError(f"{field.name} must be a one-dimensional {np.dtype(wanted)} array")
        if not array.flags.c_contiguous:
            raise CandleError(f"{field.name} must be contiguous")
        if len(array) != len(candles.open_time_ms):
            raise CandleError(
                f"{field.name} has {len(array)} values, open_time_ms has {len(candles.open_time_ms)}"
            )


def _check_times(open_time_ms: IntArray) -> None:
    not_rising = np.flatnonzero(open_time_ms[1:] <= open_time_ms[:-1])
    if not_rising.size:
        bar = int(not_rising[0]) + 1
        raise CandleError(
            f"open_time_ms must rise: {open_time_ms[bar]} at bar {bar} follows {open_time_ms[bar - 1]}"
        )


def _refuse(broken: NDArray[np.bool_], name: str, values: FloatArray, rule: str) -> None:
    bars = np.flatnonzero(broken)
    if bars.size:
        raise CandleError(f"{name} {rule}: {values[bars[0]]} at bar {bars[0]}")
