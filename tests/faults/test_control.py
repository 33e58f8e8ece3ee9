"""Runs are paused, stopped and ended by hits while their workers are killed: control stays exact."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import orjson

from tests.faults.checks import check, wait_for, wait_for_end, wait_for_events
from tests.stack import RunningStack
from workers import window
from workers.models import Event, Job, Run
from workers.runs import RunOptions, create_run
from workers.tests.counting.handler import counting_spec

JOBS = 211
STOP_AT = 40
MAX_HITS = 5
GATE_FROM, GATE_SECONDS = 60, 0.2


def start(
    owner: Any, jobs: int = JOBS, *, gate: Path, gate_from: int, sleep_ms: float = 20, **options: Any
) -> Run:
    """Start a run that goes on slowly from a job on until the gate has been made: it is not to end before."""
    gated = {"gate": str(gate), "gate_from": gate_from, "gate_seconds": GATE_SECONDS}
    spec = counting_spec(jobs, sleep_ms=sleep_ms, **gated)
    return create_run(owner=owner, kind="count", spec=spec, options=RunOptions(**options))


def control(stack: RunningStack, run: Run, verb: str) -> dict[str, Any]:
    answer = httpx.post(f"{stack.url}/api/runs/{run.pk}/{verb}/", timeout=30)
    assert answer.status_code == 200, answer.text
    return answer.json()


def kinds_of(run: Run) -> list[str]:
    """What happened, in order; progress events by what changed."""
    bodies = [orjson.loads(text) for text in check(run)]
    return [body.get("change", body["type"]) for body in bodies]


def results_now(run: Run) -> int:
    return Event.objects.filter(run=run, type="result").count()


def kill_a_worker(stack: RunningStack) -> None:
    """Kill the newest worker with all its processes, and start another in its place."""
    stack.kill(stack.workers.pop())
    stack.start_worker(slots=2)


def do_nothing(stack: RunningStack) -> None:
    """Let all workers live."""


def test_pause_stop_and_max_hits_are_exact_also_when_a_worker_is_killed(
    stack: RunningStack, owner: Any, folder: Path
) -> None:
    _start_a_run_after_many_others(owner, folder / "first")
    _control_three_runs(stack, owner, folder / "second", do_nothing)
    _control_three_runs(stack, owner, folder / "third", kill_a_worker)


def _control_three_runs(
    stack: RunningStack, owner: Any, gate: Path, disturb: Callable[[RunningStack], None]
) -> None:
    """Pause and resume one run, stop another, and let a third end by itself; disturb all three in the middle."""
    paused = start(owner, gate=gate, gate_from=GATE_FROM)
    stopped = start(owner, gate=gate, gate_from=GATE_FROM)
    hitting = start(owner, gate=gate, gate_from=GATE_FROM, hit="number >= 60", max_hits=MAX_HITS)
    for run in (paused, stopped, hitting):
        wait_for_events(run, 15)
    disturb(stack)

    wait_for_events(paused, 30)
    assert control(stack, paused, "pause")["status"] == "paused"
    wait_for(lambda: results_now(stopped) >= STOP_AT, 60, f"{STOP_AT} results")
    assert control(stack, stopped, "stop")["status"] == "stopped"
    gate.touch()
    wait_for_end(hitting)
    begun = paused.jobs.filter(status=Job.Status.RUNNING)
    wait_for(lambda: not begun.exists(), 60, "the end of what was under way when the run was paused")
    still = results_now(paused)
    time.sleep(0.5)
    assert results_now(paused) == still
    assert control(stack, paused, "resume")["status"] == "running"
    wait_for_end(paused, 90)

    kinds = kinds_of(paused)
    between = kinds[kinds.index("paused") : kinds.index("resumed")]
    assert between.count("result") <= window.MIN_WINDOW + window.JOBS_PER_SLOT * 4
    assert (paused.succeeded, kinds.count("result"), kinds[-1]) == (JOBS, JOBS, "complete")

    kinds = kinds_of(stopped)
    assert kinds.count("result") == stopped.succeeded
    assert STOP_AT <= stopped.succeeded < JOBS == stopped.succeeded + stopped.cancelled
    assert (stopped.reason, kinds[-1]) == ("stopped", "complete")

    events = [orjson.loads(text) for text in check(hitting)]
    hits = [event["seq"] for event in events if event.get("hit")]
    assert (len(hits), hits[-1], events[-1]["type"]) == (MAX_HITS, events[-2]["seq"], "complete")
    assert (hitting.reason, hitting.hits) == ("max_hits", MAX_HITS)


def _start_a_run_after_many_others(owner: Any, gate: Path) -> None:
    """It is not kept waiting, though each of them has a window of jobs in the queues when it comes."""
    before = [start(owner, 60, sleep_ms=5, gate=gate, gate_from=8) for _ in range(12)]
    for run in before:
        wait_for_events(run, 3)
    new = start(owner, 24, sleep_ms=5, gate=gate, gate_from=0)
    gate.touch()
    for run in (new, *before):
        wait_for_end(run, 90)
    began, first, *_, ended = times_of(new)
    others = [at for run in before for at in times_of(run)]
    meanwhile = [at for at in others if began < at < first]
    assert len(meanwhile) <= 60, "the first jobs of a run travel on the queue that is served first"
    later = [run for run in before if times_of(run)[-1] > ended]
    assert len(later) >= 6, "a run of 24 ends before runs of 60 that began just before it"


def times_of(run: Run) -> list[str]:
    """When its events were written, in order; as text in one time zone, so that it can be compared."""
    return [orjson.loads(text)["at"] for text in check(run)]
