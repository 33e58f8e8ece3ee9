"""Times as files write them, as milliseconds since 1970 UTC."""
# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from market_data.candles import IntArray

_FORMATS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d %I-%p",
    "%Y-%m-%d",
    "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%Y%m%d",
)
_WITH_ZONE = r"^(?P<local>.*?\d\d:\d\d(?::\d\d(?:\.\d+)?)?)\s*(?P<zone>|Z|UTC|[+-]\d\d:?\d\d|[+-]\d\d)$"
_FIRST_YEAR_MS, _LAST_YEAR_MS = (
    1_199_145_600_000,
    4_102_444_800_000,
)  # 2008 and 2100: candles of coins lie between
_SMALLEST_EPOCH = 1e9  # seconds, in 2001
_LIMITS = np.array([1e11, 1e14, 1e17])
_UNITS = ("s", "ms", "µs", "ns")
_FACTORS = np.array([1e3, 1.0, 1e-3, 1e-6])


class TimeError(ValueError):
    """A time that can't be read; `row` counts from 0 in the column it is in."""

    def __init__(self, row: int, message: str) -> None:
        super().__init__(message)
        self.row = row


@dataclass(frozen=True, slots=True)
class Times:
    """A column of times."""

    open_time_ms: IntArray
    written_as: str


def parse_times(column: pa.ChunkedArray) -> Times:
    """Milliseconds since 1970 UTC of a column without nulls.

    Whole numbers are seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their size,
    each for itself. Text is ISO 8601 or one of a few relatives; without a zone it is taken as UTC.

    Raises
    ------
    TimeError
        At the first time that can't be read, lies outside 2008 to 2099, or has another zone than the first.
    """
    kind = column.type
    if pa.types.is_timestamp(kind):
        times = Times(
            _integers(column.cast(pa.timestamp("ms", tz=kind.tz), safe=False)), f"timestamp[{kind.unit}]"
        )
    elif pa.types.is_date(kind):
        times = Times(_integers(column.cast(pa.timestamp("ms"))), "date")
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind):
        times = _from_text(column.cast(pa.string()))
    elif pa.types.is_integer(kind) or pa.types.is_floating(kind):
        times = _from_epoch(column.to_numpy().astype(np.float64))
    else:
        raise TimeError(0, f"{kind} is no time; times are timestamps, text, or numbers since 1970")
    outside = np.flatnonzero((times.open_time_ms < _FIRST_YEAR_MS) | (times.open_time_ms >= _LAST_YEAR_MS))
    if outside.size:
        row = int(outside[0])
        raise TimeError(row, f"{column[row].as_py()} is not between 2008 and 2099")
    return times


def _integers(column: pa.ChunkedArray) -> IntArray:
    return column.cast(pa.int64()).to_numpy().copy()


def _from_epoch(values: NDArray[np.float64]) -> Times:
    bad = np.flatnonzero(~np.isfinite(values))
    if bad.size:
        raise TimeError(int(bad[0]), "the time is missing")
    unit = np.searchsorted(_LIMITS, values, side="right")
    used = [_UNITS[number] for number in np.flatnonzero(np.bincount(unit, minlength=len(_UNITS)))]
    return Times(np.rint(values * _FACTORS[unit]).astype(np.int64), f"epoch {' and '.join(used)}")


def _from_text(column: pa.ChunkedArray) -> Times:
    column = column.combine_chunks()
    numbers = _numbers(column)
    if numbers is not None:
        return _from_epoch(numbers)
    iso = _iso_8601(column)
    if iso is not None:
        return iso
    column = pc.utf8_trim_whitespace(column)
    local, ahead_ms = _without_zone(column)
    local = pc.replace_substring_regex(local, r"^(\d{4}-\d\d-\d\d)T", r"\1 ")
    local = pc.replace_substring_regex(local, r"(:\d\d)\.\d+$", r"\1")
    for pattern in _FORMATS:
        parsed = pc.strptime(local, format=pattern, unit="ms", error_is_null=True)
        if parsed.null_count == 0:
            return Times(_integers(parsed) - ahead_ms, pattern)
        if parsed.null_count < len(parsed):
            row = int(np.flatnonzero(parsed.is_null().to_numpy(zero_copy_only=False))[0])
            raise TimeError(
                row, f"the time {column[row].as_py()!r} is not written like the others ({pattern})"
            )
    raise TimeError(0, f"the time {column[0].as_py()!r} is neither ISO 8601 nor a number since 1970")


def _numbers(column: pa.Array) -> NDArray[np.float64] | None:
    """Text as numbers since 1970; None when it is none (20240131 is a date)."""
    try:
        column[:1].cast(pa.float64())  # to find out with a whole column takes longer than to read its times
        numbers = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        return None
    return numbers if numbers.size and np.nanmin(numbers) >= _SMALLEST_EPOCH else None


def _iso_8601(column: pa.Array) -> Times | None:
    """Standard times that all have the same zone, or all none: most files, and by far the fastest way."""
    for zone in (None, "UTC"):
        try:
            parsed = column.cast(pa.timestamp("ms", tz=zone))
        except pa.ArrowInvalid:
            continue
        zones = pc.utf8_slice_codeunits(column, -6)
        if zone is None or pc.all(pc.ends_with(zones, "Z")).as_py() or len(pc.unique(zones)) == 1:
            return Times(_integers(parsed), "ISO 8601")
    return None


def _without_zone(column: pa.Array) -> tuple[pa.Array, int]:
    """Times without their zone, and how far it is ahead of UTC; all must have the same one, or none."""
    parts = pc.extract_regex(column, _WITH_ZONE)
    if parts.null_count == len(parts):
        return column, 0
    zones = pc.struct_field(parts, "zone").to_pylist()
    different = next((row for row, zone in enumerate(zones) if zone != zones[0]), None)
    if different is not None:
        raise TimeError(
            different,
            f"the time {column[different].as_py()!r} has another zone than the first, {column[0].as_py()!r}; "
            "write all of them in UTC",
        )
    return pc.struct_field(parts, "local"), _ahead_ms(zones[0])


def _ahead_ms(zone: str) -> int:
    if zone in ("", "Z", "UTC"):
        return 0
    digits = re.sub(r"\D", "", zone).ljust(4, "0")
    size = (int(digits[:2]) * 60 + int(digits[2:])) * 60_000
    return -size if zone.startswith("-") else size
