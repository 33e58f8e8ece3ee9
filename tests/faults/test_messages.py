"""The broker loses, doubles or forgets everything: the table of jobs remembers."""

from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from redis import Redis

from tests.faults.checks import check, wait_for_end, wait_for_events
from tests.faults.test_kills import JOBS, start_gated_run, start_run
from tests.faults.watchers import Watcher
from tests.stack import RunningStack
from workers import dispatch, sweeper
from workers.models import Job, Run


def test_messages_that_are_lost_doubled_or_never_sent_cost_nothing_but_time(
    stack: RunningStack, owner: Any, broker_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after the other, with one stack."""
    _wipe_the_broker(stack, owner, broker_url, folder / "gate")
    with monkeypatch.context() as patch:
        _deliver_twice(owner, folder / "executed", patch)
    with monkeypatch.context() as patch:
        _lose_messages(owner, patch)
    with monkeypatch.context() as patch:
        _do_without_a_broker(owner, patch)


def _wipe_the_broker(stack: RunningStack, owner: Any, broker_url: str, gate: Path) -> None:
    run = start_gated_run(owner, gate)
    steady = Watcher(stack, run.pk)
    restless = Watcher(stack, run.pk, drop_at=(3, 33, 44))
    for count in (5, 20, 35):
        wait_for_events(run, count)
        Redis.from_url(broker_url).flushall()
    gate.touch()
    wait_for_end(run)
    stored = check(run)
    assert run.succeeded == JOBS
    assert steady.wait() == restless.wait() == stored


def _lose_messages(owner: Any, patch: pytest.MonkeyPatch) -> None:
    """They are sent again."""
    patch.setattr(dispatch, "publish", lambda *_, **__: None)
    run = start_run(owner, 5, sleep_ms=1)
    wait_for_end(run)
    check(run)
    assert {job.deliveries for job in run.jobs.all()} == {2}
    assert {job.attempt for job in run.jobs.all()} == {1}


def _deliver_twice(owner: Any, log: Path, patch: pytest.MonkeyPatch) -> None:
    """Each job is executed once."""
    publish = dispatch.publish

    def publish_twice(job_ids: list[int], **options: Any) -> None:
        for job_id in job_ids:
            publish([job_id], **options)
            publish([job_id], **options)

    patch.setattr(dispatch, "publish", publish_twice)
    log.mkdir()
    run = start_run(owner, 8, sleep_ms=20, log_folder=str(log))
    wait_for_end(run)
    check(run)
    assert {path.name: path.read_text() for path in log.iterdir()} == {str(k): "x" for k in range(8)}


def _do_without_a_broker(owner: Any, patch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: Any, **__: Any) -> None:
        raise dispatch.OperationalError("no broker")

    patch.setattr(dispatch.current_app, "send_task", unreachable)
    run = start_run(owner, 5, sleep_ms=1)
    assert run.status == Run.Status.RUNNING
    wait_for_end(run)
    check(run)


def test_a_message_that_only_waits_is_not_sent_again(owner: Any, broker_url: str) -> None:
    run = start_run(owner, 5)  # and nobody works
    waiting = run.jobs.filter(status=Job.Status.DISPATCHED)
    waiting.update(redeliver_at=timezone.now())
    sweeper.sweep()
    assert set(waiting.values_list("deliveries", flat=True)) == {1}

    assert Redis.from_url(broker_url).lpop(dispatch.JOBS_QUEUE), "one message is lost"
    sweeper.sweep()
    assert sorted(waiting.values_list("deliveries", flat=True)) == [1, 1, 1, 1, 2]

    waiting.update(redeliver_at=timezone.now())
    Redis.from_url(broker_url).flushall()
    sweeper.sweep()
    assert sorted(waiting.values_list("deliveries", flat=True)) == [2, 2, 2, 2, 3]
