"""Rows of a file as candles: numbers read, empty and repeated rows dropped, order restored, rules checked."""
# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from market_data.candles import CandleError, Candles, FloatArray, IntArray, validate
from market_data.errors import FileRefusedError
from market_data.importers.layout import FIELDS, Layout
from market_data.importers.rows import Rows
from market_data.importers.times import TimeError, parse_times
from market_data.intervals import INTERVAL_MS, anchor_ms

NO_VALUE = ("", "null", "none", "nan", "na", "n/a", "-")
_PRICES = FIELDS[1:]


@dataclass(frozen=True, slots=True)
class Parsed:
    """Candles of one cryptocurrency from some rows, and what had to be done to them.

    Attributes
    ----------
    repairs
        How many rows each rule touched: `reordered`, `repeated`, `empty`.
    """

    candles: Candles
    written_as: str
    repairs: Counter[str] = field(default_factory=Counter[str])


def parse(rows: Rows, table: pa.Table, row_numbers: IntArray, layout: Layout, name: str) -> Parsed:
    """Candles of some rows of a file, oldest first.

    Parameters
    ----------
    table
        The rows themselves; `rows` tells what they are called in messages.
    row_numbers
        For each row of `table`, its number counted from the first of `rows`.

    Raises
    ------
    FileRefusedError
        At the first value that is not what its column promises; names file, line and column.
    """
    repairs: Counter[str] = Counter()
    columns = {field: table.column(column) for field, column in layout.columns.items()}
    keep = ~_empty_rows(columns)
    if not keep.all():
        repairs["empty"] = int(np.count_nonzero(~keep))
        row_numbers = row_numbers[keep]
        columns = {field: column.filter(pa.array(keep)) for field, column in columns.items()}
    where = _Where(name, rows, row_numbers)
    times, written_as = _times(columns["time"], layout, where)
    numbers = {field: _numbers(columns[field], field, layout, where) for field in _PRICES}
    order = _order(times, numbers, repairs, where)
    candles = Candles(times[order], *(numbers[field][order] for field in _PRICES))
    candles.volume[candles.volume == 0.0] = 0.0
    _check(candles, _Where(name, rows, row_numbers[order]), layout)
    return Parsed(candles, written_as, repairs)


def detect_interval(open_time_ms: IntArray) -> str | None:
    """The interval of candles by their most common distance; None when that is no known interval."""
    steps = np.diff(open_time_ms)
    if not steps.size:
        return None
    values, counts = np.unique(steps, return_counts=True)
    step = int(values[np.argmax(counts)])
    return next((interval for interval, length in INTERVAL_MS.items() if length == step), None)


def check_grid(candles: Candles, interval: str, name: str) -> None:
    """Refuse candles that do not open at whole intervals since 1970 (weeks: on Mondays)."""
    off = np.flatnonzero((candles.open_time_ms - anchor_ms(interval)) % INTERVAL_MS[interval])
    if off.size:
        raise FileRefusedError(
            f"{name} holds {interval} candles, but one opens at {_utc(int(candles.open_time_ms[off[0]]))}; "
            "candles open at whole intervals: name the right one with --interval."
        )


@dataclass(frozen=True, slots=True)
class _Where:
    """What to call a row in a message."""

    name: str
    rows: Rows
    numbers: IntArray

    def row(self, row: int) -> str:
        """`BTCUSDT.csv, line 17`."""
        return f"{self.name}, {self.rows.unit} {self.rows.first_row + int(self.numbers[row])}"


def _empty_rows(columns: dict[str, pa.ChunkedArray]) -> np.ndarray:
    """Rows without any price: exchanges' days without trades, Yahoo's `null`s, trailing blank lines."""
    empty = np.ones(len(columns["open"]), dtype=bool)
    for price in ("open", "high", "low", "close"):
        if _as_floats(columns[price]) is not None:
            return np.zeros_like(empty)
        empty &= _is_empty(columns[price])
    return empty


def _is_empty(column: pa.ChunkedArray) -> np.ndarray:
    nulls = column.is_null(nan_is_null=True)
    if pa.types.is_string(column.type):
        nothing = pc.is_in(pc.utf8_lower(pc.utf8_trim_whitespace(column)), value_set=pa.array(NO_VALUE))
        nulls = pc.or_(nulls, nothing)
    return nulls.to_numpy()


def _times(column: pa.ChunkedArray, layout: Layout, where: _Where) -> tuple[IntArray, str]:
    if not len(column):
        return np.empty(0, np.int64), "nothing"
    nulls = np.flatnonzero(column.is_null().to_numpy())
    if nulls.size:
        raise FileRefusedError(
            f"{where.row(int(nulls[0]))}, column {layout.columns['time']!r}: the time is missing."
        )
    try:
        times = parse_times(column)
    except TimeError as error:
        raise FileRefusedError(
            f"{where.row(error.row)}, column {layout.columns['time']!r}: {error}."
        ) from error
    return times.open_time_ms, times.written_as


def _numbers(column: pa.ChunkedArray, field: str, layout: Layout, where: _Where) -> FloatArray:
    values = _as_floats(column)
    if values is not None:
        return values
    row = _first_unreadable(column)
    raise FileRefusedError(
        f"{where.row(row)}, column {layout.columns[field]!r}: {column[row].as_py()!r} is not a number."
    )


def _as_floats(column: pa.ChunkedArray) -> FloatArray | None:
    """The column as numbers; None when a value is missing or no number."""
    try:
        values = column.cast(pa.float64(), safe=False)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    return None if values.null_count else values.to_numpy().astype(np.float64)


def _first_unreadable(column: pa.ChunkedArray) -> int:
    """The first row that is no number: what Arrow reads counts, for Python also reads 1_000 and +5."""
    readable, stop = 0, len(column)
    while stop - readable > 1:
        middle = (readable + stop) // 2
        if _as_floats(column.slice(readable, middle - readable)) is None:
            stop = middle
        else:
            readable = middle
    return readable


def _order(times: IntArray, numbers: dict[str, FloatArray], repairs: Counter[str], where: _Where) -> IntArray:
    """Rows oldest first, each time once; the same time with other numbers is refused."""
    if len(times) < 2 or np.all(np.diff(times) > 0):
        return np.arange(len(times))
    order = np.argsort(times, kind="stable")
    if np.any(np.diff(times) < 0):
        repairs["reordered"] = len(times)
    repeated = np.flatnonzero(np.diff(times[order]) == 0) + 1
    for array in numbers.values():
        differs = np.flatnonzero(array[order[repeated]] != array[order[repeated - 1]])
        if differs.size:
            first, second = order[repeated[differs[0]] - 1], order[repeated[differs[0]]]
            raise FileRefusedError(
                f"{where.row(int(second))}: a second, different candle at {_utc(int(times[second]))} UTC; "
                f"the first is in {where.rows.unit} {where.rows.first_row + int(where.numbers[first])}."
            )
    if repeated.size:
        repairs["repeated"] = int(repeated.size)
    return np.delete(order, repeated)


def _check(candles: Candles, where: _Where, layout: Layout) -> None:
    try:
        validate(candles)
    except CandleError as error:
        text = str(error)
        row = int(text.rpartition(" ")[2])
        field = text.partition(" ")[0]
        raise FileRefusedError(
            f"{where.row(row)}, column {layout.columns[field]!r}: {text.rpartition(' at bar')[0]}."
        ) from error


def _utc(time_ms: int) -> str:
    return str(np.datetime64(time_ms, "ms").astype("datetime64[m]")).replace("T", " ")
