from datetime import UTC, datetime

import numpy as np
import pytest

from market_data import aggregation, market, store
from market_data.candles import Candles
from market_data.intervals import DAY_MS, HOUR_MS, INTERVAL_MS
from market_data.models import CandleSeries
from market_data.tests.candle_maker import START_MS, candles_at, make_candles, same, without

FOREVER_MS = 4_000_000_000_000


@pytest.fixture(autouse=True)
def _candle_files(settings, tmp_path):
    settings.CANDLE_FILES_DIR = tmp_path / "candles"


def by_hand(candles: Candles, interval: str) -> list[tuple[float, ...]]:
    """The same, candle by candle."""
    made: dict[int, list[float]] = {}
    for bar in range(len(candles)):
        period = aggregation.start_of_period(int(candles.open_time_ms[bar]), interval)
        opened, high, low, close, volume = (
            float(getattr(candles, name)[bar]) for name in ("open", "high", "low", "close", "volume")
        )
        old = made.get(period)
        made[period] = (
            [opened, high, low, close, volume]
            if old is None
            else [old[0], max(old[1], high), min(old[2], low), close, old[4] + volume]
        )
    return [(period, *values) for period, values in made.items()]


@pytest.mark.parametrize("interval", ["2h", "4h", "6h", "8h", "12h", "1d", "1w"])
def test_coarser_candles_are_what_counting_by_hand_gives(interval):
    candles = without(make_candles(24 * 40), 0, 1, 23, 24, 25, *range(300, 420))
    coarse = aggregation.aggregate(candles, interval)
    columns = (coarse.open_time_ms, coarse.open, coarse.high, coarse.low, coarse.close, coarse.volume)
    for row, expected in zip(zip(*columns, strict=True), by_hand(candles, interval), strict=True):
        assert row == pytest.approx(expected, rel=1e-12)


def test_a_day_begins_at_midnight_utc_and_a_week_on_monday():
    times = np.array([START_MS + 5 * HOUR_MS, START_MS + 9 * DAY_MS], dtype=np.int64)
    assert aggregation.aggregate(candles_at(times), "1d").open_time_ms.tolist() == [
        START_MS,
        START_MS + 9 * DAY_MS,
    ]
    weeks = aggregation.aggregate(candles_at(times), "1w").open_time_ms.tolist()
    assert [datetime.fromtimestamp(week / 1000, tz=UTC).isoformat() for week in weeks] == [
        "2024-01-01T00:00:00+00:00",
        "2024-01-08T00:00:00+00:00",
    ]


def test_a_day_without_candles_stays_a_gap():
    coarse = aggregation.aggregate(without(make_candles(24 * 4), *range(24, 48)), "1d")
    assert np.diff(coarse.open_time_ms).tolist() == [2 * DAY_MS, DAY_MS]


@pytest.mark.parametrize(
    ("interval", "finer"),
    [
        ("1m", []),
        ("5m", ["1m"]),
        ("1h", ["1m", "5m", "15m", "30m"]),
        ("6h", ["1m", "5m", "15m", "30m", "1h", "2h"]),
    ],
)
def test_candles_are_made_only_of_such_that_fill_them(interval, finer):
    assert aggregation.finer_intervals(interval) == finer


@pytest.mark.django_db
class TestSeries:
    """Coarser series of stored ones."""

    def write(self, candles: Candles, symbol: str = "BTCUSDT", interval: str = "1h") -> CandleSeries:
        return store.write_candles(symbol=symbol, source="files", interval=interval, candles=candles)

    def daily(self) -> CandleSeries:
        (series,) = store.load_series(source="files", interval="1d", symbols=["BTCUSDT"])
        return series

    def test_a_finer_series_serves_a_coarser_interval(self):
        candles = without(make_candles(24 * 60), 100, 101)
        self.write(candles)
        series = self.daily()
        assert series.pk is None
        assert (series.candle_count, series.first_open_ms) == (60, START_MS)
        assert same(store.load_candles(series, 0, FOREVER_MS), aggregation.aggregate(candles, "1d"))

    @pytest.mark.parametrize(
        ("start", "end", "warm_up", "first", "stop"),
        [
            (10, 20, 0, 10, 20),
            (8, 12, 0, 8, 12),
            (10, 20, 5, 5, 20),
            (10, 20, 50, 0, 20),
            (0, 99, 3, 0, 60),
            (10.5, 11.5, 2, 9, 12),
        ],
    )
    def test_a_range_of_days_comes_with_its_warm_up(self, start, end, warm_up, first, stop):
        candles = without(make_candles(24 * 60), 20, 21, *range(24 * 8, 24 * 8 + 5))
        self.write(candles)
        days = aggregation.aggregate(candles, "1d")
        loaded = store.load_candles(
            self.daily(), START_MS + round(start * DAY_MS), START_MS + round(end * DAY_MS), warm_up
        )
        assert same(loaded, days.bars(first, stop))

    def test_days_that_are_cut_off_at_either_end_are_left_out(self):
        candles = make_candles(24 * 10).bars(5, 24 * 9 + 20)
        self.write(candles)
        loaded = store.load_candles(self.daily(), 0, FOREVER_MS)
        assert loaded.open_time_ms.tolist() == [START_MS + day * DAY_MS for day in range(1, 9)]

    def test_a_native_series_wins_over_an_aggregated_one(self):
        self.write(make_candles(24 * 10))
        native = self.write(make_candles(10, step_ms=DAY_MS), interval="1d")
        self.write(make_candles(24 * 10), "ETHUSDT")
        found = store.load_series(source="files", interval="1d")
        assert {(one.cryptocurrency.symbol, one.pk) for one in found} == {
            ("BTCUSDT", native.pk),
            ("ETHUSDT", None),
        }
        assert store.find_series(source="files", interval="1d", symbol="BTCUSDT") == native
        derived = store.find_series(source="files", interval="1d", symbol="ETHUSDT")
        assert derived is not None
        assert derived.base is not None

    def test_the_finest_series_is_taken(self):
        self.write(make_candles(24 * 10))
        self.write(make_candles(6 * 24 * 10, step_ms=INTERVAL_MS["15m"]), interval="15m")
        base = self.daily().base
        assert base is not None
        assert base.interval == "15m"

    def test_the_checksum_of_a_range_changes_with_its_candles_alone(self):
        candles = make_candles(24 * 90)
        series = self.write(candles.bars(0, 24 * 80))
        january = (START_MS, START_MS + 20 * DAY_MS, 0)
        before = (
            store.range_checksum(self.daily(), *january),
            store.range_checksum(self.daily(), 0, FOREVER_MS, 0),
        )
        store.append_candles(series, candles.bars(24 * 80, 24 * 90))
        assert store.range_checksum(self.daily(), *january) == before[0]
        assert store.range_checksum(self.daily(), 0, FOREVER_MS, 0) != before[1]
        assert store.range_checksum(series, *january) != before[0]

    def test_a_market_can_be_asked_for_an_interval_that_is_not_stored(self):
        self.write(make_candles(24 * 10).bars(5, 220))
        assert market.source_for("1d") == "files"
        assert market.source_for("1d", "elsewhere") is None
        assert market.source_for("15m") is None
        first, end = market.range_of(source="files", interval="1d")
        assert (first.isoformat(), end.isoformat()) == (
            "2024-01-01T00:00:00+00:00",
            "2024-01-11T00:00:00+00:00",
        )
