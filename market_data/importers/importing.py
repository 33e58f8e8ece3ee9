"""Bring candles from files into the store: recognise, check everything, then write."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from market_data.adjusting import RULE, Adjustment, adjust, recorded
from market_data.candles import Candles, IntArray
from market_data.errors import FileRefusedError
from market_data.importers.containers import Content, contents
from market_data.importers.layout import Layout, detect, interval_in, symbol_in
from market_data.importers.parsing import Parsed, check_grid, detect_interval, parse
from market_data.importers.rows import Rows
from market_data.importers.tables import read_rows
from market_data.intervals import INTERVAL_MS
from market_data.models import CandleSeries
from market_data.quality import SeriesWarning, warnings_of
from market_data.reused import write_apart
from market_data.store import record, write_candles
from market_data.symbols import split_symbol, symbol_of

SOURCE = "files"
KEPT_ROWS = 2_000_000
"""Candles of one table that are kept in memory while it is checked: 100 MB."""
_SUFFIXES = (".parquet", ".pq", ".feather", ".arrow", ".json", ".jsonl", ".csv", ".txt", ".gz", ".zip")


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the user says about files, instead of leaving it to be recognised."""

    source: str = SOURCE
    symbol: str | None = None
    interval: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    adjustments: Sequence[Adjustment] = ()
    split_reused: bool = True


@dataclass(frozen=True, slots=True)
class Imported:
    """One cryptocurrency in one file: what was recognised and, unless it was a dry run, stored."""

    file: str
    layout: str
    columns: dict[str, str]
    written_as: str
    symbol: str
    interval: str
    candle_count: int
    first_open_ms: int
    last_open_ms: int
    repairs: dict[str, int]
    warnings: list[SeriesWarning] = field(default_factory=list[SeriesWarning])
    series: list[CandleSeries] = field(default_factory=list[CandleSeries])


def files_in(paths: list[Path]) -> list[Path]:
    """The files that paths mean: files as they are, folders with every file of a known ending in them."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(file for file in path.rglob("*") if file.name.lower().endswith(_SUFFIXES))
        else:
            found.append(path)
    return found


def import_file(
    path: Path,
    options: ImportOptions,
    *,
    dry_run: bool = False,
    progress: Callable[[float, str], object] = lambda share, step: None,
) -> list[Imported]:
    """Import every table in a file.

    A file of up to `KEPT_ROWS` rows is parsed once. A larger one is parsed twice: it is checked to its end
    before its first candle is stored, yet its memory is bounded, and the store is never locked for longer than
    one batch takes.

    Parameters
    ----------
    progress
        Called with the share that is done, 0 to 1, and what it is doing: `checking` or `storing`.

    Raises
    ------
    FileRefusedError
        If any of it can't be imported; nothing of it is stored then.
    """
    room = _Room(KEPT_ROWS)
    tables = [_Table(content, options, room) for content in contents(path)]
    steps = 1 if dry_run else 2
    for number, table in enumerate(tables):
        for share in table.check():
            progress((number + share) / len(tables) / steps, "checking")
    if not dry_run:
        for number, table in enumerate(tables):
            for share in table.store():
                progress(0.5 + (number + share) / len(tables) / steps, "storing")
    return [found for table in tables for found in table.found.values()]


class _Room:
    """Rows that may still be kept in memory, by all tables of a file together."""

    def __init__(self, rows: int) -> None:
        self.rows = rows


@dataclass(frozen=True, slots=True)
class _Part:
    """Candles of one cryptocurrency from one batch of rows."""

    symbol: str
    layout: Layout
    parsed: Parsed


@dataclass(frozen=True, slots=True)
class _Batch:
    """Neighbouring rows of a table, and the share of the table that ends with them."""

    parts: list[_Part]
    share: float

    def __len__(self) -> int:
        return sum(len(part.parsed.candles) for part in self.parts)


class _Table:
    """One table of candles in a file: checked first, stored afterwards."""

    def __init__(self, content: Content, options: ImportOptions, room: _Room) -> None:
        self.content = content
        self.options = options
        self.found: dict[str, Imported] = {}
        self._room = room
        self._kept: list[_Batch] | None = []

    def check(self) -> Iterator[float]:
        """Parse every row, and note what is found; yields the share that is done."""
        for batch in self._batches():
            for part in batch.parts:
                self._note(part)
            self._keep(batch)
            yield batch.share
        if not self.found:
            raise FileRefusedError(f"{self.content.name} holds no candles.")

    def store(self) -> Iterator[float]:
        """Write what has been checked; yields the share that is done."""
        for batch in self._batches() if self._kept is None else self._kept:
            for part in batch.parts:
                found = self.found[part.symbol]
                written = {
                    series.pk: series for series in [*found.series, *self._write(part, found.interval)]
                }
                self.found[part.symbol] = replace(found, series=list(written.values()))
            yield batch.share
        for found in self.found.values():
            record(found.series[-1], self._entries(found))

    def _keep(self, batch: _Batch) -> None:
        """Keep what has been parsed for `store`, unless that is too much."""
        if self._kept is None:
            return
        self._kept.append(batch)
        self._room.rows -= len(batch)
        if self._room.rows < 0:
            self._room.rows += sum(map(len, self._kept))
            self._kept = None

    def _write(self, part: _Part, interval: str) -> list[CandleSeries]:
        write = write_apart if self.options.split_reused else _write_together
        known = CandleSeries.objects.filter(
            cryptocurrency__symbol=part.symbol, source=self.options.source, interval=interval
        )
        wanted = {*self._adjustments(part.symbol), *recorded(known.select_related("cryptocurrency").first())}
        candles = adjust(part.parsed.candles, sorted(wanted, key=lambda adjustment: adjustment.before_ms))
        return write(symbol=part.symbol, source=self.options.source, interval=interval, candles=candles)

    def _adjustments(self, symbol: str) -> list[Adjustment]:
        return [adjustment for adjustment in self.options.adjustments if adjustment.symbol == symbol]

    def _entries(self, found: Imported) -> list[dict[str, Any]]:
        """What to remember of this import: repairs and adjustments."""
        repairs = [
            {"rule": rule, "rows": rows, "file": found.file} for rule, rows in sorted(found.repairs.items())
        ]
        adjusted = [
            {"rule": RULE, "factor": adjustment.factor, "before_ms": adjustment.before_ms}
            for adjustment in self._adjustments(found.symbol)
        ]
        return [*repairs, *adjusted]

    def _batches(self) -> Iterator[_Batch]:
        for rows in read_rows(self.content):
            parts = [self._parse(rows, *share) for share in self._shares(rows)]
            yield _Batch([part for part in parts if len(part.parsed.candles)], rows.share)

    def _shares(self, rows: Rows) -> Iterator[tuple[str, Layout, IntArray]]:
        """The rows of each cryptocurrency: by the user's word, by a column, or by the file's name."""
        everything = np.arange(len(rows.table))
        named = self.options.symbol or symbol_in(self.content.stem)
        layout = self._layout(rows, named or "")
        if self.options.symbol is None and layout.symbol_column is not None:
            column = rows.table.column(layout.symbol_column).to_numpy()
            for name in sorted({str(value) for value in column}):
                symbol = self._symbol(name)
                yield symbol, self._layout(rows, symbol), everything[column == name]
        elif named is None:
            raise FileRefusedError(
                f"{self.content.name}: no cryptocurrency in the file's name and no column for it; "
                "name it with --symbol BTCUSDT."
            )
        else:
            yield self._symbol(named), layout, everything

    def _layout(self, rows: Rows, symbol: str) -> Layout:
        base = split_symbol(symbol)[0]
        layout = detect(rows.table.column_names, self.options.columns, self.content.name, base)
        return replace(layout, name=rows.make) if rows.make else layout

    def _symbol(self, name: str) -> str:
        symbol = symbol_of(name)
        if symbol is None:
            raise FileRefusedError(f"{self.content.name}: {name!r} is no symbol; one looks like BTCUSDT.")
        return symbol

    def _parse(self, rows: Rows, symbol: str, layout: Layout, numbers: IntArray) -> _Part:
        table = rows.table if len(numbers) == len(rows.table) else rows.table.take(pa.array(numbers))
        return _Part(symbol, layout, parse(rows, table, numbers, layout, self.content.name))

    def _note(self, part: _Part) -> None:
        candles, known = part.parsed.candles, self.found.get(part.symbol)
        interval = known.interval if known else self._interval(candles)
        check_grid(candles, interval, self.content.name)
        first, last = int(candles.open_time_ms[0]), int(candles.open_time_ms[-1])
        self.found[part.symbol] = Imported(
            file=self.content.name,
            layout=part.layout.name,
            columns=part.layout.columns,
            written_as=part.parsed.written_as,
            symbol=part.symbol,
            interval=interval,
            candle_count=len(candles) + (known.candle_count if known else 0),
            first_open_ms=min(first, known.first_open_ms) if known else first,
            last_open_ms=max(last, known.last_open_ms) if known else last,
            repairs=dict(part.parsed.repairs + Counter(known.repairs if known else {})),
            warnings=(known.warnings if known else []) + warnings_of(candles, INTERVAL_MS[interval]),
        )

    def _interval(self, candles: Candles) -> str:
        interval = (
            self.options.interval or detect_interval(candles.open_time_ms) or interval_in(self.content.stem)
        )
        if interval is None:
            raise FileRefusedError(
                f"{self.content.name}: the candles have none of the intervals ({', '.join(INTERVAL_MS)}); "
                "name the right one with --interval."
            )
        return interval


def _write_together(*, symbol: str, source: str, interval: str, candles: Candles) -> list[CandleSeries]:
    return [write_candles(symbol=symbol, source=source, interval=interval, candles=candles)]
