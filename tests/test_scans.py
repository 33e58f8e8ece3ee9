"""Scans of a market on real processes, one of which is killed."""

from typing import Any

import httpx
import pytest

from backtests.models import ScanResult
from backtests.strategies.registry import MODULES_VARIABLE
from backtests.tests.runs.conftest import wavy_candles
from market_data.store import write_candles
from tests import paced_strategy
from tests.faults.checks import check, wait_for, wait_for_end, wait_for_events
from tests.faults.watchers import Watcher
from tests.stack import RunningStack
from workers.models import Run

SYMBOLS = [f"C{number:02}USDT" for number in range(60)]


@pytest.fixture
def paced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the stack that is started afterwards know the strategy that takes its time."""
    monkeypatch.setenv(MODULES_VARIABLE, paced_strategy.MODULE)


@pytest.mark.usefixtures("paced")
def test_a_market_is_scanned_though_a_worker_is_killed_and_again_when_a_candle_has_come(
    stack: RunningStack,
) -> None:
    for number, symbol in enumerate(SYMBOLS):
        candles = wavy_candles(120, phase=number)
        write_candles(symbol=symbol, source="test", interval="1h", candles=candles)
    body = {"strategy": "paced_rsi", "parameters": {"every_ms": 60}}
    answer = httpx.post(f"{stack.url}/api/scans/", json=body, timeout=30)
    run = Run.objects.get(pk=answer.raise_for_status().json()["id"])
    watcher = Watcher(stack, run.pk, drop_at=(20,))
    wait_for_events(run, 10)
    stack.kill(stack.workers[0])
    wait_for_end(run)
    assert watcher.wait() == check(run)
    assert (run.status, run.succeeded) == (Run.Status.COMPLETED, len(SYMBOLS))
    assert _symbols(stack, run) == SYMBOLS
    assert ScanResult.objects.filter(job__run=run, hit=True).count() == run.hits > 0
    _ends_with_its_second_hit(stack)
    _is_started_by_a_new_candle(stack)


def _symbols(stack: RunningStack, run: Run) -> list[str]:
    path = f"{stack.url}/api/scans/{run.pk}/results/?page_size=1000"
    rows: list[dict[str, Any]] = httpx.get(path, timeout=30).raise_for_status().json()["results"]
    return sorted(row["symbol"] for row in rows)


def _ends_with_its_second_hit(stack: RunningStack) -> None:
    body = {"strategy": "rsi", "max_hits": 2, "order": "promise"}
    answer = httpx.post(f"{stack.url}/api/scans/", json=body, timeout=30)
    run = Run.objects.get(pk=answer.raise_for_status().json()["id"])
    wait_for_end(run)
    check(run)
    assert (run.reason, run.hits) == ("max_hits", 2)


def _is_started_by_a_new_candle(stack: RunningStack) -> None:
    """The scheduler looks every few seconds, and once more to see that no more candles come."""
    request = {"strategy": "rsi", "symbols": SYMBOLS[:3]}
    body = {"name": "Hourly", "request": request}
    answer = httpx.post(f"{stack.url}/api/saved-scans/", json=body, timeout=30)
    answer.raise_for_status()
    write_candles(symbol=SYMBOLS[0], source="test", interval="1h", candles=wavy_candles(121))
    runs = Run.objects.filter(kind="scan", spec__symbols=request["symbols"])
    wait_for(runs.exists, 60, "the run of the saved scan")
    run = runs.get()
    wait_for_end(run)
    check(run)
    assert (run.kind, run.succeeded, run.spec["until"]) == ("scan", 3, "2021-01-06T01:00:00Z")
