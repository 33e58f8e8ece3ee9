import os
import resource
import threading
from pathlib import Path

import pytest
from django.db import connections

from market_data import chunks, loading, local_files, store
from market_data.intervals import DAY_MS, HOUR_MS
from market_data.models import CandleChunk, CandleSeries
from market_data.tests.candle_maker import START_MS, make_candles, same

pytestmark = pytest.mark.django_db
FOREVER_MS = 4_000_000_000_000
CANDLES = make_candles(24 * 500)
LONG = make_candles(24 * 910)


@pytest.fixture(autouse=True)
def folder(settings, tmp_path) -> Path:
    settings.CANDLE_FILES_DIR = tmp_path / "candles"
    return settings.CANDLE_FILES_DIR


@pytest.fixture
def series() -> CandleSeries:
    return store.write_candles(symbol="BTCUSDT", source="files", interval="1h", candles=CANDLES)


def files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.candles"))


def test_a_second_load_asks_no_database(series, folder):
    store.load_candles(series, 0, FOREVER_MS)
    CandleChunk.objects.all().delete()
    assert same(store.load_candles(series, 0, FOREVER_MS), CANDLES)


@pytest.fixture
def asked_months(monkeypatch) -> list[list[int]]:
    """The months that each query asks for."""
    asked: list[list[int]] = []
    read_chunks = chunks.read_chunks

    def listen(series_id: int, months: list[int]) -> list[chunks.StoredChunk]:
        asked.append(months)
        return read_chunks(series_id, months)

    monkeypatch.setattr(chunks, "read_chunks", listen)
    return asked


@pytest.fixture
def three_files(series) -> CandleSeries:
    return store.write_candles(symbol="ETHUSDT", source="files", interval="1h", candles=LONG)


def test_all_that_is_missing_comes_with_one_query(three_files, folder, asked_months):
    assert same(store.load_candles(three_files, 0, FOREVER_MS), LONG)
    assert [len(months) for months in asked_months] == [30]
    first, middle, last = files(folder)
    first.unlink()
    flip_a_byte(last)
    assert same(store.load_candles(three_files, 0, FOREVER_MS), LONG)
    assert [len(months) for months in asked_months] == [30, 12 + 6]
    assert files(folder) == [first, middle, last]


@pytest.mark.parametrize(("at_once", "queries"), [(1, 3), (15_000, 2), (18_000, 2)])
def test_a_series_that_is_too_long_for_one_query_comes_with_several(
    three_files, asked_months, monkeypatch, at_once, queries
):
    monkeypatch.setattr(loading, "CANDLES_AT_ONCE", at_once)
    assert same(
        store.load_candles(three_files, START_MS + 10 * DAY_MS, FOREVER_MS, 0), LONG.bars(240, len(LONG))
    )
    assert len(asked_months) == queries
    assert sum(map(len, asked_months)) == 30


def test_a_part_of_a_file_that_is_missing_is_the_right_part(three_files, folder):
    bars = LONG.bars(24 * 400, 24 * 410)
    for _ in ("from the database", "from the file"):
        assert same(store.load_candles(three_files, START_MS + 400 * DAY_MS, START_MS + 410 * DAY_MS), bars)
    assert len(files(folder)) == 1
    assert same(store.load_candles(three_files, 0, FOREVER_MS), LONG)


@pytest.mark.django_db(transaction=True)
def test_many_who_lack_the_same_files_all_get_the_candles(three_files, folder):
    wrong: list[str] = []
    start = threading.Barrier(6)

    def load() -> None:
        try:
            for _ in range(10):
                start.wait(timeout=60)
                if not same(store.load_candles(three_files, 0, FOREVER_MS), LONG):
                    wrong.append("other candles")
                start.wait(timeout=60)
                for path in files(folder):
                    path.unlink(missing_ok=True)
        except Exception as error:  # noqa: BLE001 (the test reports it)
            wrong.append(repr(error))
            start.abort()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=load) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_a_year_of_hours_shares_a_file(series, folder):
    store.load_candles(series, 0, FOREVER_MS)
    assert len(files(folder)) == 2


def test_a_range_fills_only_the_files_it_needs(series, folder):
    store.load_candles(series, START_MS + 400 * DAY_MS, FOREVER_MS, 10)
    assert len(files(folder)) == 1


@pytest.mark.parametrize(
    ("interval", "months"),
    [
        ("1m", 1),
        ("5m", 1),
        ("15m", 3),
        ("30m", 6),
        ("1h", 12),
        ("2h", 24),
        ("4h", 48),
        ("1d", 120),
        ("1w", 120),
    ],
)
def test_files_hold_about_ten_thousand_candles(interval, months):
    assert local_files.months_per_file(interval) == months


def test_appending_replaces_one_file_and_leaves_the_others(series, folder):
    store.load_candles(series, 0, FOREVER_MS)
    before = files(folder)
    changed = store.append_candles(series, make_candles(1, start_ms=START_MS + 24 * 500 * HOUR_MS))
    store.load_candles(changed, 0, FOREVER_MS)
    after = files(folder)
    assert len(after) == 2
    assert len(set(before) & set(after)) == 1


def flip_a_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 8)


def lengthen(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"x")


@pytest.mark.parametrize(
    "damage", [flip_a_byte, cut, lengthen, Path.unlink, lambda path: path.write_bytes(b"")]
)
def test_a_damaged_file_is_noticed_and_rebuilt(series, folder, damage):
    store.load_candles(series, 0, FOREVER_MS)
    good = {path: path.read_bytes() for path in files(folder)}
    for path in good:
        damage(path)
    assert same(store.load_candles(series, 0, FOREVER_MS), CANDLES)
    assert {path: path.read_bytes() for path in files(folder)} == good


def test_damage_outside_the_range_is_not_even_read(series, folder):
    store.load_candles(series, 0, FOREVER_MS)
    flip_a_byte(files(folder)[0])
    CandleChunk.objects.all().delete()
    assert len(store.load_candles(series, START_MS + 400 * DAY_MS, FOREVER_MS)) == 2400


def test_a_folder_that_cannot_be_written_costs_only_speed(series, folder):
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("a file where the folder should be")
    assert same(store.load_candles(series, 0, FOREVER_MS), CANDLES)


def test_no_half_written_file_is_left_behind(series, folder, monkeypatch):
    def fail(source: str, target: str) -> None:
        raise OSError("read-only")

    monkeypatch.setattr(os, "replace", fail)
    assert same(store.load_candles(series, 0, FOREVER_MS), CANDLES)
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_a_file_that_the_disk_takes_only_a_part_of_is_not_kept(series, folder):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        assert same(store.load_candles(series, 0, FOREVER_MS), CANDLES)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_the_least_recently_used_files_go_when_there_are_too_many(series, folder, settings):
    store.load_candles(series, 0, FOREVER_MS)
    old, new = files(folder)
    os.utime(old, (0, 0))
    local_files.trim(folder, new.stat().st_size)
    assert files(folder) == [new]
    os.utime(new, (0, 0))
    store.load_candles(series, START_MS + 400 * DAY_MS, FOREVER_MS)
    assert new.stat().st_mtime > 1_600_000_000, "a file that is read counts as used"


def test_a_process_that_fills_its_folder_keeps_it_bounded(folder, settings):
    settings.CANDLE_FILES_MAX_BYTES = 1_000_000
    for symbol in ("AUSDT", "BUSDT", "CUSDT", "DUSDT"):
        written = store.write_candles(symbol=symbol, source="files", interval="1h", candles=CANDLES)
        store.load_candles(written, 0, FOREVER_MS)
    assert sum(path.stat().st_size for path in files(folder)) <= 1_000_000


def test_what_a_killed_process_left_half_written_goes(series, folder):
    abandoned, fresh = folder / str(series.pk) / "a.partial", folder / str(series.pk) / "b.partial"
    abandoned.parent.mkdir(parents=True)
    abandoned.touch()
    fresh.touch()
    os.utime(abandoned, (0, 0))
    store.load_candles(series, 0, FOREVER_MS)
    assert (abandoned.exists(), fresh.exists()) == (False, True)
