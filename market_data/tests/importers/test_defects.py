"""The files of `defects/`, raw, as they were found: each by name, with what is wrong in it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from market_data.adjusting import parse_adjustment
from market_data.importers.importing import Imported, ImportOptions, import_file
from market_data.models import CandleSeries
from market_data.store import load_candles

pytestmark = [pytest.mark.real_candles, pytest.mark.django_db]
FOREVER_MS = 4_000_000_000_000
Import = Callable[..., Imported]


@pytest.fixture
def imported(candles_dir: Path, settings, tmp_path) -> Import:
    settings.CANDLE_FILES_DIR = tmp_path / "candles"

    def run(name: str, **options) -> Imported:
        (found,) = import_file(candles_dir / "defects" / name, ImportOptions(**options))
        return found

    return run


# name, symbol, interval, candles, gaps, missing, without volume, repairs, warnings
FILES = [
    ("binance_AEURUSDT_1h_spike_halt.csv", "AEURUSDT", "1h", 138, 2, 68, 0, {}, ["halt"]),
    ("binance_BNXUSDT_1h_split100.csv", "BNXUSDT", "1h", 667, 1, 149, 0, {}, ["redenomination"]),
    ("binance_BTCUSDT_1h_outages.csv", "BTCUSDT", "1h", 4165, 4, 11, 0, {}, []),
    ("binance_FTTUSDT_1h_halt.csv", "FTTUSDT", "1h", 669, 1, 7467, 0, {}, ["halt"]),
    ("binance_NBTUSDT_1h_illiquid.csv", "NBTUSDT", "1h", 2049, 0, 0, 128, {}, []),
    ("binance_QUICKUSDT_1h_split1000.csv", "QUICKUSDT", "1h", 667, 1, 101, 0, {}, ["redenomination"]),
    ("binance_SUNUSDT_1h_split1000.csv", "SUNUSDT", "1h", 648, 1, 96, 0, {}, ["redenomination"]),
    ("binance_VIDTUSDT_1h_split10.csv", "VIDTUSDT", "1h", 667, 1, 221, 0, {}, ["redenomination"]),
    ("binanceperp_BTCUSDT_1h_incident_20241028.csv", "BTCUSDT", "1h", 30, 0, 0, 0, {}, []),
    ("binanceperp_BTCUSDT_1h_stale_partial_tail.csv", "BTCUSDT", "1h", 134, 0, 0, 0, {}, []),
    ("bybit_BTCUSDT_1d_dup.csv", "BTCUSDT", "1d", 1825, 0, 0, 0, {"repeated": 1}, []),
    ("cdd_Coinbase_BTCUSD_1d_raw.csv", "BTCUSD", "1d", 1770, 1, 12, 38, {"reordered": 1770}, ["halt"]),
    ("cdd_Coinbase_BTCUSD_1h_raw.csv.gz", "BTCUSD", "1h", 20111, 0, 0, 28, {"reordered": 20111}, []),
    ("yahoo_BTCB-USD_1d_null.csv", "BTCBUSD", "1d", 241, 4, 125, 0, {"empty": 125}, ["halt"] * 4),
]


@pytest.mark.parametrize(
    ("name", "symbol", "interval", "candles", "gaps", "missing", "empty", "repairs", "warnings"),
    FILES,
    ids=[row[0] for row in FILES],
)
def test_a_defective_file_is_imported_and_its_defect_named(
    imported: Import, name, symbol, interval, candles, gaps, missing, empty, repairs, warnings
):
    found = imported(name)
    series = CandleSeries.objects.get()
    assert (found.symbol, found.interval) == (symbol, interval)
    assert (series.candle_count, series.gap_count, series.missing_count) == (candles, gaps, missing)
    assert series.zero_volume_count == empty
    assert dict(found.repairs) == repairs
    assert [warning["code"] for warning in series.warnings] == warnings
    assert series.history == [{"rule": rule, "rows": rows, "file": name} for rule, rows in repairs.items()]


def test_the_two_lunas_become_two_series(imported: Import):
    found = imported("binance_LUNAUSDT_1h_collapse_relist.csv")
    former, present = found.series
    assert (former.cryptocurrency.symbol, former.candle_count) == ("LUNAUSDT.202205", 673)
    assert (present.cryptocurrency.symbol, present.candle_count) == ("LUNAUSDT", 498)
    assert former.candle_count + present.candle_count == found.candle_count == 1171
    (warning,) = [warning for warning in present.warnings if warning["code"] == "reused_symbol"]
    assert (warning["missing_count"], round(warning["factor"])) == (437, 171_116)


@pytest.mark.parametrize(
    ("name", "adjustment", "factor"),
    [
        ("binance_SUNUSDT_1h_split1000.csv", "SUNUSDT=1000@2021-06-18", 1000),
        ("binance_QUICKUSDT_1h_split1000.csv", "QUICKUSDT=1000@2023-07-21", 1000),
        ("binance_BNXUSDT_1h_split100.csv", "BNXUSDT=100@2023-02-22", 100),
        ("binance_VIDTUSDT_1h_split10.csv", "VIDTUSDT=10@2022-11-09T08:00Z", 10),
    ],
)
def test_a_redenomination_is_adjusted_by_name_and_stays_adjusted(imported: Import, name, adjustment, factor):
    imported(name)
    raw = load_candles(CandleSeries.objects.get(), 0, FOREVER_MS)
    imported(name, adjustments=[parse_adjustment(adjustment)])
    series = CandleSeries.objects.get()
    adjusted = load_candles(series, 0, FOREVER_MS)
    old = adjusted.bar_at(series.history[0]["before_ms"])
    assert adjusted.close[old - 1] == pytest.approx(raw.close[old - 1] / factor)
    assert adjusted.volume[old - 1] == pytest.approx(raw.volume[old - 1] * factor)
    assert adjusted.close[old] == raw.close[old]
    assert [warning["code"] for warning in series.warnings] == ["halt"]
    imported(name)
    assert CandleSeries.objects.get().version == series.version
