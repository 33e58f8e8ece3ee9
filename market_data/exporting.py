"""Candles as files that other tools read: CSV, JSON or Parquet, written piece by piece."""

import io
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from market_data import store
from market_data.candles import Candles
from market_data.codec import COLUMNS
from market_data.models import CandleSeries

PART_CANDLES = 50_000
_SCHEMA = pa.schema(
    [("datetime", pa.timestamp("ms", tz="UTC")), *((name, pa.float64()) for name in COLUMNS[1:])]
)


def export(series: CandleSeries, form: str, start_ms: int, end_ms: int) -> Iterator[bytes]:
    """The candles of a series with `start_ms <= open time < end_ms` as the bytes of a file.

    Parameters
    ----------
    form
        One of `FORMS`: csv and parquet have a column `datetime`, UTC; json is an object of the column names and
        an array of candles, times in milliseconds since 1970.
    """
    return FORMS[form](_parts(series, start_ms, end_ms))


def _parts(series: CandleSeries, start_ms: int, end_ms: int) -> Iterator[Candles]:
    """The candles some ten thousand at a time, oldest first."""
    start_ms = max(start_ms, series.first_open_ms or 0)
    end_ms = min(end_ms, (series.last_open_ms or 0) + series.interval_ms)
    step_ms = PART_CANDLES * series.interval_ms
    for part_ms in range(start_ms, end_ms, step_ms):
        part = store.load_candles(series, part_ms, min(part_ms + step_ms, end_ms))
        if len(part):
            yield part


def _csv(parts: Iterator[Candles]) -> Iterator[bytes]:
    header = True
    for part in parts:
        file = io.BytesIO()
        pa_csv.write_csv(_table(part), file, pa_csv.WriteOptions(include_header=header))
        yield file.getvalue()
        header = False
    if header:
        yield (",".join(_SCHEMA.names) + "\n").encode()


def _json(parts: Iterator[Candles]) -> Iterator[bytes]:
    yield b'{"columns":' + orjson.dumps(COLUMNS) + b',"candles":['
    separator = b""
    for part in parts:
        rows = zip(*(getattr(part, name).tolist() for name in COLUMNS), strict=True)
        yield separator + orjson.dumps(list(rows))[1:-1]
        separator = b","
    yield b"]}"


def _parquet(parts: Iterator[Candles]) -> Iterator[bytes]:
    sink = _Sink()
    with pa_parquet.ParquetWriter(sink, _SCHEMA, compression="zstd") as writer:
        for part in parts:
            writer.write_table(_table(part))
            yield sink.take()
    yield sink.take()


class _Sink(io.RawIOBase):
    """A file that is handed on in pieces: it knows how long it is, and forgets what was taken."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._length = 0

    def writable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """How much has been written since the beginning."""
        return self._length

    def write(self, data: Any) -> int:
        """Keep a copy."""
        self._pieces.append(bytes(data))
        self._length += len(self._pieces[-1])
        return len(self._pieces[-1])

    def take(self) -> bytes:
        """What has been written since the last time."""
        data = b"".join(self._pieces)
        self._pieces.clear()
        return data


def _table(part: Candles) -> pa.Table:
    times = pa.array(part.open_time_ms.astype("datetime64[ms]")).cast(_SCHEMA.field("datetime").type)
    return pa.table([times, *(pa.array(getattr(part, name)) for name in COLUMNS[1:])], schema=_SCHEMA)


FORMS: dict[str, Callable[[Iterator[Candles]], Iterator[bytes]]] = {
    "csv": _csv,
    "json": _json,
    "parquet": _parquet,
}
"""File formats by their names, which are also their endings."""
