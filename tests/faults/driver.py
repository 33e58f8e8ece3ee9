"""Starts runs of every kind under fire, watches them over every transport, and checks what is left of them."""

import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import orjson
from django.db import DatabaseError, InterfaceError, connection

from backtests.models import ResultLink, ScanResult
from backtests.tests.runs.conftest import wavy_candles
from market_data.store import write_candles
from tests.faults.checks import check
from tests.faults.operator import Operator
from tests.faults.watchers import HttpWatcher, Poller, Starter, Watcher
from workers import handlers
from workers.access import local_user
from workers.models import Job, Run, Worker
from workers.runs import RunOptions, create_run
from workers.tests.counting.handler import counting_spec

SYMBOLS = [f"C{number:02}USDT" for number in range(30)]
VARIANTS = 12
"""Backtests of so many kinds: most runs share some results with an earlier one."""


class Driver:
    """Runs and their watchers."""

    def __init__(self, stack: Any, dice: random.Random) -> None:
        self.operator = Operator(stack, random.Random(dice.random()))
        self._stack = stack
        self._dice = dice
        self._watchers: dict[UUID, list[Any]] = {}
        self._starters: list[Starter] = []
        for number, symbol in enumerate(SYMBOLS):
            candles = wavy_candles(120, phase=number)
            write_candles(symbol=symbol, source="test", interval="1h", candles=candles)

    def start_run(self) -> None:
        """Start a run of a random kind."""
        kind = self._dice.choice(["count", "count", "backtest", "scan"])
        if kind == "count":
            self._start_counting()
        else:
            self._starters.append(self._starter(kind))
        self._adopt()

    def _start_counting(self) -> None:
        """While the database is away, none."""
        jobs = self._dice.randint(5, 60)
        wrong = [str(key) for key in self._dice.sample(range(jobs), self._dice.randint(0, 3))]
        known = [str(key) for key in range(self._dice.choice([0, 0, jobs // 2]))]
        spec = counting_spec(jobs, sleep_ms=self._dice.randint(0, 60), wrong=wrong, known=known)
        try:
            run = create_run(owner=local_user(), kind="count", spec=spec, options=self._options(jobs))
        except (DatabaseError, InterfaceError):
            connection.close()
            return
        self._watch(run.pk)

    def _options(self, jobs: int) -> RunOptions:
        chance = self._dice.random()
        if chance < 0.2:
            return RunOptions(hit="number >= 1", max_hits=self._dice.randint(1, jobs))
        if chance < 0.3:
            return RunOptions(max_failures=2)
        if chance < 0.4:
            return RunOptions(timeout_seconds=self._dice.uniform(0.5, 4))
        return RunOptions(max_parallel=self._dice.choice([None, None, 3]))

    def _starter(self, kind: str) -> Starter:
        symbols = self._dice.sample(SYMBOLS, self._dice.randint(5, len(SYMBOLS)))
        variant = self._dice.randint(1, VARIANTS) if kind == "backtest" else 1
        body: dict[str, Any] = {
            "strategy": "paced_rsi",
            "parameters": {"every_ms": 25, "variant": variant},
            "symbols": symbols,
        }
        if kind == "scan" and self._dice.random() < 0.5:
            body["max_hits"] = 2
        return Starter(self._stack.url, f"/api/{kind}s/stream/", body, self._child_of_dice())

    def _adopt(self) -> None:
        """Watch the runs of those starters that have had an answer, and those that the operator has started."""
        for starter in [each for each in self._starters if each.run_id is not None]:
            self._starters.remove(starter)
            assert starter.run_id is not None
            assert starter.run_id not in self._watchers, "two requests, one run"
            self._watch(starter.run_id, starter)
        while not self.operator.started.empty():
            self._watch(self.operator.started.get())

    def _watch(self, run_id: UUID, *more: Any) -> None:
        drops = tuple(self._dice.randint(1, 60) for _ in range(3))
        self._watchers[run_id] = [
            Watcher(self._stack, run_id),
            Watcher(self._stack, run_id, drop_at=drops, late_seconds=self._dice.uniform(0, 5)),
            HttpWatcher(self._stack.url, run_id, self._child_of_dice()),
            Poller(self._stack.url, run_id, self._child_of_dice()),
            *more,
        ]
        self.operator.add(run_id)

    def _child_of_dice(self) -> random.Random:
        """Dice of one thread: threads that shared some would take turns at random."""
        return random.Random(self._dice.random())

    def finish(self, seconds: float, meanwhile: Callable[[], None]) -> Counter[str]:
        """Wait for the end of all runs, check each, and count what was checked; do something while waiting."""
        deadline = time.monotonic() + seconds
        self.operator.stop()
        connection.close()  # PostgreSQL may have been restarted since
        self._let_all_go_on(deadline)
        found: Counter[str] = Counter()
        for run in Run.objects.order_by("created_at"):
            self._wait_for_end(run, deadline, meanwhile)
            found += self._checked(run, deadline)
        return found

    def _let_all_go_on(self, deadline: float) -> None:
        """Wait for the answers to requests that are under way, and resume what is paused."""
        self._stack.wait_for_web()
        self._adopt()
        while self._starters:
            assert time.monotonic() < deadline, f"{len(self._starters)} requests for runs have no answer"
            time.sleep(0.1)
            self._adopt()
        for run in Run.objects.filter(status=Run.Status.PAUSED):
            httpx.post(f"{self._stack.url}/api/runs/{run.pk}/resume/", timeout=30).raise_for_status()

    def _checked(self, run: Run, deadline: float) -> Counter[str]:
        stored = [orjson.loads(text) for text in check(run)]
        _check_results(run, stored)
        seen = 0
        watchers = self._watchers.get(run.pk, [])
        for watcher in watchers:
            texts = watcher.wait(max(deadline - time.monotonic(), 5.0))
            assert [orjson.loads(text) for text in texts] == stored, f"{watcher} of {run} differs"
            seen += len(texts)
        return Counter(
            {
                "runs": 1,
                f"runs of kind {run.kind}": 1,
                f"runs that ended as {run.status} ({run.reason})": 1,
                "runs that retry another": int(run.retry_of_id is not None),
                "runs that nobody watched": int(not watchers),
                "jobs": run.total,
                "results that were known before": sum(bool(event.get("cached")) for event in stored),
                "events stored": len(stored),
                "events seen by watchers": seen,
                "watchers": len(watchers),
                "connections of watchers": sum(watcher.connections for watcher in watchers),
            }
        )

    def _wait_for_end(self, run: Run, deadline: float, meanwhile: Callable[[], None]) -> None:
        while not run.has_ended:
            assert time.monotonic() < deadline, f"{run} has not ended: {_what_is_left_of(run)}"
            meanwhile()
            time.sleep(0.1)
            run.refresh_from_db()


def _what_is_left_of(run: Run) -> str:
    jobs = run.jobs.filter(status__in=Job.UNFINISHED).values(
        "key", "status", "attempt", "deliveries", "redeliver_at", "worker", "pid", "started_at"
    )
    workers = Worker.objects.order_by("seen_at").values("id", "pid", "pool_pids", "seen_at")
    return "\n".join(map(str, [run.status, run.in_flight, *jobs, *list(workers)[-4:]]))


def _check_results(run: Run, events: list[dict[str, Any]]) -> None:
    """Assert that the results of an ended run are those that its events tell of, and that the summary is theirs."""
    assert run.summary == handlers.find(run.kind).summarise(run.pk)
    told = {event["key"]: event for event in events if event["type"] == "result"}
    if run.kind == "count":
        assert all(event["result"]["number"] == int(key) for key, event in told.items())
        assert run.summary == {"sum": sum(map(int, told))}
        return
    model: Any = ResultLink if run.kind == "backtest" else ScanResult
    rows = model.objects.filter(job__run=run).values_list("job__key", "seq", "hit")
    assert {key: (seq, hit) for key, seq, hit in rows} == {
        key: (event["seq"], event.get("hit")) for key, event in told.items()
    }
