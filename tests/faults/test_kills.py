"""Processes are killed in mid-run: nothing is lost, doubled or reordered."""

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from config.processes import Child
from tests.faults.checks import check, wait_for, wait_for_end, wait_for_events
from tests.faults.watchers import Watcher
from tests.stack import RunningStack
from workers.models import Job, Run
from workers.runs import create_run
from workers.tests.counting.handler import counting_spec

JOBS = 60
GATE_FROM = 50
"""More than a window behind the last event that a test waits for: those before it may be lost, while it holds all."""
ATTEMPTS = 3
"""Other programs of the machine take time, too: what is quick of itself is so in one of these."""


def start_run(owner: Any, jobs: int = JOBS, *, sleep_ms: int = 30, **more: Any) -> Run:
    return create_run(owner=owner, kind="count", spec=counting_spec(jobs, sleep_ms=sleep_ms, **more))


def start_gated_run(owner: Any, gate: Path) -> Run:
    """A run that comes to its end only after the gate has been made: whatever happens before is in its middle."""
    return start_run(owner, gate=str(gate), gate_from=GATE_FROM)


def children_of(pid: int) -> list[int]:
    listed = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in listed.stdout.split()]


def test_killed_processes_cost_nothing_but_time(stack: RunningStack, owner: Any, folder: Path) -> None:
    """One after the other, of one stack; at last the scheduler, which would have to notice another's death."""
    _kill_a_child(stack, owner, folder / "first")
    _let_a_job_kill_its_process(owner)
    _kill_the_web_server(stack, owner, folder / "second")
    _kill_a_worker(stack, owner, folder / "third")
    _kill_the_scheduler(stack, owner)


def _kill_a_child(stack: RunningStack, owner: Any, gate: Path) -> None:
    run = start_gated_run(owner, gate)
    steady = Watcher(stack, run.pk)
    restless = Watcher(stack, run.pk, drop_at=(7, 21, 40))
    wait_for_events(run, 10)
    os.kill(children_of(stack.workers[0].process.pid)[0], signal.SIGKILL)
    gate.touch()
    wait_for_end(run)
    stored = check(run)
    assert (run.status, run.succeeded) == (Run.Status.COMPLETED, JOBS)
    assert steady.wait() == stored
    assert restless.wait() == stored
    assert (steady.connections, restless.connections) == (1, 4)


def _kill_a_worker(stack: RunningStack, owner: Any, gate: Path) -> None:
    run = start_gated_run(owner, gate)
    steady = Watcher(stack, run.pk)
    restless = Watcher(stack, run.pk, drop_at=(5, 30, 50))
    wait_for_events(run, 10)
    stack.kill(stack.workers[0])
    gate.touch()
    wait_for_end(run)
    stored = check(run)
    assert (run.status, run.succeeded) == (Run.Status.COMPLETED, JOBS)
    assert steady.wait() == restless.wait() == stored


def test_a_killed_child_is_noticed_within_two_seconds_and_a_worker_within_six(
    stack: RunningStack, owner: Any, folder: Path
) -> None:
    run = start_run(owner, 4, gate=str(folder / "never"), gate_from=0)
    _wait_for_running_jobs(run)
    assert any(_kill_child(victim) < 2.0 for victim in run.jobs.order_by("position")[:ATTEMPTS])
    _wait_for_running_jobs(run)
    assert any(_kill_worker(stack, run, worker) < 6.0 for worker in stack.workers)


def _wait_for_running_jobs(run: Run) -> None:
    wait_for(lambda: run.jobs.filter(status=Job.Status.RUNNING).count() == 4, 60, "four running jobs")


def _kill_child(victim: Job) -> float:
    """Kill the process that holds a job; the seconds until that is noticed."""
    assert victim.pid is not None
    os.kill(victim.pid, signal.SIGKILL)
    return wait_for(lambda: not _is_held(victim), 30, "the sweeper to notice")


def _kill_worker(stack: RunningStack, run: Run, worker: Child) -> float:
    """Kill a worker with all that it started; the seconds until that is noticed."""
    victims = list(run.jobs.filter(status=Job.Status.RUNNING, worker__pid=worker.process.pid))
    assert victims
    stack.kill(worker)
    return wait_for(lambda: not any(_is_held(job) for job in victims), 30, "the sweeper to notice")


def _is_held(job: Job) -> bool:
    """Whether the job's attempt is still the one that was killed."""
    return Job.objects.filter(pk=job.pk, status=Job.Status.RUNNING, attempt=job.attempt).exists()


def _let_a_job_kill_its_process(owner: Any) -> None:
    """It fails after three attempts."""
    run = start_run(owner, 5, deadly=["2"], sleep_ms=0)
    wait_for_end(run)
    check(run)
    job = run.jobs.get(key="2")
    assert (job.status, job.attempt) == (Job.Status.FAILED, 3)
    assert "died" in job.error
    assert (run.status, run.succeeded, run.failed) == (Run.Status.COMPLETED, 4, 1)


def _kill_the_web_server(stack: RunningStack, owner: Any, gate: Path) -> None:
    """Some of the events come while there is none."""
    run = start_gated_run(owner, gate)
    watcher = Watcher(stack, run.pk)
    wait_for(lambda: len(watcher.texts) >= 10, 60, "ten events at the watcher")
    stack.kill(stack.web)
    gate.touch()
    wait_for_end(run)
    stack.start_web()
    stack.wait_for_web()
    assert watcher.wait() == check(run)
    assert watcher.connections >= 2


def _kill_the_scheduler(stack: RunningStack, owner: Any) -> None:
    """It is not needed while nothing fails."""
    stack.kill(stack.scheduler)
    run = start_run(owner, 20, sleep_ms=5)
    wait_for_end(run)
    check(run)
