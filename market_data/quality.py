"""What can be told about candles by looking at them: gaps, halts, reused symbols, unadjusted redenominations.

Nothing here changes a candle. A warning says what a reader of a result must know before believing the number.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from market_data.candles import Candles, FloatArray, IntArray
from market_data.intervals import HOUR_MS

HALT_MS = 48 * HOUR_MS
"""A hole this long is a halt of the coin, not an outage of the exchange: the longest known took 33 hours."""
JUMP_FACTOR = 5.0
"""A price that changes by more between two candles deserves a look."""
NOTABLE = 1.5
"""A change over a halt that is worth mentioning."""
COLLAPSE_WINDOW_MS = 7 * 24 * HOUR_MS
COLLAPSE = 0.01
"""Below this share of its price of a week ago a coin is dead; a higher price after a halt is another's."""
REUSED_FACTOR = 20_000.0
"""No redenomination is known to be larger."""


class SeriesWarning(TypedDict):
    """One thing to know about a series; times in milliseconds since 1970."""

    code: str
    message: str
    since_ms: int
    at_ms: int
    missing_count: int
    factor: float
    other: NotRequired[str]  # the symbol of the coin on the other side, after a reused symbol has been split


@dataclass(frozen=True, slots=True)
class Counts:
    """Candles that are missing or empty."""

    gap_count: int
    missing_count: int
    zero_volume_count: int


def count(candles: Candles, interval_ms: int) -> Counts:
    """Count the gaps, the candles missing in them, and the candles without volume."""
    missing = missing_before(candles.open_time_ms, interval_ms)
    return Counts(
        gap_count=int(np.count_nonzero(missing)),
        missing_count=int(missing.sum()),
        zero_volume_count=int(np.count_nonzero(candles.volume == 0.0)),
    )


def missing_before(open_time_ms: IntArray, interval_ms: int) -> IntArray:
    """For each candle but the first: how many candles are missing between it and the one before it."""
    return np.maximum(np.diff(open_time_ms) // interval_ms - 1, 0)


def warnings_of(candles: Candles, interval_ms: int) -> list[SeriesWarning]:
    """Everything suspicious between two neighbouring candles, oldest first."""
    if len(candles) < 2:
        return []
    step_ms = np.diff(candles.open_time_ms)
    factor = candles.open[1:] / candles.close[:-1]
    close_factor = candles.close[1:] / candles.close[:-1]
    halted = step_ms - interval_ms >= max(HALT_MS, 2 * interval_ms)
    jumped = _beyond(factor) | _beyond(close_factor)
    return [
        _describe(candles, bar, interval_ms, halted=bool(halted[bar - 1]), jumped=bool(jumped[bar - 1]))
        for bar in (np.flatnonzero(halted | jumped) + 1).tolist()
    ]


def warnings_between(warnings: Sequence[SeriesWarning], start_ms: int, end_ms: int) -> list[SeriesWarning]:
    """Those that a backtest of `start_ms <= open time < end_ms` meets: it trades on both sides of them."""
    return [warning for warning in warnings if start_ms <= warning["since_ms"] and warning["at_ms"] < end_ms]


def replace_between(
    warnings: Sequence[SeriesWarning], fresh: Sequence[SeriesWarning], start_ms: int, end_ms: int
) -> list[SeriesWarning]:
    """Warnings with those that happened at `start_ms` to `end_ms` (inclusive) exchanged for fresh ones.

    Where a symbol was split, the candles on the other side are in another series: that warning stays.
    """
    kept = [
        warning for warning in warnings if "other" in warning or not start_ms <= warning["at_ms"] <= end_ms
    ]
    new = [warning for warning in fresh if start_ms <= warning["at_ms"] <= end_ms]
    return sorted(kept + new, key=lambda warning: warning["at_ms"])


def _beyond(factor: FloatArray) -> NDArray[np.bool_]:
    return (factor >= JUMP_FACTOR) | (factor <= 1 / JUMP_FACTOR)


def _describe(candles: Candles, bar: int, interval_ms: int, *, halted: bool, jumped: bool) -> SeriesWarning:
    since_ms, at_ms = (int(time) for time in candles.open_time_ms[bar - 1 : bar + 1])
    factor = _larger(candles.open[bar] / candles.close[bar - 1], candles.close[bar] / candles.close[bar - 1])
    missing = max((at_ms - since_ms) // interval_ms - 1, 0)
    code = _code(factor, halted=halted, jumped=jumped, collapsed=_collapsed(candles, bar))
    return {
        "code": code,
        "message": _message(code, since_ms, at_ms, missing, factor),
        "since_ms": since_ms,
        "at_ms": at_ms,
        "missing_count": missing,
        "factor": factor,
    }


def _larger(opening: float, closing: float) -> float:
    """Of two changes of a price, the one that is further from none."""
    return float(max(opening, closing, key=lambda factor: max(factor, 1 / factor)))


def _code(factor: float, *, halted: bool, jumped: bool, collapsed: bool) -> str:
    if not halted:
        return "jump"
    if not jumped:
        return "halt"
    reused = factor >= REUSED_FACTOR or (collapsed and factor >= JUMP_FACTOR)
    return "reused_symbol" if reused else "redenomination"


def _collapsed(candles: Candles, bar: int) -> bool:
    """Whether the coin had lost almost everything in the week before the candle ahead of `bar`."""
    week = candles.bar_at(int(candles.open_time_ms[bar - 1]) - COLLAPSE_WINDOW_MS)
    return bool(candles.close[bar - 1] < COLLAPSE * candles.high[week:bar].max())


def _message(code: str, since_ms: int, at_ms: int, missing: int, factor: float) -> str:
    since, at = (
        str(np.datetime64(time, "ms").astype("datetime64[m]")).replace("T", " ") for time in (since_ms, at_ms)
    )
    hole = f"no candles between {since} and {at} UTC ({_length(at_ms - since_ms)}, {missing:,} missing)"
    change = f"the price changed {_times(factor)}"
    return {
        "halt": f"Trading halted: {hole}{f', then {change}' if max(factor, 1 / factor) > NOTABLE else ''}.",
        "reused_symbol": f"The symbol was given to another coin: {hole}, then {change}.",
        "redenomination": f"Unadjusted redenomination: {hole}, then {change}.",
        "jump": f"At {at} UTC {change} within one candle.",
    }[code]


def _length(duration_ms: int) -> str:
    hours = duration_ms // HOUR_MS
    return f"{hours // 24:,} days" if hours >= 72 else f"{hours} hours"


def _times(factor: float) -> str:
    if factor < 1:
        return f"to 1/{_rounded(1 / factor)}"
    return f"{_rounded(factor)}-fold"


def _rounded(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"
