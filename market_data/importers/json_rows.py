"""Rows of a JSON file: small ones whole, large ones some megabytes of rows at a time."""

import re
from collections.abc import Iterator
from typing import IO, Any

import orjson
import pyarrow as pa

from market_data.errors import FileRefusedError
from market_data.importers.rows import Rows, without_header

WHOLE_BYTES = 16 * 1024 * 1024
"""Up to here any form of JSON is understood; parsed, it takes ten times as much memory."""
BLOCK_BYTES = 4 * 1024 * 1024
_LONGEST_ROW = 64 * 1024
_LIST_OF_ROWS = re.compile(rb"\s*(?:\{[^\[\]{}]*\"data\"\s*:\s*)?\[\s*(?=[\[{])")
_BETWEEN_ROWS = {ord("["): re.compile(rb"\]\s*,"), ord("{"): re.compile(rb"\}\s*,")}
_LAST_ROW = {ord("["): re.compile(rb"\]\s*\]"), ord("{"): re.compile(rb"\}\s*\]")}


def read_json(stream: IO[bytes], name: str) -> Iterator[Rows]:
    """An array of arrays or of objects, an object of arrays, or one object a line.

    Raises
    ------
    FileRefusedError
        If it is none of them, or a large file that is not made of rows.
    """
    head = _read(stream, WHOLE_BYTES + 1)
    if len(head) <= WHOLE_BYTES:
        yield _rows(_parsed(head, name), name, 1)
        return
    row = 1
    for data in _lists(head, stream, name):
        yield _rows(data, name, row)
        row += len(data)


def _read(stream: IO[bytes], size: int) -> bytes:
    """As many bytes as there are, up to `size`: a packed stream gives fewer at a time."""
    pieces: list[bytes] = []
    while size > 0 and (piece := stream.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _parsed(text: bytes, name: str) -> Any:
    text = text.removeprefix(b"\xef\xbb\xbf")
    try:
        data = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        try:
            return [orjson.loads(line) for line in text.splitlines() if line.strip()]
        except orjson.JSONDecodeError:
            raise FileRefusedError(f"{name} is no valid JSON: {error}.") from error
    if isinstance(data, dict) and isinstance(data.get("data"), list):
        return data["data"]
    return data


def _lists(head: bytes, stream: IO[bytes], name: str) -> Iterator[list[Any]]:
    """The rows of a large file, some of them at a time."""
    head = head.removeprefix(b"\xef\xbb\xbf")
    start = _LIST_OF_ROWS.match(head)
    if start is None:
        yield from _lines(head, stream, name)
        return
    kind = head[start.end()]
    rest = b""
    for data in _blocks(head[start.end() :], stream):
        if not rest:
            rest = data
            continue
        between = _last(_BETWEEN_ROWS[kind], rest)
        if between is None:
            raise FileRefusedError(f"{name} has rows of more than {_LONGEST_ROW:,} bytes; it is no table.")
        yield _list(rest[: between.start() + 1], name)
        rest = rest[between.end() :] + data
    last = _last(_LAST_ROW[kind], rest)
    if last is None:
        raise FileRefusedError(f"{name} is no valid JSON: its list of rows has no end.")
    yield _list(rest[: last.start() + 1], name)


def _last(pattern: re.Pattern[bytes], text: bytes) -> re.Match[bytes] | None:
    """The last match near the end of a text."""
    matches = list(pattern.finditer(text, max(len(text) - _LONGEST_ROW, 0)))
    return matches[-1] if matches else None


def _lines(head: bytes, stream: IO[bytes], name: str) -> Iterator[list[Any]]:
    """Objects one a line."""
    rest = b""
    for data in _blocks(head, stream):
        rest += data
        end = rest.rfind(b"\n") + 1
        if not end:
            raise FileRefusedError(
                f"{name} is a large JSON file without a list of rows; convert it to CSV or Parquet."
            )
        if objects := _objects(rest[:end], name):
            yield objects
        rest = rest[end:]
    if rest.strip():
        yield _objects(rest, name)


def _blocks(head: bytes, stream: IO[bytes]) -> Iterator[bytes]:
    """What has been read already, then the rest, some megabytes at a time."""
    for start in range(0, len(head), BLOCK_BYTES):
        yield head[start : start + BLOCK_BYTES]
    while data := _read(stream, BLOCK_BYTES):
        yield data


def _objects(lines: bytes, name: str) -> list[Any]:
    try:
        return [orjson.loads(line) for line in lines.splitlines() if line.strip()]
    except orjson.JSONDecodeError as error:
        raise FileRefusedError(f"{name} is no valid JSON: {error}.") from error


def _list(rows: bytes, name: str) -> list[Any]:
    try:
        return orjson.loads(b"[" + rows + b"]")
    except orjson.JSONDecodeError as error:
        raise FileRefusedError(f"{name} is no valid JSON: {error}.") from error


def _rows(data: Any, name: str, first_row: int) -> Rows:
    if isinstance(data, dict) and data and all(isinstance(column, list) for column in data.values()):
        return Rows(_table(data), first_row, "row")
    if not isinstance(data, list) or not data:
        raise FileRefusedError(f"{name} holds no list of candles.")
    if all(isinstance(row, dict) for row in data):
        return Rows(_table({key: [row.get(key) for row in data] for key in data[0]}), first_row, "row")
    widths = {len(row) if isinstance(row, list) else 0 for row in data}
    make, columns = without_header(min(widths), name, f"row {first_row}")
    if len(widths) > 1:
        raise FileRefusedError(
            f"{name} has rows of {min(widths)} to {max(widths)} values; all must be alike."
        )
    table = _table(dict(zip(columns, map(list, zip(*data, strict=True)), strict=True)))
    return Rows(table, first_row, "row", make)


def _table(columns: dict[str, list[Any]]) -> pa.Table:
    return pa.table({name: _column(values) for name, values in columns.items()})


def _column(values: list[Any]) -> pa.Array:
    """One value that is no number makes all of them text, so that its row can be named."""
    try:
        return pa.array(values)
    except pa.ArrowException:
        return pa.array([None if value is None else str(value) for value in values])
