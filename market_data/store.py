"""Candles in and out of the database: the only module that writes a series, and what workers read with."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.conf import settings
from django.db import transaction

from market_data import chunks as chunk_rows
from market_data import codec, local_files, quality
from market_data import manifest as manifests
from market_data.candles import Candles, validate
from market_data.chunks import StoredChunk
from market_data.errors import DamagedSeriesError, MixedSeriesError
from market_data.manifest import RECORD, ChunkRange, Manifest
from market_data.models import CandleChunk, CandleSeries, Cryptocurrency
from market_data.quality import SeriesWarning
from market_data.symbols import split_symbol
from workers import rows

READ_ATTEMPTS = 5
_SERIES_COLUMNS = tuple(field.attname for field in CandleSeries._meta.concrete_fields)
_FIND_SERIES = """
    SELECT {columns} FROM market_data_candleseries
      JOIN market_data_cryptocurrency ON market_data_cryptocurrency.id = market_data_candleseries.cryptocurrency_id
     WHERE source = %s AND "interval" = %s AND symbol = %s AND candle_count > 0
"""
CONTEXT_CHUNKS = 2
"""Months before a changed one that a warning about its first candles may depend on."""


@dataclass(frozen=True, slots=True)
class _Month:
    """One month of a series that is about to be stored."""

    month: int
    candles: Candles
    checksum: int


def load_series(*, source: str, interval: str, symbols: Sequence[str] | None = None) -> list[CandleSeries]:
    """The series of a source at an interval, most traded first, each with its cryptocurrency: one query.

    `symbols` of None means all of them; a symbol without a series is left out.
    """
    series = CandleSeries.objects.filter(source=source, interval=interval, candle_count__gt=0)
    if symbols is not None:
        series = series.filter(cryptocurrency__symbol__in=list(symbols))
    return list(series.select_related("cryptocurrency").order_by("-quote_volume", "cryptocurrency__symbol"))


def find_series(*, source: str, interval: str, symbol: str) -> CandleSeries | None:
    """The series of one symbol, with its cryptocurrency; None if it has no candles. Made for the path of every job."""
    series = rows.fetch(CandleSeries, _FIND_SERIES, [source, interval, symbol], _SERIES_COLUMNS)
    if series is not None:
        series.cryptocurrency = Cryptocurrency(pk=series.cryptocurrency_id, symbol=symbol)
    return series


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
    for _ in range(READ_ATTEMPTS):
        manifest = series.chunk_records
        chunks = manifests.touched(manifest, start_ms, end_ms, warm_up_bars)
        loaded = _load_chunks(series, manifest, chunks)
        if loaded is not None:
            first = max(loaded.bar_at(start_ms) - warm_up_bars, 0)
            return loaded.bars(first, loaded.bar_at(end_ms))
        series.refresh_from_db()
    raise DamagedSeriesError(f"{series} does not match its own table of contents; import it again.")


def range_checksum(series: CandleSeries, start_ms: int, end_ms: int, warm_up_bars: int) -> str:
    """A digest of the months that a range and its warm-up touch; no query, no file, microseconds."""
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
    locked = CandleSeries.objects.select_for_update(no_key=True, of=("self",)).select_related(
        "cryptocurrency"
    )
    current = locked.get(pk=series.pk)
    changed = _changed_months(current, candles)
    if changed:
        _store_months(current, changed)
        _update_facts(current, changed)
    return current


def _load_chunks(series: CandleSeries, manifest: Manifest, chunks: ChunkRange) -> Candles | None:
    """All candles of some chunks; None when the database no longer holds what the manifest says."""
    loaded = codec.empty_candles(int(manifest["count"][chunks.start : chunks.stop].sum()))
    at = 0
    for segment in local_files.segments(
        settings.CANDLE_FILES_DIR, series.pk, series.interval, manifest, chunks
    ):
        count = local_files.read(segment, manifest, chunks, loaded, at)
        if count is None:
            whole = _read_database(series.pk, manifest, segment.start, segment.stop)
            if whole is None:
                return None
            local_files.write(segment, whole)
            count = _copy_wanted(manifest, segment, chunks, whole, loaded, at)
        at += count
    return loaded


def _read_database(series_id: int, manifest: Manifest, start: int, stop: int) -> Candles | None:
    """Candles of some chunks from the database; None when the series has been changed meanwhile."""
    records = manifest[start:stop]
    stored = chunk_rows.read_chunks(series_id, records["month"].tolist())
    expected = list(
        zip(records["month"].tolist(), records["count"].tolist(), records["checksum"].tolist(), strict=True)
    )
    if [(chunk.month, chunk.count, chunk.checksum) for chunk in stored] != expected:
        return None
    return unpack(stored)


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


def _chunk_name(chunk: StoredChunk) -> str:
    series = CandleSeries.objects.select_related("cryptocurrency").get(pk=chunk.series_id)
    return f"{series}, month {manifests.month_name(chunk.month)}"


def _copy_wanted(
    manifest: Manifest,
    segment: local_files.Segment,
    chunks: ChunkRange,
    whole: Candles,
    into: Candles,
    at: int,
) -> int:
    counts = manifest["count"]
    start, stop = max(segment.start, chunks.start), min(segment.stop, chunks.stop)
    skipped, wanted = int(counts[segment.start : start].sum()), int(counts[start:stop].sum())
    for name in codec.COLUMNS:
        getattr(into, name)[at : at + wanted] = getattr(whole, name)[skipped : skipped + wanted]
    return wanted


def _changed_months(series: CandleSeries, candles: Candles) -> list[_Month]:
    """The months that differ from what is stored, merged with it."""
    months = manifests.months_of(candles.open_time_ms)
    starts = np.flatnonzero(np.diff(months, prepend=months[:1] - 1)).tolist()
    known = _known_months(series)
    there = [month for month in months[starts].tolist() if month in known]
    stored = {chunk.month: chunk for chunk in chunk_rows.read_chunks(series.pk, there)}
    changed: list[_Month] = []
    for start, stop in zip(starts, [*starts[1:], len(candles)], strict=True):
        month, part = int(months[start]), candles.bars(start, stop)
        old = _stored_month(known[month], stored.get(month), part) if month in known else None
        merged = part if old is None else merge(old, part)
        checksum = codec.checksum(merged)
        if old is None or checksum != known[month].checksum:
            changed.append(_Month(month, merged, checksum))
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
        return unpack([stored])
    except DamagedSeriesError:
        if len(part) < known.count:
            raise
        return None


def merge(old: Candles, new: Candles) -> Candles:
    """Candles of both, oldest first; where both have one, the new one."""
    times = np.concatenate([new.open_time_ms, old.open_time_ms])
    _, chosen = np.unique(times, return_index=True)
    return Candles(
        *(np.concatenate([getattr(new, name), getattr(old, name)])[chosen] for name in codec.COLUMNS)
    )


def _store_months(series: CandleSeries, changed: Sequence[_Month]) -> None:
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


def _update_facts(series: CandleSeries, changed: Sequence[_Month]) -> None:
    """Bring the series' row in line with its changed months."""
    records = _merged_manifest(series, changed)
    series.manifest = records.tobytes()
    gaps, missing = manifests.gaps_between_months(records, series.interval_ms)
    series.version += 1
    series.candle_count = int(records["count"].sum())
    series.first_open_ms, series.last_open_ms = int(records["first_ms"][0]), int(records["last_ms"][-1])
    series.gap_count = int(records["gap_count"].sum()) + gaps
    series.missing_count = int(records["missing_count"].sum()) + missing
    series.zero_volume_count = int(records["zero_volume_count"].sum())
    series.quote_volume = manifests.recent_daily_quote_volume(records, series.interval_ms)
    series.warnings = _merged_warnings(series, records, changed)
    series.save()


def _merged_manifest(series: CandleSeries, changed: Sequence[_Month]) -> Manifest:
    fresh = np.array([_record(month, series.interval_ms) for month in changed], dtype=RECORD)
    old = series.chunk_records
    kept = old[~np.isin(old["month"], fresh["month"])]
    return np.sort(np.concatenate([kept, fresh]), order="month")


def _record(month: _Month, interval_ms: int) -> tuple[object, ...]:
    candles = month.candles
    counts = quality.count(candles, interval_ms)
    return (
        month.month,
        len(candles),
        int(candles.open_time_ms[0]),
        int(candles.open_time_ms[-1]),
        month.checksum,
        counts.zero_volume_count,
        counts.gap_count,
        counts.missing_count,
        float(candles.volume @ candles.close),
    )


def _merged_warnings(
    series: CandleSeries, records: Manifest, changed: Sequence[_Month]
) -> list[SeriesWarning]:
    """Warnings about the changed months and the step into the next one, beside the old ones of the others."""
    first = int(np.searchsorted(records["month"], changed[0].month))
    last = int(np.searchsorted(records["month"], changed[-1].month))
    start, stop = max(first - CONTEXT_CHUNKS, 0), min(last + 2, len(records))
    near = _months_near(series, records["month"][start:stop].tolist(), changed)
    fresh = quality.warnings_of(concatenate(near), series.interval_ms)
    from_ms, to_ms = int(records["first_ms"][first]), int(near[-1].open_time_ms[-1])
    return quality.replace_between(series.warnings, fresh, from_ms, to_ms)


def _months_near(series: CandleSeries, months: list[int], changed: Sequence[_Month]) -> list[Candles]:
    known = {month.month: month.candles for month in changed}
    others = chunk_rows.read_chunks(series.pk, [month for month in months if month not in known])
    known.update({chunk.month: unpack([chunk]) for chunk in others})
    return [known[month] for month in months]


def concatenate(parts: Sequence[Candles]) -> Candles:
    """Candles one after the other; the parts must be in order."""
    return Candles(*(np.concatenate([getattr(part, name) for part in parts]) for name in codec.COLUMNS))
