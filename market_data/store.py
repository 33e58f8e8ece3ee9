"""Candles in and out of the database: the only module that writes a series, and what workers read with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import DEFAULT_DB_ALIAS, transaction

from market_data import chunks as chunk_rows
from market_data import codec, facts, quality
from market_data import manifest as manifests
from market_data.aggregation import finer_intervals
from market_data.candles import Candles, validate
from market_data.chunks import StoredChunk, merged_candles
from market_data.derived import base_range, coarsen, derive
from market_data.errors import DamagedSeriesError, MixedSeriesError
from market_data.facts import Month
from market_data.loading import load_chunks
from market_data.models import CandleChunk, CandleSeries, Cryptocurrency
from market_data.quality import SeriesWarning
from market_data.symbols import split_symbol
from workers import rows

READ_ATTEMPTS = 5
_COLUMNS = tuple(
    field.attname
    for field in CandleSeries._meta.concrete_fields
    if field.name not in {"history", "gap_count", "missing_count", "zero_volume_count", "updated_at"}
)
"""What a run needs of each series; the others are read when somebody asks for them."""
_FIND = """
    SELECT {columns}, symbol FROM market_data_candleseries
      JOIN market_data_cryptocurrency
        ON market_data_cryptocurrency.id = market_data_candleseries.cryptocurrency_id
     WHERE source = %s AND candle_count > 0
"""
_FIND_ONE = _FIND + """AND "interval" = %s AND symbol = %s"""
_FIND_MARKET = """
    {find}
    AND ("interval" = %s OR "interval" IN ({finer}) AND NOT EXISTS (
         SELECT 1 FROM market_data_candleseries AS stored
          WHERE stored.cryptocurrency_id = market_data_candleseries.cryptocurrency_id
            AND stored.source = market_data_candleseries.source
            AND stored."interval" = %s AND stored.candle_count > 0))
"""


def load_series(*, source: str, interval: str, symbols: Sequence[str] | None = None) -> list[CandleSeries]:
    """The series of a source at an interval, most traded first, each with its cryptocurrency.

    A symbol that has no series at this interval, but a finer one that it can be made of, comes with its
    coarser candles. `symbols` of None means all of them; a symbol without either is left out.
    """
    finer = finer_intervals(interval) or [interval]
    text = _FIND_MARKET.format(find=_FIND, finer=_places(finer))
    values = [source, interval, *finer, interval]
    if symbols is not None:
        text += f" AND symbol IN ({_places(symbols)})"
        values += symbols
    found: dict[str, CandleSeries] = {}
    for stored, (symbol,) in rows.fetch_many(CandleSeries, text, values, _COLUMNS):
        _set_symbol(stored, symbol)
        best = found.setdefault(symbol, stored)
        if stored.interval_ms < best.interval_ms:
            found[symbol] = stored
    all_series = (one if one.interval == interval else derive(one, interval) for one in found.values())
    return sorted(filter(None, all_series), key=lambda one: (-one.quote_volume, one.cryptocurrency.symbol))


def _places(values: Sequence[str]) -> str:
    return ", ".join(["%s"] * len(values)) or "NULL"


def _set_symbol(series: CandleSeries, symbol: str) -> None:
    known = (series.cryptocurrency_id, symbol)
    series.cryptocurrency = Cryptocurrency.from_db(DEFAULT_DB_ALIAS, ("id", "symbol"), known)


def find_series(*, source: str, interval: str, symbol: str) -> CandleSeries | None:
    """The series of one symbol, with its cryptocurrency, derived if need be; None if it has no candles.

    Made for the path of every job: one statement that is put together once.
    """
    found = rows.fetch_with_more(CandleSeries, _FIND_ONE, [source, interval, symbol], _COLUMNS)
    if found is None:
        return next(iter(load_series(source=source, interval=interval, symbols=[symbol])), None)
    _set_symbol(found[0], symbol)
    return found[0]


def load_candles(series: CandleSeries, start_ms: int, end_ms: int, warm_up_bars: int = 0) -> Candles:
    """Candles with `start_ms <= open time < end_ms`, and up to that many before them.

    Reads this host's files, and fills them from the database where they are missing or damaged. When the
    series was changed since `series` was read, `series` is read again: afterwards `range_checksum` tells what
    was loaded.

    Raises
    ------
    DamagedSeriesError
        If a month in the database does not match its checksum.
    """
    if series.base is not None:
        wanted = base_range(series, series.base, start_ms, end_ms, warm_up_bars)
        loaded = load_candles(series.base, wanted.start_ms, wanted.end_ms, wanted.warm_up_bars)
        return coarsen(series, series.base, loaded, start_ms, end_ms, warm_up_bars)
    for _ in range(READ_ATTEMPTS):
        manifest = series.chunk_records
        chunks = manifests.touched(manifest, start_ms, end_ms, warm_up_bars)
        loaded = load_chunks(series, manifest, chunks)
        if loaded is not None:
            first = max(loaded.bar_at(start_ms) - warm_up_bars, 0)
            return loaded.bars(first, loaded.bar_at(end_ms))
        series.refresh_from_db()
    raise DamagedSeriesError(f"{series} does not match its own table of contents; import it again.")


def range_checksum(series: CandleSeries, start_ms: int, end_ms: int, warm_up_bars: int) -> str:
    """A digest of the months that a range and its warm-up touch; no query, no file, microseconds."""
    if series.base is not None:
        wanted = base_range(series, series.base, start_ms, end_ms, warm_up_bars)
        digest = range_checksum(series.base, wanted.start_ms, wanted.end_ms, wanted.warm_up_bars)
        return f"{digest}-{series.base.interval}"
    manifest = series.chunk_records
    return manifests.fingerprint(manifest, manifests.touched(manifest, start_ms, end_ms, warm_up_bars))


def warnings_between(series: CandleSeries, start_ms: int, end_ms: int) -> list[SeriesWarning]:
    """What a reader of a result over this range must know about the candles."""
    return quality.warnings_between(series.warnings, start_ms, end_ms)


@transaction.atomic
def write_candles(
    *, symbol: str, source: str, interval: str, candles: Candles, generated: bool = False, name: str = ""
) -> CandleSeries:
    """Merge candles into the series of a symbol, which is made when there is none.

    Where the series has a candle at the same time already, the new one replaces it. Writing what is there
    already changes nothing, not even the version.

    Raises
    ------
    CandleError
        If the candles break a rule; nothing is stored.
    MixedSeriesError
        If the series there is generated and these candles are not, or the other way round.
    """
    base, quote = split_symbol(symbol)
    cryptocurrency, _ = Cryptocurrency.objects.get_or_create(
        symbol=symbol, defaults={"base": base, "quote": quote, "name": name}
    )
    series, _ = CandleSeries.objects.get_or_create(
        cryptocurrency=cryptocurrency, source=source, interval=interval, defaults={"generated": generated}
    )
    if series.generated is not generated:
        raise MixedSeriesError(
            f"{series} would mix generated and real candles; give one of them another source."
        )
    return append_candles(series, candles)


@transaction.atomic
def append_candles(series: CandleSeries, candles: Candles) -> CandleSeries:
    """Merge candles into a series: rewrites the months they are in, and raises the version.

    Writers of one series wait for each other here. Returns the series as it is stored now.
    """
    validate(candles)
    current = _locked(series)
    changed = _changed_months(current, candles)
    if changed:
        _store_months(current, changed)
        facts.update_after_change(current, changed)
    return current


@transaction.atomic
def remove_candles_before(series: CandleSeries, before_ms: int) -> int:
    """Forget the candles of a series that open before a time; a series that has none left goes too.

    Returns how many were removed.
    """
    current = _locked(series)
    records = current.chunk_records
    left = records[records["last_ms"] >= before_ms]
    if len(left) == len(records) and (not len(left) or left["first_ms"][0] >= before_ms):
        return 0
    if not len(left):
        current.delete()
        return int(records["count"].sum())
    CandleChunk.objects.filter(series=current, month__lt=int(left["month"][0])).delete()
    first = chunk_rows.unpack(chunk_rows.read_chunks(current.pk, [int(left["month"][0])]))
    kept = first.bars(first.bar_at(before_ms), len(first))
    changed = [Month(int(left["month"][0]), kept, codec.checksum(kept))]
    _store_months(current, changed)
    facts.update_after_removal(current, changed, before_ms)
    return int(records["count"].sum()) - current.candle_count


@transaction.atomic
def record(series: CandleSeries, entries: Sequence[dict[str, Any]]) -> None:
    """Remember what was done to candles on their way in; what is remembered already is not added again."""
    current = _locked(series)
    new = [entry for entry in entries if entry not in current.history]
    if new:
        CandleSeries.objects.filter(pk=current.pk).update(history=[*current.history, *new])


def _locked(series: CandleSeries) -> CandleSeries:
    """The series as it is now, locked until the transaction ends."""
    rows = CandleSeries.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related("cryptocurrency").get(pk=series.pk)


def _changed_months(series: CandleSeries, candles: Candles) -> list[Month]:
    """The months that differ from what is stored, merged with it."""
    months = manifests.months_of(candles.open_time_ms)
    starts = np.flatnonzero(np.diff(months, prepend=months[:1] - 1)).tolist()
    known = _known_months(series)
    there = [month for month in months[starts].tolist() if month in known]
    stored = {chunk.month: chunk for chunk in chunk_rows.read_chunks(series.pk, there)}
    changed: list[Month] = []
    for start, stop in zip(starts, [*starts[1:], len(candles)], strict=True):
        month, part = int(months[start]), candles.bars(start, stop)
        old = _stored_month(known[month], stored.get(month), part) if month in known else None
        merged = part if old is None else merged_candles(old, part)
        checksum = codec.checksum(merged)
        if old is None or checksum != known[month].checksum:
            changed.append(Month(month, merged, checksum))
    return changed


@dataclass(frozen=True, slots=True)
class _Known:
    """What the manifest says of a month."""

    count: int
    checksum: int


def _known_months(series: CandleSeries) -> dict[int, _Known]:
    records = series.chunk_records
    facts = map(_Known, records["count"].tolist(), records["checksum"].tolist())
    return dict(zip(records["month"].tolist(), facts, strict=True))


def _stored_month(known: _Known, stored: StoredChunk | None, part: Candles) -> Candles | None:
    """A month as it is stored; None if that is damaged and `part` can take its place.

    It can when it is at least as full, as when the month is imported again: fewer must not pass for all.
    """
    try:
        if stored is None or stored.checksum != known.checksum:
            raise DamagedSeriesError(
                "A stored month is missing, or not the one that was written; import it again."
            )
        return chunk_rows.unpack([stored])
    except DamagedSeriesError:
        if len(part) < known.count:
            raise
        return None


def _store_months(series: CandleSeries, changed: Sequence[Month]) -> None:
    CandleChunk.objects.bulk_create(
        [
            CandleChunk(
                series=series,
                month=month.month,
                count=len(month.candles),
                checksum=chunk_rows.signed(month.checksum),
                data=codec.encode(month.candles),
            )
            for month in changed
        ],
        update_conflicts=True,
        unique_fields=["series", "month"],
        update_fields=["count", "checksum", "data"],
        batch_size=100,
    )
