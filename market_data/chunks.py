"""Stored months as they are in the database, read as fast as each database allows."""

import io
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from django.db import connection
from django.db.models import QuerySet

from market_data import codec
from market_data import manifest as manifests
from market_data.candles import Candles
from market_data.errors import DamagedSeriesError
from market_data.models import CandleChunk, CandleSeries

_SIGN_BIT = 1 << 63
_WRAP = 1 << 64
_COLUMNS = ("month", "count", "checksum", "data")
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
    chunks = CandleChunk.objects.filter(series_id=series_id, month__range=(min(months), max(months)))
    if len(months) <= max(months) - min(months):
        chunks = chunks.filter(month__in=list(months))
    rows = read_packed(chunks.order_by("month"))
    return [StoredChunk(series_id, month, count, unsigned(sum_), data) for month, count, sum_, data in rows]


def read_packed(chunks: QuerySet[CandleChunk]) -> list[tuple[int, int, int, bytes | memoryview]]:
    """Month, count, signed checksum and bytes of some chunks, by the fastest way of the database."""
    wanted = chunks.values_list(*_COLUMNS)
    return list(_copied(wanted) if connection.vendor == "postgresql" else wanted)


def signed(checksum: int) -> int:
    """An unsigned 64-bit number as databases store it."""
    return checksum - _WRAP if checksum & _SIGN_BIT else checksum


def unsigned(checksum: int) -> int:
    """The inverse of `signed`."""
    return checksum % _WRAP


def unpack(stored: Sequence[StoredChunk]) -> Candles:
    """The candles of stored chunks in one block of memory, each month checked against its checksum."""
    candles = codec.empty_candles(sum(chunk.count for chunk in stored))
    at = 0
    for chunk in stored:
        end = at + chunk.count
        try:
            codec.decode_into(
                chunk.data, chunk.count, candles.open_time_ms[at:end], codec.columns_of(candles, at, end)
            )
        except codec.ChunkError as error:
            raise DamagedSeriesError(f"{_chunk_name(chunk)}: {error}") from error
        if codec.checksum(candles.bars(at, end)) != chunk.checksum:
            raise DamagedSeriesError(
                f"{_chunk_name(chunk)} does not match its checksum; import the month again."
            )
        at = end
    return candles


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


def _copied(chunks: QuerySet[CandleChunk, tuple[object, ...]]) -> Iterator[tuple[int, int, int, memoryview]]:
    """The same rows by binary COPY: psycopg2 receives bytes as hex text otherwise, three times slower."""
    query, parameters = chunks.query.sql_with_params()
    received = io.BytesIO()
    with connection.cursor() as cursor:
        select = cursor.mogrify(query, parameters).decode()
        cursor.copy_expert(f"COPY ({select}) TO STDOUT (FORMAT binary)", received)
    view, at = received.getbuffer(), _COPY_HEADER_BYTES
    while int.from_bytes(view[at : at + 2], signed=True) == len(_COLUMNS):
        _, month, count, checksum, size = _COPY_ROW.unpack_from(view, at)
        at += _COPY_ROW.size
        yield month, count, checksum, view[at : at + size]
        at += size
