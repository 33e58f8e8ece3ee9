"""What the row of a series says about its candles: brought up to date with every write of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from market_data import chunks as chunk_rows
from market_data import manifest as manifests
from market_data import quality
from market_data.candles import Candles
from market_data.chunks import concatenate
from market_data.manifest import RECORD, Manifest
from market_data.models import CandleSeries
from market_data.quality import SeriesWarning

CONTEXT_CHUNKS = 2
"""Months before a changed one that a warning about its first candles may depend on."""


@dataclass(frozen=True, slots=True)
class Month:
    """One month of a series that has been written."""

    month: int
    candles: Candles
    checksum: int


def update_after_change(series: CandleSeries, changed: Sequence[Month]) -> None:
    """Bring the row in line with months that have been written."""
    records = _merged_manifest(series, changed)
    _update(series, records, _merged_warnings(series, records, changed))


def update_after_removal(series: CandleSeries, changed: Sequence[Month], before_ms: int) -> None:
    """Bring the row in line with the removal of all candles before a time."""
    records = _merged_manifest(series, changed)
    warnings = [warning for warning in series.warnings if warning["since_ms"] >= before_ms]
    _update(series, records[records["last_ms"] >= before_ms], warnings)


def _update(series: CandleSeries, records: Manifest, warnings: list[SeriesWarning]) -> None:
    series.manifest = records.tobytes()
    gaps, missing = manifests.gaps_between_months(records, series.interval_ms)
    series.version += 1
    series.candle_count = int(records["count"].sum())
    series.first_open_ms, series.last_open_ms = int(records["first_ms"][0]), int(records["last_ms"][-1])
    series.gap_count = int(records["gap_count"].sum()) + gaps
    series.missing_count = int(records["missing_count"].sum()) + missing
    series.zero_volume_count = int(records["zero_volume_count"].sum())
    series.quote_volume = manifests.recent_daily_quote_volume(records, series.interval_ms)
    series.warnings = warnings
    series.save()


def _merged_manifest(series: CandleSeries, changed: Sequence[Month]) -> Manifest:
    fresh = np.array([_record(month, series.interval_ms) for month in changed], dtype=RECORD)
    old = series.chunk_records
    kept = old[~np.isin(old["month"], fresh["month"])]
    return np.sort(np.concatenate([kept, fresh]), order="month")


def _record(month: Month, interval_ms: int) -> tuple[object, ...]:
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
    series: CandleSeries, records: Manifest, changed: Sequence[Month]
) -> list[SeriesWarning]:
    """Warnings about the changed months and the step into the next one, beside the old ones of the others."""
    first = int(np.searchsorted(records["month"], changed[0].month))
    last = int(np.searchsorted(records["month"], changed[-1].month))
    start, stop = max(first - CONTEXT_CHUNKS, 0), min(last + 2, len(records))
    near = _months_near(series, records["month"][start:stop].tolist(), changed)
    fresh = quality.warnings_of(concatenate(near), series.interval_ms)
    from_ms, to_ms = int(records["first_ms"][first]), int(near[-1].open_time_ms[-1])
    return quality.replace_between(series.warnings, fresh, from_ms, to_ms)


def _months_near(series: CandleSeries, months: list[int], changed: Sequence[Month]) -> list[Candles]:
    known = {month.month: month.candles for month in changed}
    others = chunk_rows.read_chunks(series.pk, [month for month in months if month not in known])
    known.update({chunk.month: chunk_rows.unpack([chunk]) for chunk in others})
    return [known[month] for month in months]
