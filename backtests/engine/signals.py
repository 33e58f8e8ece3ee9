"""What a strategy says at the close of each bar."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backtests.engine.compiled import compiled
from backtests.engine.errors import EngineError

# Cached kernels have these built in: never change them.
ENTER_LONG = 1
EXIT_LONG = 2
ENTER_SHORT = 4
EXIT_SHORT = 8
_ALL = ENTER_LONG | EXIT_LONG | ENTER_SHORT | EXIT_SHORT
_BOTH_ENTRIES = ENTER_LONG | ENTER_SHORT

Flags = NDArray[np.uint8]
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Signals:
    """One byte a bar: a sum of `ENTER_LONG`, `EXIT_LONG`, `ENTER_SHORT` and `EXIT_SHORT`; 0 says nothing.

    Attributes
    ----------
    flags : (n_bars,) uint8
        What the strategy says at the close of each bar.
    """

    flags: Flags

    def __len__(self) -> int:
        return len(self.flags)

    @classmethod
    def of(
        cls,
        *,
        enter_long: BoolArray | None = None,
        exit_long: BoolArray | None = None,
        enter_short: BoolArray | None = None,
        exit_short: BoolArray | None = None,
    ) -> "Signals":
        """Signals from boolean arrays of one length; what is left out is never said.

        Raises
        ------
        EngineError
            If an array is not boolean or not one-dimensional, or lengths differ; names the array.
        """
        columns = {
            "enter_long": (enter_long, ENTER_LONG),
            "exit_long": (exit_long, EXIT_LONG),
            "enter_short": (enter_short, ENTER_SHORT),
            "exit_short": (exit_short, EXIT_SHORT),
        }
        given = {name: (array, flag) for name, (array, flag) in columns.items() if array is not None}
        if not given:
            raise EngineError("signals need at least one array, for example enter_long")
        n_bars = len(next(iter(given.values()))[0])
        flags = np.zeros(n_bars, dtype=np.uint8)
        for name, (array, flag) in given.items():
            _check_column(name, array, n_bars)
            flags |= array.view(np.uint8) * np.uint8(flag)
        return cls(flags)


def _check_column(name: str, array: BoolArray, n_bars: int) -> None:
    if not isinstance(array, np.ndarray) or array.ndim != 1:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise EngineError(f"{name} must be a one-dimensional NumPy array of bool")
    if array.dtype != np.bool_:
        raise EngineError(f"{name} must be bool, not {array.dtype}{_first_nan(array)}")
    if len(array) != n_bars:
        raise EngineError(f"{name} has {len(array)} values, the first array has {n_bars}")


def _first_nan(array: NDArray[np.generic]) -> str:
    if not np.issubdtype(array.dtype, np.floating):
        return ""
    bars = np.flatnonzero(np.isnan(array))
    return f"; it is NaN at bar {bars[0]}" if bars.size else ""


def check_signals(signals: Signals, n_bars: int) -> None:
    """Check that signals fit a series of `n_bars` bars and never ask for both sides at once.

    Raises
    ------
    EngineError
        Names the rule and the first bar that breaks it.
    """
    flags = signals.flags
    if not isinstance(flags, np.ndarray) or flags.ndim != 1 or flags.dtype != np.uint8:  # pyright: ignore[reportUnnecessaryIsInstance]
        raise EngineError("signals must be a one-dimensional uint8 array; Signals.of() makes one")
    if len(flags) != n_bars:
        raise EngineError(f"signals have {len(flags)} values, the candles have {n_bars} bars")
    if not flags.flags.c_contiguous:
        raise EngineError("signals must be contiguous")
    if _holds_a_bad_flag(np.require(flags, requirements=["A", "W"])):
        _name_the_bad_flag(flags)


@compiled
def _holds_a_bad_flag(flags: Flags) -> bool:
    bad = False
    for bar in range(flags.shape[0]):
        bad |= (flags[bar] > _ALL) | (flags[bar] & _BOTH_ENTRIES == _BOTH_ENTRIES)
    return bad


def _name_the_bad_flag(flags: Flags) -> None:
    unknown = flags > _ALL
    if unknown.any():
        bar = int(unknown.argmax())
        raise EngineError(f"signals hold an unknown flag: {flags[bar]} at bar {bar}")
    both = (flags & _BOTH_ENTRIES) == _BOTH_ENTRIES
    raise EngineError(f"signals enter long and short at once at bar {both.argmax()}")
