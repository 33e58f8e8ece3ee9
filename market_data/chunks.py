"""Stored months as they are in the database, read as fast as each database allows."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Q

from market_data.models import CandleChunk

_SIGN_BIT = 1 << 63
_WRAP = 1 << 64


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
    wanted = Q(series_id=series_id, month__range=(min(months), max(months)))
    if len(months) <= max(months) - min(months):
        wanted &= Q(month__in=list(months))
    rows = CandleChunk.objects.filter(wanted).order_by("month")
    return [
        StoredChunk(series_id, month, count, unsigned(checksum), data)
        for month, count, checksum, data in rows.values_list("month", "count", "checksum", "data")
    ]


def signed(checksum: int) -> int:
    """An unsigned 64-bit number as databases store it."""
    return checksum - _WRAP if checksum & _SIGN_BIT else checksum


def unsigned(checksum: int) -> int:
    """The inverse of `signed`."""
    return checksum % _WRAP
