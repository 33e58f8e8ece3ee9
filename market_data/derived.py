"""Series that are not stored: coarser candles of a stored series, in the shape of a series.

They can be loaded, fingerprinted and backtested like any other; nobody can write to them. Only whole periods
count: a day that the stored candles begin or end in the middle of is left out: nobody can tell the day
a coin was listed from the day a file happens to begin.
"""

from dataclasses import dataclass

from market_data.aggregation import aggregate, next_period, start_of_period
from market_data.candles import Candles
from market_data.intervals import INTERVAL_MS
from market_data.models import CandleSeries


@dataclass(frozen=True, slots=True)
class BaseRange:
    """Which finer candles to load for a range of coarser ones."""

    start_ms: int
    end_ms: int
    warm_up_bars: int


def derive(base: CandleSeries, interval: str) -> CandleSeries | None:
    """A coarser series of a stored one; None when that does not fill a single period."""
    start_ms, end_ms = _whole_periods(base, interval)
    if start_ms >= end_ms:
        return None
    series = CandleSeries(
        cryptocurrency=base.cryptocurrency,
        source=base.source,
        interval=interval,
        version=base.version,
        generated=base.generated,
        candle_count=(end_ms - start_ms) // INTERVAL_MS[interval],
        first_open_ms=start_ms,
        last_open_ms=end_ms - INTERVAL_MS[interval],
        quote_volume=base.quote_volume,
        warnings=base.warnings,
    )
    series.base = base
    return series


def base_range(
    series: CandleSeries, base: CandleSeries, start_ms: int, end_ms: int, warm_up_bars: int
) -> BaseRange:
    """The finer candles of a range and its warm-up, and one period more: the first one may be cut off."""
    ratio = series.interval_ms // base.interval_ms
    return BaseRange(
        next_period(start_ms, series.interval),
        next_period(end_ms, series.interval),
        (warm_up_bars + 1) * ratio,
    )


def coarsen(
    series: CandleSeries, base: CandleSeries, loaded: Candles, start_ms: int, end_ms: int, warm_up_bars: int
) -> Candles:
    """The coarser candles of a range and its warm-up, from what `base_range` asked for."""
    first_ms, last_ms = _whole_periods(base, series.interval)
    if len(loaded) and loaded.open_time_ms[0] > start_of_period(int(loaded.open_time_ms[0]), series.interval):
        first_ms = max(first_ms, next_period(int(loaded.open_time_ms[0]), series.interval))
    candles = aggregate(loaded, series.interval).between(first_ms, min(end_ms, last_ms))
    return candles.bars(max(candles.bar_at(start_ms) - warm_up_bars, 0), len(candles))


def _whole_periods(base: CandleSeries, interval: str) -> tuple[int, int]:
    """Begin and end of the periods that a stored series covers to their ends."""
    first_ms, last_ms = base.first_open_ms or 0, base.last_open_ms or 0
    return next_period(first_ms, interval), start_of_period(last_ms + base.interval_ms, interval)
