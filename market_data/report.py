"""Everything that can be said about the quality of one series, worked out when someone asks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from market_data import store
from market_data.candles import Candles, FloatArray, IntArray
from market_data.models import CandleSeries
from market_data.quality import SeriesWarning, missing_before

MOST_OTHERS = 100
MARKET_WIDE_SHARE = 0.8
"""An outage that this share of the other coins had at the same time is the exchange's, not the coin's."""
SHORTEST_STRETCH = 3
UNFINISHED_VOLUME = 0.3
_WINDOW = 49
_LOW_VOLUME = 0.6
_STEP, _BIG_STEP = (0.0003, 15, 10), (0.0005, 100, 100)
"""A step from a close to the next open that is suspicious with low volume, and with any: at least this fraction of the
price, this many ticks, and this many times what is usual around it."""
_TICK_CANDLES = 50_000
_FOREVER_MS = 1 << 62


@dataclass(frozen=True, slots=True)
class Gap:
    """Candles that are missing, between two that are there.

    Attributes
    ----------
    since_ms, at_ms
        Open times of the candles before and after.
    others_count, others_missing_count
        Series of the same source that cover this time, and those of them that have no candle in it either.
    market_wide
        Whether the exchange was out, not the coin; None without other series to compare with.
    """

    since_ms: int
    at_ms: int
    missing_count: int
    others_count: int
    others_missing_count: int
    market_wide: bool | None


@dataclass(frozen=True, slots=True)
class Stretch:
    """Neighbouring candles without any volume."""

    first_open_ms: int
    last_open_ms: int
    candle_count: int


@dataclass(frozen=True, slots=True)
class QualityReport:
    """What is there, what is missing, and what looks wrong.

    Attributes
    ----------
    partial_ms
        Open times of candles that look unfinished, as an interrupted download leaves them: a close that the
        next candle does not open at, in a market where it always does, and little volume unless it is far off.
    last_is_unfinished
        The last candle has far less volume than those before it.
    """

    series: CandleSeries
    expected_count: int
    gaps: list[Gap]
    zero_volume_stretches: list[Stretch]
    partial_ms: list[int]
    last_is_unfinished: bool

    @property
    def market_wide_gap_count(self) -> int:
        """Gaps that are the exchange's."""
        return sum(1 for gap in self.gaps if gap.market_wide)

    @property
    def own_gap_count(self) -> int:
        """Gaps that are the coin's own, or that nothing could be compared with."""
        return len(self.gaps) - self.market_wide_gap_count

    @property
    def warnings(self) -> list[SeriesWarning]:
        """Halts, reused symbols, redenominations and jumps."""
        return self.series.warnings


def report(series: CandleSeries) -> QualityReport:
    """Look at all candles of a series, and at those of its neighbours where it has none."""
    candles = store.load_candles(series, 0, _FOREVER_MS)
    steps = np.diff(candles.open_time_ms[[0, -1]])[0] // series.interval_ms if len(candles) else -1
    return QualityReport(
        series=series,
        expected_count=int(steps) + 1,
        gaps=_gaps(series, candles.open_time_ms),
        zero_volume_stretches=_zero_volume_stretches(candles),
        partial_ms=partial_candles(candles, series.interval_ms),
        last_is_unfinished=_last_is_unfinished(candles.volume),
    )


def partial_candles(candles: Candles, interval_ms: int) -> list[int]:
    """Open times of candles that look unfinished, the last one aside."""
    if len(candles) < _WINDOW // 2:
        return []
    before, after = candles.close[:-1], candles.open[1:]
    step = np.abs(after / before - 1)
    usual = pd.Series(step).rolling(_WINDOW, center=True, min_periods=10).quantile(0.8).to_numpy()
    volume = (
        pd.Series(candles.volume).rolling(_WINDOW // 2 + 1, center=True, min_periods=6).median().to_numpy()
    )
    ticks = step * before / _tick(candles)
    low, big = (
        (step > fraction) & (ticks > least_ticks) & (step > times * usual)
        for fraction, least_ticks, times in (_STEP, _BIG_STEP)
    )
    suspicious = (candles.volume[:-1] < _LOW_VOLUME * volume[:-1]) & low | big
    neighbours = np.diff(candles.open_time_ms) == interval_ms
    return candles.open_time_ms[:-1][suspicious & neighbours].tolist()


def _tick(candles: Candles) -> float:
    """The smallest difference between two prices; infinite where all are the same."""
    some = slice(None, None, len(candles) // _TICK_CANDLES + 1)
    prices = np.unique(np.concatenate([candles.open[some], candles.close[some]]))
    differences = np.diff(prices)
    return float(np.min(differences, initial=np.inf, where=differences > 1e-9 * prices[1:]))


def _last_is_unfinished(volume: FloatArray) -> bool:
    recent = volume[-_WINDOW:-1]
    return bool(recent.size >= _WINDOW // 2 and volume[-1] < UNFINISHED_VOLUME * np.median(recent))


def _zero_volume_stretches(candles: Candles) -> list[Stretch]:
    empty = np.concatenate([[False], candles.volume == 0.0, [False]])
    starts, stops = np.flatnonzero(~empty[:-1] & empty[1:]), np.flatnonzero(empty[:-1] & ~empty[1:])
    times = candles.open_time_ms
    return [
        Stretch(int(times[start]), int(times[stop - 1]), stop - start)
        for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)
        if stop - start >= SHORTEST_STRETCH
    ]


def _gaps(series: CandleSeries, times: IntArray) -> list[Gap]:
    missing = missing_before(times, series.interval_ms)
    bars = np.flatnonzero(missing)
    since, at = times[bars], times[bars + 1]
    covering, lacking = _compare(_others(series), since, at)
    return [
        Gap(
            since_ms, at_ms, count, others, without, without >= MARKET_WIDE_SHARE * others if others else None
        )
        for since_ms, at_ms, count, others, without in zip(
            since.tolist(),
            at.tolist(),
            missing[bars].tolist(),
            covering.tolist(),
            lacking.tolist(),
            strict=True,
        )
    ]


def _others(series: CandleSeries) -> list[CandleSeries]:
    others = CandleSeries.objects.filter(
        source=series.source, interval=series.interval, generated=series.generated, candle_count__gt=0
    )
    return list(others.exclude(pk=series.pk).order_by("-candle_count")[:MOST_OTHERS])


def _compare(
    others: Sequence[CandleSeries], since: IntArray, at: IntArray
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each gap: how many other series cover it, and how many of those have no candle in it."""
    covering, lacking = np.zeros(len(since), np.int64), np.zeros(len(since), np.int64)
    if not len(since):
        return covering, lacking
    for other in others:
        times = store.load_candles(other, int(since[0]), int(at[-1]) + 1).open_time_ms
        covers = (since >= (other.first_open_ms or 0)) & (at <= (other.last_open_ms or 0))
        present = np.searchsorted(times, at, side="left") > np.searchsorted(times, since, side="right")
        covering += covers
        lacking += covers & ~present
    return covering, lacking
