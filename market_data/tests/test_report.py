import numpy as np
import pyarrow.parquet as pa_parquet
import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from market_data import store
from market_data.candles import Candles
from market_data.codec import COLUMNS
from market_data.importers.importing import ImportOptions, import_file
from market_data.intervals import HOUR_MS
from market_data.models import CandleSeries
from market_data.report import Stretch, partial_candles, report
from market_data.tests.candle_maker import START_MS, make_candles, without

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _candle_files(settings, tmp_path):
    settings.CANDLE_FILES_DIR = tmp_path / "candles"


def write(symbol: str, *missing: int) -> CandleSeries:
    candles = without(make_candles(300), *missing)
    return store.write_candles(symbol=symbol, source="files", interval="1h", candles=candles)


def test_an_outage_of_the_exchange_is_told_from_one_of_the_coin():
    series = write("AUSDT", 10, 11, 50, 200)
    for symbol in ("BUSDT", "CUSDT", "DUSDT"):
        write(symbol, 10, 11, 199)
    found = report(series)
    assert [(gap.since_ms, gap.missing_count, gap.market_wide) for gap in found.gaps] == [
        (START_MS + 9 * HOUR_MS, 2, True),
        (START_MS + 49 * HOUR_MS, 1, False),
        (START_MS + 199 * HOUR_MS, 1, False),
    ]
    assert (found.market_wide_gap_count, found.own_gap_count, found.expected_count) == (1, 2, 300)


def test_a_coin_that_is_alone_can_not_tell_whose_an_outage_was():
    (gap,) = report(write("AUSDT", 10)).gaps
    assert (gap.market_wide, gap.others_count) == (None, 0)


def test_stretches_without_volume_are_listed():
    candles = make_candles(100)
    candles.volume[[5, 20, 21, 30, 31, 32, 33, 97, 98, 99]] = 0.0
    series = store.write_candles(symbol="AUSDT", source="files", interval="1h", candles=candles)
    assert report(series).zero_volume_stretches == [
        Stretch(START_MS + 30 * HOUR_MS, START_MS + 33 * HOUR_MS, 4),
        Stretch(START_MS + 97 * HOUR_MS, START_MS + 99 * HOUR_MS, 3),
    ]


def test_a_candle_that_was_taken_before_it_was_finished_is_suspected():
    candles = make_candles(200)
    candles.open[1:] = candles.close[:-1]
    candles.volume[:] = 1000.0
    candles.close[100] = candles.close[100] + 1.0
    candles.volume[[100, 199]] = 50.0
    candles.high[:] = np.maximum(candles.open, candles.close) + 1
    candles.low[:] = np.minimum(candles.open, candles.close) - 1
    series = store.write_candles(symbol="AUSDT", source="files", interval="1h", candles=candles)
    found = report(series)
    assert found.partial_ms == [START_MS + 100 * HOUR_MS]
    assert found.last_is_unfinished


def test_the_report_comes_over_the_api():
    client = APIClient()
    client.force_authenticate(User.objects.create_user("ann"))
    series = write("AUSDT", 10, *range(100, 160))
    answer = client.get(f"/api/series/{series.pk}/quality/").json()
    assert answer["symbol"] == "AUSDT"
    assert (answer["expected_count"], answer["series"]["candle_count"]) == (300, 239)
    assert answer["gaps"][0] == {
        "since": "2024-01-01T09:00:00Z",
        "until": "2024-01-01T11:00:00Z",
        "missing_count": 1,
        "others_count": 0,
        "others_missing_count": 0,
        "market_wide": None,
    }
    assert [warning["code"] for warning in answer["warnings"]] == ["halt"]
    assert client.get("/api/series/999999/quality/").status_code == 404


@pytest.mark.real_candles
def test_outages_of_binance_and_the_halt_of_ftt_are_told_apart(candles_dir):
    for symbol in ("BTC", "ETH", "BNB", "FTT"):
        import_file(candles_dir / "spot_1h" / f"{symbol}USDT.parquet", ImportOptions())
    rows = {row.cryptocurrency.symbol: row for row in CandleSeries.objects.select_related("cryptocurrency")}
    btc, ftt = report(rows["BTCUSDT"]), report(rows["FTTUSDT"])
    assert (btc.market_wide_gap_count, btc.own_gap_count) == (28, 0)
    assert (ftt.market_wide_gap_count, ftt.own_gap_count) == (4, 1)
    assert [gap.missing_count for gap in ftt.gaps if not gap.market_wide] == [7467]


@pytest.mark.real_candles
def test_a_stale_tail_is_found(candles_dir):
    name = "binanceperp_BTCUSDT_1h_stale_partial_tail.csv"
    (found,) = import_file(candles_dir / "defects" / name, ImportOptions())
    partial = np.array(report(found.series[-1]).partial_ms, dtype="datetime64[ms]").astype("datetime64[h]")
    assert partial.astype(str).tolist() == [
        "2026-03-23T08",
        "2026-03-23T14",
        "2026-03-24T15",
        "2026-03-25T07",  # a third of the usual volume, and a step of 0.2 %: it is one of them
        "2026-03-25T08",
        "2026-03-25T09",
        "2026-03-25T11",
    ]
    assert report(found.series[-1]).last_is_unfinished, "2026-03-25 13:00"


@pytest.mark.real_candles
def test_hardly_a_whole_candle_is_suspected(candles_dir):
    suspected = total = 0
    for path in (candles_dir / "spot_1h").glob("[A-C]*.parquet"):
        table = pa_parquet.read_table(path)
        times = table.column("datetime").cast("int64").to_numpy().copy()
        candles = Candles(times, *(table.column(name).to_numpy().copy() for name in COLUMNS[1:]))
        suspected += len(partial_candles(candles, HOUR_MS))
        total += len(candles)
    assert total > 500_000
    assert suspected <= 20


@pytest.mark.real_candles
def test_a_candle_cut_short_by_an_incident_is_found(candles_dir):
    name = "binanceperp_BTCUSDT_1h_incident_20241028.csv"
    (found,) = import_file(candles_dir / "defects" / name, ImportOptions())
    partial = np.array(report(found.series[-1]).partial_ms, dtype="datetime64[ms]").astype("datetime64[h]")
    assert "2024-10-28T21" in partial.astype(str)
