"""The rows of a file, a few hundred thousand at a time, whatever its format."""

import csv
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import IO

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.feather as pa_feather
import pyarrow.ipc as pa_ipc
import pyarrow.parquet as pa_parquet

from market_data.errors import FileRefusedError
from market_data.importers.containers import HEAD_BYTES, Content
from market_data.importers.json_rows import read_json
from market_data.importers.layout import FIELDS
from market_data.importers.rows import Rows, without_header

BATCH_ROWS = 500_000
CSV_BLOCK_BYTES = 16 * 1024 * 1024
_DELIMITERS = ",;\t|"


def read_rows(content: Content) -> Iterator[Rows]:
    """The rows of a file from the first to the last, in bounded memory.

    Raises
    ------
    FileRefusedError
        If the file is not what its first bytes promise.
    """
    reader = {"parquet": _parquet, "feather": _feather, "json": read_json, "csv": _csv}[content.kind]
    try:
        with content.open() as (stream, position):
            for rows in reader(stream, content.name):
                yield replace(rows, share=position()) if content.kind in ("csv", "json") else rows
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = str(error).split("\n")[0].rstrip(".")
        raise FileRefusedError(
            f"{content.name} is a damaged or cut off {content.kind} file: {reason}."
        ) from error


def _parquet(stream: IO[bytes], _name: str) -> Iterator[Rows]:
    file = pa_parquet.ParquetFile(_seekable(stream))
    row = 1
    for batch in file.iter_batches(batch_size=BATCH_ROWS, use_threads=False):
        share = (row - 1 + len(batch)) / file.metadata.num_rows
        yield Rows(_named_index(pa.Table.from_batches([batch])), row, "row", share=share)
        row += len(batch)


def _feather(stream: IO[bytes], _name: str) -> Iterator[Rows]:
    source = _seekable(stream)
    try:
        reader = pa_ipc.open_file(source)
    except pa.ArrowInvalid:
        source.seek(0)
        yield Rows(pa_feather.read_table(source, use_threads=False), 1, "row")
        return
    row = 1
    for number in range(reader.num_record_batches):
        batch = reader.get_batch(number)
        share = (number + 1) / reader.num_record_batches
        yield Rows(_named_index(pa.Table.from_batches([batch])), row, "row", share=share)
        row += len(batch)


def _named_index(table: pa.Table) -> pa.Table:
    """A pandas index without a name is a column like any other: usually the time."""
    names = ["datetime" if name == "__index_level_0__" else name for name in table.column_names]
    return table.rename_columns(names)


def _seekable(stream: IO[bytes]) -> pa.NativeFile:
    """A file that Arrow reads without coming back to Python for every piece."""
    name = getattr(stream, "name", None)
    return pa.OSFile(name) if isinstance(name, str) else pa.BufferReader(stream.read())


def _csv(stream: IO[bytes], name: str) -> Iterator[Rows]:
    head = stream.read(HEAD_BYTES)
    skipped, delimiter, header = _sniff(head, name)
    width = len(header)
    make = ""
    if _is_candle(header):
        make, columns = without_header(width, name, f"line {skipped + 1}")
    else:
        columns, skipped = _unique(header), skipped + 1
    line = 1
    for block in _blocks(head, stream, name):
        rows = _parse_block(block, columns, delimiter, skipped if line == 1 else 0, line)
        yield Rows(rows, line + (skipped if line == 1 else 0), "line", make)
        line += block.count(b"\n")


def _blocks(head: bytes, stream: IO[bytes], name: str) -> Iterator[bytes]:
    """The text in blocks of whole lines.

    Arrow's own streaming reader would read ahead in a thread of its own, and hangs when that thread and this one
    wait for each other's lock.
    """
    rest = head
    while data := stream.read(CSV_BLOCK_BYTES):
        rest += data
        end = rest.rfind(b"\n") + 1
        if end:
            yield rest[:end]
            rest = rest[end:]
        elif len(rest) > 2 * CSV_BLOCK_BYTES:
            raise FileRefusedError(
                f"{name} has a line of more than {len(rest):,} characters; it is no table."
            )
    if rest.strip():
        yield rest


def _parse_block(block: bytes, columns: list[str], delimiter: str, skipped: int, line: int) -> pa.Table:
    try:
        return pa_csv.read_csv(
            pa.BufferReader(block),
            read_options=pa_csv.ReadOptions(
                skip_rows=skipped, column_names=columns, use_threads=False, block_size=len(block)
            ),
            parse_options=pa_csv.ParseOptions(delimiter=delimiter),
            convert_options=pa_csv.ConvertOptions(column_types=dict.fromkeys(columns, pa.string())),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV file" in str(error):
            return pa.table({column: pa.array([], pa.string()) for column in columns})
        found = re.search(r"Row #(\d+): (.*)", str(error))
        if found is None:
            raise
        raise pa.ArrowInvalid(f"line {line - 1 + int(found[1])}: {found[2]}") from error


def _sniff(head: bytes, name: str) -> tuple[int, str, list[str]]:
    """Lines to skip, the delimiter, and the fields of the table's first line: its header, or a candle."""
    lines = head.decode("utf-8-sig", errors="replace").splitlines()[:20]
    for number, line in enumerate(lines):
        for delimiter in _DELIMITERS:
            fields = next(csv.reader([line], delimiter=delimiter), [])
            if len(fields) >= len(FIELDS):
                return number, delimiter, [field.strip() for field in fields]
    raise FileRefusedError(
        f"{name}: no line with at least {len(FIELDS)} fields separated by comma, semicolon, tab or bar; "
        "expected time, open, high, low, close, volume."
    )


def _is_candle(fields: list[str]) -> bool:
    """Whether a line holds numbers rather than the names of columns."""
    return (
        sum(field.replace(".", "", 1).replace("e-", "", 1).isdigit() for field in fields) >= len(FIELDS) - 1
    )


def _unique(header: list[str]) -> list[str]:
    return [
        field if field and field not in header[:at] else f"column_{at + 1}" for at, field in enumerate(header)
    ]
