import numpy as np
import pytest

from market_data import reused, store
from market_data.candles import Candles
from market_data.intervals import HOUR_MS
from market_data.models import CandleSeries
from market_data.tests.candle_maker import START_MS, same, without

pytestmark = pytest.mark.django_db
FOREVER_MS = 4_000_000_000_000


@pytest.fixture(autouse=True)
def _candle_files(settings, tmp_path):
    settings.CANDLE_FILES_DIR = tmp_path / "candles"


def relisted() -> Candles:
    """A coin that dies within 100 hours, a hole of 800 hours, and another coin 100,000 times as dear."""
    prices = np.concatenate([np.geomspace(80, 0.0001, 100), np.full(800, 1.0), np.full(300, 10.0)])
    times = START_MS + HOUR_MS * np.arange(1200, dtype=np.int64)
    candles = Candles(times, prices, prices.copy(), prices.copy(), prices.copy(), np.ones(1200))
    return without(candles, *range(100, 900))


def write(candles: Candles) -> list[CandleSeries]:
    return reused.write_apart(symbol="LUNAUSDT", source="files", interval="1h", candles=candles)


def stored() -> dict[str, CandleSeries]:
    return {row.cryptocurrency.symbol: row for row in CandleSeries.objects.select_related("cryptocurrency")}


def test_a_reused_symbol_becomes_two_series_and_the_present_coin_keeps_the_name():
    candles = relisted()
    written = [series.cryptocurrency.symbol for series in write(candles)]
    assert written == ["LUNAUSDT.202401", "LUNAUSDT"]
    series = stored()
    assert same(store.load_candles(series["LUNAUSDT.202401"], 0, FOREVER_MS), candles.bars(0, 100))
    assert same(store.load_candles(series["LUNAUSDT"], 0, FOREVER_MS), candles.bars(100, 400))
    assert (series["LUNAUSDT"].gap_count, series["LUNAUSDT"].missing_count) == (0, 0)


def test_both_coins_carry_the_warning_on_the_candle_next_to_the_change():
    write(relisted())
    series = stored()
    for symbol, other, bar in (("LUNAUSDT", "LUNAUSDT.202401", 900), ("LUNAUSDT.202401", "LUNAUSDT", 99)):
        (warning,) = store.warnings_between(series[symbol], 0, FOREVER_MS)
        assert (warning["code"], warning.get("other"), warning["missing_count"]) == (
            "reused_symbol",
            other,
            800,
        )
        assert warning["since_ms"] == warning["at_ms"] == START_MS + bar * HOUR_MS
        assert store.warnings_between(series[symbol], warning["at_ms"] + 1, FOREVER_MS) == []


def test_writing_the_same_again_changes_neither_series():
    write(relisted())
    before = stored()
    write(relisted())
    after = stored()
    assert {symbol: row.version for symbol, row in after.items()} == {
        symbol: row.version for symbol, row in before.items()
    }
    assert {symbol: row.warnings for symbol, row in after.items()} == {
        symbol: row.warnings for symbol, row in before.items()
    }


def test_candles_of_the_former_coin_that_come_later_go_to_it():
    candles = relisted()
    write(candles.bars(50, 400))
    write(candles.bars(0, 50))
    assert stored()["LUNAUSDT.202401"].candle_count == 100
    assert stored()["LUNAUSDT"].candle_count == 300


def test_the_order_in_which_the_coins_arrive_does_not_matter():
    candles = relisted()
    write(candles.bars(100, 400))
    write(candles.bars(0, 100))
    assert {symbol: row.candle_count for symbol, row in stored().items()} == {
        "LUNAUSDT": 300,
        "LUNAUSDT.202401": 100,
    }


def test_a_candle_appended_to_the_present_coin_keeps_the_warning():
    candles = relisted()
    write(candles.bars(0, 399))
    store.append_candles(stored()["LUNAUSDT"], candles.bars(399, 400))
    assert [warning["code"] for warning in stored()["LUNAUSDT"].warnings] == ["reused_symbol"]


def test_removing_old_candles_keeps_the_rest():
    candles = without(relisted().bars(100, 400), 10)
    series = store.write_candles(symbol="AUSDT", source="files", interval="1h", candles=candles)
    removed = store.remove_candles_before(series, START_MS + 950 * HOUR_MS)
    assert removed == 49
    series.refresh_from_db()
    assert (series.candle_count, series.gap_count) == (250, 0)
    assert same(store.load_candles(series, 0, FOREVER_MS), candles.bars(49, 299))
    assert store.remove_candles_before(series, START_MS + 950 * HOUR_MS) == 0
    assert store.remove_candles_before(series, FOREVER_MS) == 250
    assert not CandleSeries.objects.exists()
