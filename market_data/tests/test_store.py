import threading

import numpy as np
import pytest
from django.db import connections

from market_data import codec, store
from market_data.candles import CandleError, Candles
from market_data.errors import DamagedSeriesError, MixedSeriesError
from market_data.intervals import DAY_MS, HOUR_MS
from market_data.models import CandleChunk, CandleSeries, Cryptocurrency
from market_data.tests.candle_maker import START_MS, make_candles, same, without

pytestmark = pytest.mark.django_db
FOREVER_MS = 4_000_000_000_000


@pytest.fixture(autouse=True)
def _candle_files(settings, tmp_path):
    settings.CANDLE_FILES_DIR = tmp_path / "candles"


def write(candles: Candles, symbol: str = "BTCUSDT", interval: str = "1h") -> CandleSeries:
    return store.write_candles(symbol=symbol, source="files", interval=interval, candles=candles)


def test_candles_come_back_as_they_were_written():
    candles = without(make_candles(24 * 70), 5, 6, 1000)
    series = write(candles)
    assert same(store.load_candles(series, 0, FOREVER_MS), candles)
    assert same(store.load_candles(series, 0, FOREVER_MS), candles), "from local files"
    assert CandleChunk.objects.count() == 3


def test_the_row_of_a_series_says_what_it_holds():
    candles = without(make_candles(24 * 70), 5, 6, 1000)
    candles.volume[[7, 8, 9]] = 0.0
    series = CandleSeries.objects.get(pk=write(candles).pk)
    assert (series.candle_count, series.gap_count, series.missing_count, series.zero_volume_count) == (
        1677,
        2,
        3,
        3,
    )
    assert (series.first_open_ms, series.last_open_ms) == (START_MS, START_MS + (24 * 70 - 1) * HOUR_MS)
    assert series.version == 1
    assert (series.cryptocurrency.base, series.cryptocurrency.quote) == ("BTC", "USDT")


def test_a_gap_over_the_end_of_a_month_is_counted_once():
    series = write(without(make_candles(24 * 40), *range(31 * 24 - 5, 31 * 24 + 7)))
    assert (series.gap_count, series.missing_count) == (1, 12)


def test_writing_the_same_again_changes_nothing():
    first = write(make_candles(24 * 70))
    again = write(make_candles(24 * 70))
    assert (again.version, bytes(again.manifest)) == (first.version, first.manifest)


def test_appending_a_candle_rewrites_one_chunk_and_raises_the_version():
    candles = make_candles(24 * 70)
    series = write(candles.bars(0, 24 * 70 - 1))
    before = dict(CandleChunk.objects.values_list("month", "checksum"))
    changed = store.append_candles(series, candles.bars(24 * 70 - 1, 24 * 70))
    after = dict(CandleChunk.objects.values_list("month", "checksum"))
    assert changed.version == 2
    assert [month for month in after if before[month] != after[month]] == [max(after)]
    assert same(store.load_candles(changed, 0, FOREVER_MS), candles)


def test_a_newer_candle_replaces_the_stored_one():
    candles, correction = make_candles(100), make_candles(10, start_ms=START_MS + 40 * HOUR_MS, seed=9)
    series = store.append_candles(write(candles), correction)
    loaded = store.load_candles(series, 0, FOREVER_MS)
    assert len(loaded) == 100
    assert same(loaded.bars(40, 50), correction)
    assert same(loaded.bars(50, 100), candles.bars(50, 100))


def test_the_order_in_which_parts_arrive_does_not_matter():
    candles = make_candles(24 * 130)
    whole = write(candles)
    shuffled = write(candles.bars(2000, 3120), "ETHUSDT")
    for start, stop in ((700, 1500), (0, 900), (1400, 2100)):
        shuffled = store.append_candles(shuffled, candles.bars(start, stop))
    shuffled.refresh_from_db()
    whole.refresh_from_db()
    assert bytes(shuffled.manifest) == bytes(whole.manifest)
    assert shuffled.warnings == whole.warnings
    stored = [
        bytes(data) for data in CandleChunk.objects.order_by("month", "series").values_list("data", flat=True)
    ]
    assert stored[::2] == stored[1::2]


@pytest.mark.parametrize(
    ("start_bar", "end_bar", "warm_up_bars", "first_bar", "count"),
    [
        (0, 1680, 0, 0, 1680),
        (800, 900, 0, 800, 100),
        (800, 900, 14, 786, 114),
        (800, 900, 100, 700, 200),
        (5, 10, 14, 0, 10),
        (744, 750, 1, 743, 7),
        (1670, 5000, 0, 1670, 10),
        (5000, 6000, 3, 1677, 3),
    ],
)
def test_a_range_comes_with_its_warm_up(start_bar, end_bar, warm_up_bars, first_bar, count):
    candles = make_candles(24 * 70)
    series = write(candles)
    for _ in range(2):
        loaded = store.load_candles(
            series, START_MS + start_bar * HOUR_MS, START_MS + end_bar * HOUR_MS, warm_up_bars
        )
        assert same(loaded, candles.bars(first_bar, first_bar + count))


def test_loaded_arrays_are_writable_and_contiguous():
    series = write(make_candles(24 * 70))
    for _ in range(2):
        loaded = store.load_candles(series, START_MS + 800 * HOUR_MS, FOREVER_MS)
        for name in codec.COLUMNS:
            array = getattr(loaded, name)
            assert array.flags.writeable
            assert array.flags.c_contiguous
            assert array.dtype == (np.int64 if name == "open_time_ms" else np.float64)


def test_series_of_a_source_come_most_traded_first():
    busy, quiet = make_candles(100), make_candles(100)
    busy.volume[:] *= 1000
    write(quiet, "BTCUSDT")
    write(busy, "ETHUSDT")
    write(make_candles(50, step_ms=DAY_MS), "XRPUSDT", "1d")
    symbols = [series.cryptocurrency.symbol for series in store.load_series(source="files", interval="1h")]
    assert symbols == ["ETHUSDT", "BTCUSDT"]
    only = store.load_series(source="files", interval="1h", symbols=["BTCUSDT", "NONE"])
    assert [series.cryptocurrency.symbol for series in only] == ["BTCUSDT"]


def test_loading_after_a_change_reads_the_series_again():
    stale = write(make_candles(24 * 70))
    changed = store.append_candles(stale, make_candles(1, start_ms=START_MS + 24 * 70 * HOUR_MS))
    loaded = store.load_candles(stale, 0, FOREVER_MS)
    assert len(loaded) == 24 * 70 + 1
    assert store.range_checksum(stale, 0, FOREVER_MS, 0) == store.range_checksum(changed, 0, FOREVER_MS, 0)


def test_the_checksum_of_a_range_does_not_change_with_candles_elsewhere():
    series = write(make_candles(24 * 70))
    january = (START_MS, START_MS + 31 * DAY_MS)
    before = store.range_checksum(series, *january, 10), store.range_checksum(series, 0, FOREVER_MS, 0)
    changed = store.append_candles(series, make_candles(1, start_ms=START_MS + 24 * 70 * HOUR_MS))
    assert store.range_checksum(changed, *january, 10) == before[0]
    assert store.range_checksum(changed, 0, FOREVER_MS, 0) != before[1]


def test_a_damaged_chunk_is_reported_by_name():
    series = write(make_candles(24 * 70))
    chunk = CandleChunk.objects.order_by("month")[1]
    chunk.data = codec.encode(make_candles(chunk.count, start_ms=START_MS + 31 * DAY_MS, seed=5))
    chunk.save()
    with pytest.raises(DamagedSeriesError, match=r"BTCUSDT 1h .files., month 2024-02"):
        store.load_candles(series, 0, FOREVER_MS)


@pytest.mark.parametrize("missing", [True, False])
def test_a_damaged_month_is_repaired_by_importing_it_again(missing):
    candles = make_candles(24 * 70)
    series = write(candles)
    chunk = CandleChunk.objects.order_by("month")[1]
    if missing:
        chunk.delete()
    else:
        CandleChunk.objects.filter(pk=chunk.pk).update(data=b"rubbish")
    with pytest.raises(DamagedSeriesError):
        store.append_candles(series, candles.bars(800, 801))
    assert same(store.load_candles(write(candles), 0, FOREVER_MS), candles)


def test_a_missing_chunk_is_reported():
    series = write(make_candles(24 * 70))
    CandleChunk.objects.order_by("month")[1].delete()
    with pytest.raises(DamagedSeriesError, match="import it again"):
        store.load_candles(series, 0, FOREVER_MS)


def test_illegal_candles_are_not_stored():
    candles = make_candles(100)
    candles.low[50] = 1e9
    with pytest.raises(CandleError, match=r"low must not be above open or close: 1000000000\.0 at bar 50"):
        write(candles)
    assert not CandleSeries.objects.exists()
    assert not Cryptocurrency.objects.exists()


def test_generated_and_real_candles_do_not_mix():
    write(make_candles(10))
    with pytest.raises(MixedSeriesError, match="mix generated and real"):
        store.write_candles(
            symbol="BTCUSDT", source="files", interval="1h", candles=make_candles(10), generated=True
        )


@pytest.mark.django_db(transaction=True)
def test_many_writers_of_one_series_lose_nothing():
    candles = make_candles(24 * 60)
    parts = [candles.bars(start, start + 24) for start in range(0, 24 * 60, 24)]
    errors: list[Exception] = []

    def work(share: list[Candles]) -> None:
        try:
            for part in share:
                write(part)
        except Exception as error:  # noqa: BLE001 (the test reports it)
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(parts[start::4],)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    series = CandleSeries.objects.get()
    assert series.version == 60
    assert same(store.load_candles(series, 0, FOREVER_MS), candles)
