"""`kill -9` in the middle of an import, at random moments: what is stored is whole, and a second call completes it."""

from io import StringIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pa_parquet
import pytest
from django.core.management import call_command

from market_data import chunks, store
from market_data.codec import COLUMNS
from market_data.models import CandleChunk, CandleSeries
from market_data.tests.candle_maker import make_candles, without
from tests.killing import KILLS, kill_at_random

pytestmark = pytest.mark.django_db(transaction=True)
FOREVER_MS = 4_000_000_000_000
FILES, CANDLES = 3, 2000


@pytest.fixture
def folder(tmp_path: Path, settings) -> Path:
    settings.CANDLE_FILES_DIR = tmp_path / "candles"
    files = tmp_path / "files"
    files.mkdir()
    for number in range(FILES):
        candles = without(make_candles(CANDLES, seed=number), 7, 8, 1000 + number)
        table = pa.table({name: getattr(candles, name) for name in COLUMNS})
        pa_parquet.write_table(
            table.rename_columns(["time", *COLUMNS[1:]]), files / f"COIN{number}USDT.parquet"
        )
    return files


def run_import(folder: Path, source: str) -> None:
    call_command("import_candles", str(folder), source=source, stdout=StringIO())


def stored(source: str) -> dict[str, tuple[bytes, list[tuple[int, int, int, bytes]]]]:
    """Everything that is stored of a source, by symbol."""
    series = CandleSeries.objects.filter(source=source).select_related("cryptocurrency")
    rows = CandleChunk.objects.order_by("month").values_list("month", "count", "checksum", "data")
    return {
        one.cryptocurrency.symbol: (
            bytes(one.manifest),
            [(*row[:3], bytes(row[3])) for row in rows.filter(series=one)],
        )
        for one in series
    }


def assert_consistent(source: str) -> int:
    """Every series holds what its manifest says; returns how many candles that are."""
    total = 0
    for series in CandleSeries.objects.filter(source=source):
        records = series.chunk_records
        found = chunks.read_chunks(series.pk, records["month"].tolist())
        assert [(one.month, one.count, one.checksum) for one in found] == [
            (int(month), int(count), int(checksum))
            for month, count, checksum in zip(
                records["month"], records["count"], records["checksum"], strict=True
            )
        ]
        assert CandleChunk.objects.filter(series=series).count() == len(records)
        assert len(store.load_candles(series, 0, FOREVER_MS)) == series.candle_count
        total += series.candle_count
    return total


def test_an_import_that_is_killed_leaves_whole_series_and_can_be_completed(folder):
    run_import(folder, "undisturbed")
    partly = 0
    for _ in kill_at_random(lambda: run_import(folder, "killed"), seed=1):
        partly += 0 < assert_consistent("killed") < FILES * (CANDLES - 3)
        run_import(folder, "killed")
        assert stored("killed") == stored("undisturbed")
        CandleSeries.objects.filter(source="killed").delete()
    assert partly >= KILLS // 3, "the kills fell into the middle"
