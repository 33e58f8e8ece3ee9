import asyncio
import io
from io import StringIO
from pathlib import Path
from typing import cast

import orjson
import pyarrow.parquet as pa_parquet
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.http import StreamingHttpResponse
from django.test import AsyncClient
from rest_framework.test import APIClient

from market_data import exporting, store
from market_data.aggregation import aggregate
from market_data.candles import Candles
from market_data.importers.importing import ImportOptions, import_file
from market_data.intervals import INTERVAL_MS
from market_data.models import CandleSeries
from market_data.tests.candle_maker import START_MS, make_candles, same, without

FOREVER_MS = 4_000_000_000_000
WEEK_MS = INTERVAL_MS["1w"]
CANDLES = without(make_candles(2000), 5, 6, *range(300, 900))


@pytest.fixture(autouse=True)
def _candle_files(settings, tmp_path):
    settings.CANDLE_FILES_DIR = tmp_path / "candles"


@pytest.fixture
def series(db) -> CandleSeries:
    return store.write_candles(symbol="BTCUSDT", source="files", interval="1h", candles=CANDLES)


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_exported_candles_can_be_imported_again_bit_for_bit(series, tmp_path, monkeypatch, form):
    monkeypatch.setattr(exporting, "PART_CANDLES", 333)
    path = tmp_path / f"BTCUSDT.{form}"
    path.write_bytes(b"".join(exporting.export(series, form, 0, FOREVER_MS)))
    if form == "json":
        path.write_bytes(orjson.dumps(orjson.loads(path.read_bytes())["candles"]))
    (found,) = import_file(path, ImportOptions(source="again"))
    assert same(store.load_candles(found.series[-1], 0, FOREVER_MS), CANDLES)


@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
def test_a_range_without_candles_is_a_file_without_candles(series, form):
    data = b"".join(exporting.export(series, form, FOREVER_MS, FOREVER_MS + 1))
    if form == "parquet":
        assert pa_parquet.read_table(io.BytesIO(data)).num_rows == 0
    elif form == "json":
        assert orjson.loads(data)["candles"] == []
    else:
        assert data == b"datetime,open,high,low,close,volume\n"


def test_the_command_writes_a_file_for_each_cryptocurrency(series, tmp_path):
    store.write_candles(symbol="ETHUSDT", source="files", interval="1h", candles=make_candles(50))
    call_command("export_candles", to=tmp_path / "out", interval="4h", stdout=StringIO())
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "BTCUSDT.parquet",
        "ETHUSDT.parquet",
    ]
    assert pa_parquet.read_table(tmp_path / "out" / "BTCUSDT.parquet").num_rows == len(
        aggregate(CANDLES, "4h")
    )


def test_the_command_names_what_is_not_there(series, tmp_path: Path):
    with pytest.raises(CommandError, match="no 1h candles of NONE"):
        call_command("export_candles", "none", to=tmp_path)


async def fetch(series: CandleSeries, query: str) -> bytes:
    client = AsyncClient()
    await client.aforce_login(await User.objects.acreate(username="ann"))
    response = await client.get(f"/api/series/{series.pk}/candles/{query}")
    assert response.status_code == 200
    return b"".join([piece async for piece in cast("StreamingHttpResponse", response)])


def stored(candles: Candles) -> CandleSeries:
    return store.write_candles(symbol="BTCUSDT", source="files", interval="1h", candles=candles)


@pytest.mark.django_db(transaction=True)
def test_candles_are_streamed_over_the_api():
    series = stored(CANDLES)
    csv = asyncio.run(fetch(series, "?form=csv&start=2024-01-01T02:00:00Z&end=2024-01-01T05:00:00Z"))
    assert csv.decode().splitlines()[1].startswith("2024-01-01 02:00:00.000Z,")
    assert len(csv.decode().splitlines()) == 4


@pytest.mark.django_db(transaction=True)
def test_candles_are_aggregated_over_the_api():
    candles = orjson.loads(asyncio.run(fetch(stored(CANDLES), "?interval=1d")))["candles"]
    days = aggregate(CANDLES, "1d")
    assert [row[0] for row in candles] == days.open_time_ms[: len(candles)].tolist()
    assert len(candles) == len(days) - 1, "the last day is cut off"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("form", ["csv", "json", "parquet"])
@pytest.mark.parametrize("interval", ["1h", "4h", "1d", "1w"])
def test_every_form_is_streamed_in_parts_at_every_interval(monkeypatch, tmp_path, form, interval):
    monkeypatch.setattr(exporting, "PART_CANDLES", 7)
    series = stored(CANDLES)
    start_ms, end_ms = START_MS + 2 * WEEK_MS, START_MS + 10 * WEEK_MS
    query = f"?form={form}&interval={interval}&start=2024-01-15T00:00:00Z&end=2024-03-11T00:00:00Z"
    path = tmp_path / f"BTCUSDT.{form}"
    path.write_bytes(asyncio.run(fetch(series, query)))
    if form == "json":
        path.write_bytes(orjson.dumps(orjson.loads(path.read_bytes())["candles"]))
    (found,) = import_file(path, ImportOptions(source="again", interval=interval))
    whole = CANDLES if interval == "1h" else aggregate(CANDLES, interval)
    assert same(store.load_candles(found.series[-1], 0, FOREVER_MS), whole.between(start_ms, end_ms))
    assert found.candle_count < len(whole), "the range leaves some out"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?form=xls", "form"),
        ("?format=csv", "format"),
        ("?interval=15m", "interval"),
        ("?start=soon", "start"),
    ],
)
def test_what_cannot_be_exported_is_said(series, query, field):
    client = APIClient()
    client.force_authenticate(User.objects.create_user("ann"))
    response = client.get(f"/api/series/{series.pk}/candles/{query}")
    assert response.status_code == 400
    assert field in response.json()["errors"]


def test_old_candles_are_pruned(series):
    call_command("prune_candles", older_than="1d", interval="4h", stdout=StringIO())
    assert CandleSeries.objects.get().candle_count == len(CANDLES)
    out = StringIO()
    call_command("prune_candles", older_than="1d", stdout=out)
    assert not CandleSeries.objects.exists()
    assert f"Removed {len(CANDLES):,} candles." in out.getvalue()


@pytest.mark.parametrize("age", ["10", "ten years", "-1y", "0d"])
def test_an_age_that_is_none_is_refused(age, db):
    with pytest.raises(CommandError, match="is no age"):
        call_command("prune_candles", f"--older-than={age}")
