"""Stored months as they are in the database, read as fast as each database allows."""

import io
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from django.db import connection
from django.db.backends.utils import CursorWrapper

from market_data import codec
from market_data import manifest as manifests
from market_data.candles import Candles
from market_data.codec import Block
from market_data.errors import DamagedSeriesError
from market_data.models import CandleSeries

_SIGN_BIT = 1 << 63
_WRAP = 1 << 64
_SELECT = 'SELECT month, "count", checksum, data FROM market_data_candlechunk WHERE '
_COLUMN_COUNT = 4
_COPY_HEADER_BYTES = 19
_COPY_ROW = struct.Struct(
    ">h4xi4xi4xqi"
)  # number of columns, then each with its length in front; data follows


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """One month of a series: packed candles and what must come out of them."""

    series_id: int
    month: int
    count: int
    checksum: int
    data: bytes | memoryview


def read_chunks(series_id: int, months: Sequence[int]) -> list[StoredChunk]:
    """The stored chunks of these months, oldest first; months without candles are left out."""
    if not months:
        return []
    condition, values = "series_id = %s AND month BETWEEN %s AND %s", [series_id, min(months), max(months)]
    if len(months) <= max(months) - min(months):
        condition += f" AND month IN ({', '.join(['%s'] * len(months))})"
        values += months
    rows = read_packed(f"{condition} ORDER BY month", values)
    return [StoredChunk(series_id, month, count, unsigned(sum_), data) for month, count, sum_, data in rows]


def read_packed(condition: str, values: Sequence[int]) -> list[tuple[int, int, int, bytes | memoryview]]:
    """Month, count, signed checksum and bytes of the chunks of a condition, by the fastest way of the database.

    The ORM would take as long to put the statement together as a database to execute it.
    """
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            return list(_copied(cursor, _SELECT + condition, values))
        cursor.execute(_SELECT + condition, values)
        return cursor.fetchall()


def signed(checksum: int) -> int:
    """An unsigned 64-bit number as databases store it."""
    return checksum - _WRAP if checksum & _SIGN_BIT else checksum


def unsigned(checksum: int) -> int:
    """The inverse of `signed`."""
    return checksum % _WRAP


def unpack(stored: Sequence[StoredChunk]) -> Candles:
    """The candles of stored chunks in one block of memory, each month checked against its checksum."""
    block = codec.empty_block(sum(chunk.count for chunk in stored))
    unpack_into(stored, block)
    return codec.as_candles(block)


def unpack_into(stored: Sequence[StoredChunk], block: Block) -> None:
    """The same into memory that has just room for them."""
    at = 0
    for chunk in stored:
        month = block[:, at : at + chunk.count]
        try:
            codec.decode_into(chunk.data, chunk.count, month)
        except codec.ChunkError as error:
            raise DamagedSeriesError(f"{_chunk_name(chunk)}: {error}") from error
        if codec.checksum_of_columns(month) != chunk.checksum:
            raise DamagedSeriesError(
                f"{_chunk_name(chunk)} does not match its checksum; import the month again."
            )
        at += chunk.count


def merged_candles(old: Candles, new: Candles) -> Candles:
    """Candles of both, oldest first; where both have one, the new one."""
    times = np.concatenate([new.open_time_ms, old.open_time_ms])
    _, chosen = np.unique(times, return_index=True)
    return Candles(
        *(np.concatenate([getattr(new, name), getattr(old, name)])[chosen] for name in codec.COLUMNS)
    )


def concatenate(parts: Sequence[Candles]) -> Candles:
    """Candles one after the other; the parts must be in order."""
    return Candles(*(np.concatenate([getattr(part, name) for part in parts]) for name in codec.COLUMNS))


def _chunk_name(chunk: StoredChunk) -> str:
    series = CandleSeries.objects.select_related("cryptocurrency").get(pk=chunk.series_id)
    return f"{series}, month {manifests.month_name(chunk.month)}"


def _copied(
    cursor: CursorWrapper, select: str, values: Sequence[int]
) -> Iterator[tuple[int, int, int, memoryview]]:
    """The rows of a statement by binary COPY: psycopg2 receives bytes as hex text otherwise, three times slower."""
    received = io.BytesIO()
    text = cursor.mogrify(select, values).decode()
    cursor.copy_expert(f"COPY ({text}) TO STDOUT (FORMAT binary)", received)
    view, at = received.getbuffer(), _COPY_HEADER_BYTES
    while int.from_bytes(view[at : at + 2], signed=True) == _COLUMN_COUNT:
        _, month, count, checksum, size = _COPY_ROW.unpack_from(view, at)
        at += _COPY_ROW.size
        yield month, count, checksum, view[at : at + size]
        at += size
