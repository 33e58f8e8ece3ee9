"""Processes are killed in mid-run: nothing is lost, doubled or reordered."""

import os
import signal
import subprocess
import time
from typing import Any

from config.processes import Child
from tests.faults.checks import check, wait_for, wait_for_end, wait_for_events
from tests.faults.watchers import Watcher
from tests.stack import RunningStack
from workers.models import Job, Run
from workers.runs import create_run
from workers.tests.counting.handler import counting_spec

JOBS = 60
ATTEMPTS = 3
"""Other programs of the machine take time, too: what is quick of itself is so in one of these."""


def start_run(owner: Any, jobs: int = JOBS, *, sleep_ms: int = 30, **more: Any) -> Run:
    return create_run(owner=owner, kind="count", spec=counting_spec(jobs, sleep_ms=sleep_ms, **more))


def children_of(pid: int) -> list[int]:
    listed = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in listed.stdout.split()]


def test_a_killed_child_costs_nothing_but_its_attempt(stack: RunningStack, owner: Any) -> None:
    run = start_run(owner)
    steady = Watcher(stack, run.pk)
    restless = Watcher(stack, run.pk, drop_at=(7, 21, 40))
    wait_for_events(run, 10)
    os.kill(children_of(stack.workers[0].process.pid)[0], signal.SIGKILL)
    wait_for_end(run)
    stored = check(run)
    assert (run.status, run.succeeded) == (Run.Status.COMPLETED, JOBS)
    assert steady.wait() == stored
    assert restless.wait() == stored
    assert (steady.connections, restless.connections) == (1, 4)


def test_a_killed_worker_costs_nothing_but_time(stack: RunningStack, owner: Any) -> None:
    run = start_run(owner)
    steady = Watcher(stack, run.pk)
    restless = Watcher(stack, run.pk, drop_at=(5, 30, 50))
    wait_for_events(run, 10)
    stack.kill(stack.workers[0])
    wait_for_end(run)
    stored = check(run)
    assert (run.status, run.succeeded) == (Run.Status.COMPLETED, JOBS)
    assert steady.wait() == restless.wait() == stored


def test_a_killed_child_is_noticed_within_two_seconds(stack: RunningStack, owner: Any) -> None:
    run = start_run(owner, 4, sleep_ms=8000)
    wait_for(lambda: run.jobs.filter(status=Job.Status.RUNNING).count() == 4, 30, "four running jobs")
    assert any(_kill_child(victim) < 2.0 for victim in run.jobs.order_by("position")[:ATTEMPTS])


def _kill_child(victim: Job) -> float:
    """Kill the process that holds a job; the seconds until that is noticed."""
    assert victim.pid is not None
    os.kill(victim.pid, signal.SIGKILL)
    return wait_for(lambda: not _is_held(victim), 30, "the sweeper to notice")


def test_a_killed_worker_is_noticed_within_six_seconds(stack: RunningStack, owner: Any) -> None:
    run = start_run(owner, 4, sleep_ms=20_000)
    wait_for(lambda: run.jobs.filter(status=Job.Status.RUNNING).count() == 4, 30, "four running jobs")
    assert any(_kill_worker(stack, run, worker) < 6.0 for worker in stack.workers)


def _kill_worker(stack: RunningStack, run: Run, worker: Child) -> float:
    """Kill a worker with all that it started; the seconds until that is noticed."""
    victims = list(run.jobs.filter(status=Job.Status.RUNNING, worker__pid=worker.process.pid))
    assert victims
    stack.kill(worker)
    return wait_for(lambda: not any(_is_held(job) for job in victims), 30, "the sweeper to notice")


def _is_held(job: Job) -> bool:
    """Whether the job's attempt is still the one that was killed."""
    return Job.objects.filter(pk=job.pk, status=Job.Status.RUNNING, attempt=job.attempt).exists()


def test_a_job_that_kills_its_process_fails_after_three_attempts(stack: RunningStack, owner: Any) -> None:
    run = start_run(owner, 5, deadly=["2"], sleep_ms=0)
    wait_for_end(run)
    check(run)
    job = run.jobs.get(key="2")
    assert (job.status, job.attempt) == (Job.Status.FAILED, 3)
    assert "died" in job.error
    assert (run.status, run.succeeded, run.failed) == (Run.Status.COMPLETED, 4, 1)


def test_a_killed_web_server_loses_no_event(stack: RunningStack, owner: Any) -> None:
    run = start_run(owner)
    watcher = Watcher(stack, run.pk)
    wait_for(lambda: len(watcher.texts) >= 10, 20, "ten events at the watcher")
    stack.kill(stack.web)
    time.sleep(0.3)
    stack.start_web()
    stack.wait_for_web()
    wait_for_end(run)
    assert watcher.wait() == check(run)
    assert watcher.connections >= 2


def test_a_killed_scheduler_is_not_needed_while_nothing_fails(stack: RunningStack, owner: Any) -> None:
    stack.kill(stack.scheduler)
    run = start_run(owner, 20, sleep_ms=5)
    wait_for_end(run)
    check(run)
