"""A worker is killed in the middle of an uploaded import: another takes it over, and the candles are the same."""

import io
import os
import signal
import zipfile
from pathlib import Path

import httpx
from django.db import connection

from market_data.importers.importing import ImportOptions, import_file
from market_data.models import CandleSeries
from market_data.tests.candle_maker import make_candles
from market_data.tests.test_kills import assert_consistent, stored
from tests.faults.checks import check, wait_for, wait_for_end
from tests.faults.test_kills import children_of
from tests.stack import RunningStack
from workers.models import Job, Run

SYMBOLS, CANDLES = 40, 4000


def archive() -> bytes:
    """A zip of CSV files, one for each symbol."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for number in range(SYMBOLS):
            candles = make_candles(CANDLES, seed=number)
            columns = (
                candles.open_time_ms,
                candles.open,
                candles.high,
                candles.low,
                candles.close,
                candles.volume,
            )
            rows = zip(*(column.tolist() for column in columns), strict=True)
            lines = "\n".join(",".join(map(str, row)) for row in rows)
            packed.writestr(f"C{number:02d}USDT.csv", "time,open,high,low,close,volume\n" + lines)
    return file.getvalue()


def test_an_import_whose_worker_is_killed_is_completed_by_another(
    stack: RunningStack, settings, tmp_path: Path
) -> None:
    settings.CANDLE_FILES_DIR = tmp_path / "candles"
    data = archive()
    path = tmp_path / "market.zip"
    path.write_bytes(data)
    import_file(path, ImportOptions(source="undisturbed"))
    stack.start_worker(slots=1, queues="downloads")
    stack.wait_for_workers()
    answer = httpx.post(
        f"{stack.url}/api/imports/",
        files={"file": ("market.zip", data)},
        data={"source": "killed"},
        timeout=30,
    )
    assert answer.status_code == 202, answer.text
    run = Run.objects.get(pk=answer.json()["id"])
    killed = CandleSeries.objects.filter(source="killed")
    wait_for(lambda: killed.count() >= 5, 30, "some series")
    os.kill(children_of(stack.workers[-1].process.pid)[0], signal.SIGKILL)
    connection.close()
    assert assert_consistent("killed") < SYMBOLS * CANDLES, "the kill fell into the middle"
    wait_for_end(run)
    check(run)
    assert (run.status, run.succeeded) == (Run.Status.COMPLETED, 1)
    assert Job.objects.get(run=run).attempt == 2
    assert stored("killed") == stored("undisturbed")
