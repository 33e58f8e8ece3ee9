"""Runs and the state table of their jobs, on the functions themselves."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from workers import claims, completion, control, dispatch, execution, handlers, sweeper, window
from workers.handlers import InvalidSpecError
from workers.models import Job, Run, Worker
from workers.runs import RunOptions
from workers.tests.broker import Published
from workers.tests.conftest import log_of, statuses

PENDING, DISPATCHED, RUNNING = Job.Status.PENDING, Job.Status.DISPATCHED, Job.Status.RUNNING
SUCCEEDED, FAILED, CANCELLED = Job.Status.SUCCEEDED, Job.Status.FAILED, Job.Status.CANCELLED


def held_job(run: Run, worker: Worker, *, pid: int, attempt: int = 1) -> Job:
    """The run's first job, as if that process had claimed it a while ago."""
    job = run.jobs.get(position=0)
    job.status, job.worker, job.pid, job.attempt = RUNNING, worker, pid, attempt
    job.started_at = worker.seen_at - timedelta(seconds=1)
    job.redeliver_at = None
    job.save()
    return job


def test_a_new_run_dispatches_only_its_first_window(count: Any, published: Published) -> None:
    run = count(10)
    assert statuses(run.pk) == [DISPATCHED] * 8 + [PENDING] * 2
    assert published == [job.pk for job in run.jobs.order_by("position")[:8]]
    assert [event["type"] for event in log_of(run)] == ["start"]


def test_the_first_two_jobs_travel_on_the_queue_that_is_served_first(
    count: Any, published: Published
) -> None:
    run = count(10)
    assert published.first_queue == [job.pk for job in run.jobs.order_by("position")[:2]]


def test_the_window_is_four_times_the_live_slots(count: Any, live_worker: Worker) -> None:
    live_worker.slots = 4
    live_worker.save()
    assert statuses(count(30).pk).count(DISPATCHED) == 16


def test_slots_of_other_queues_do_not_widen_the_window(count: Any, live_worker: Worker) -> None:
    live_worker.slots, live_worker.queues = 4, ["downloads"]
    live_worker.save()
    assert statuses(count(30).pk).count(DISPATCHED) == window.MIN_WINDOW


def test_a_kind_with_a_queue_of_its_own_uses_no_other(
    count: Any, live_worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[int, str]] = []
    monkeypatch.setattr(dispatch, "publish", lambda ids, *, queue: sent.append((len(ids), queue)))
    monkeypatch.setattr(handlers.find("count"), "queue", "downloads")
    live_worker.slots, live_worker.queues = 3, ["downloads"]
    live_worker.save()
    run = count(30)
    control.set_priority(run_id=run.pk, priority=Run.Priority.HIGH)
    assert sent == [(2, "downloads"), (10, "downloads")]
    assert window.queue_of(Run.objects.get(pk=run.pk)) == "downloads"


def test_max_parallel_narrows_the_window(count: Any) -> None:
    assert statuses(count(10, options=RunOptions(max_parallel=1)).pk).count(DISPATCHED) == 1


def test_the_next_jobs_are_released_when_half_the_window_is_free(count: Any, published: Published) -> None:
    run = count(14)
    for _ in range(3):
        execution.execute_job(job_id=published.pop(0))
    assert statuses(run.pk) == [SUCCEEDED] * 3 + [DISPATCHED] * 5 + [PENDING] * 6
    execution.execute_job(job_id=published.pop(0))
    assert statuses(run.pk) == [SUCCEEDED] * 4 + [DISPATCHED] * 8 + [PENDING] * 2


def test_a_run_ends_with_its_last_job(count: Any, published: Published) -> None:
    run = count(10)
    published.execute_all()
    log = log_of(run)
    assert [event["type"] for event in log] == ["start"] + ["result"] * 10 + ["complete"]
    assert log[-1]["status"] == "completed"
    assert log[-1]["summary"] == {"sum": 45}
    assert log[-1]["progress"]["percent"] == 100.0
    assert (run.status, run.reason, run.succeeded, run.in_flight) == ("completed", "finished", 10, 0)


def test_known_outcomes_are_linked_when_the_run_is_created(count: Any, published: Published) -> None:
    run = count(4, known=["1", "3"])
    assert statuses(run.pk) == [DISPATCHED, SUCCEEDED, DISPATCHED, SUCCEEDED]
    assert [(event["key"], event["cached"]) for event in log_of(run)[1:]] == [("1", True), ("3", True)]
    published.execute_all()
    assert log_of(run)[-1]["summary"] == {"sum": 6}


def test_a_run_of_known_outcomes_only_ends_at_once(count: Any, published: Published) -> None:
    run = count(2, known=["0", "1"])
    assert published == []
    assert [event["type"] for event in log_of(run)] == ["start", "result", "result", "complete"]
    assert run.has_ended


def test_a_request_that_cannot_be_planned_stores_nothing(count: Any) -> None:
    with pytest.raises(InvalidSpecError, match="must be at least 1"):
        count(0)
    assert not Run.objects.exists()


def test_a_claim_takes_a_dispatched_job_once(count: Any, published: Published) -> None:
    run = count(1)
    first, second = claims.claim_job(published[0]), claims.claim_job(published[0])
    assert first is not None
    assert (first.run_id, first.key, first.attempt) == (run.pk, "0", 1)
    assert second is None


def test_a_message_that_comes_twice_changes_nothing(count: Any, published: Published) -> None:
    run = count(2)
    for job_id in [*published, *published]:
        execution.execute_job(job_id=job_id)
    assert [event["type"] for event in log_of(run)] == ["start", "result", "result", "complete"]


def test_an_error_of_the_input_fails_the_job_at_once(count: Any, published: Published) -> None:
    run = count(2, wrong=["0"])
    published.execute_all()
    failure = log_of(run)[1]
    assert (failure["type"], failure["key"], failure["reason"]) == ("failure", "0", "0 is no good")
    assert (run.status, run.succeeded, run.failed) == ("completed", 1, 1)
    assert run.jobs.get(key="0").attempt == 1


def test_a_bug_in_a_handler_fails_only_its_job(count: Any, published: Published) -> None:
    run = count(2, broken=["1"])
    published.execute_all()
    assert run.jobs.get(key="1").error == "internal error: ZeroDivisionError: a bug"
    assert log_of(run)[-1]["summary"] == {"sum": 0}


def test_only_the_current_attempt_may_fail_a_job(count: Any, published: Published) -> None:
    run = count(1)
    claim = claims.claim_job(published[0])
    assert claim is not None
    Job.objects.update(attempt=2)
    assert not completion.fail_job(claim, reason="late", elapsed_ms=1.0)
    assert statuses(run.pk) == [RUNNING]


def test_an_earlier_attempt_may_complete_a_job_that_waits_for_its_next(
    count: Any, published: Published
) -> None:
    run = count(6)
    claim = claims.claim_job(published[0])
    assert claim is not None
    Job.objects.filter(pk=claim.job_id).update(status=PENDING)
    Run.objects.filter(pk=run.pk).update(in_flight=5)
    handler = execution.handlers.find("count")
    assert completion.complete_job(claim, handler, 0, elapsed_ms=1.0)
    run.refresh_from_db()
    assert statuses(run.pk) == [SUCCEEDED] + [DISPATCHED] * 5
    assert run.in_flight == 5


def test_stop_cancels_what_is_unfinished_and_discards_what_comes_later(
    count: Any, published: Published
) -> None:
    run = count(6)
    execution.execute_job(job_id=published.pop(0))
    claim = claims.claim_job(published.pop(0))
    assert claim is not None
    control.stop_run(run_id=run.pk)
    assert statuses(run.pk) == [SUCCEEDED] + [CANCELLED] * 5
    assert not completion.complete_job(claim, execution.handlers.find("count"), 1, elapsed_ms=1.0)
    published.execute_all()
    log = log_of(run)
    assert [event["type"] for event in log] == ["start", "result", "complete"]
    assert (log[-1]["status"], log[-1]["reason"], log[-1]["progress"]["cancelled"]) == (
        "stopped",
        "stopped",
        5,
    )


def test_stopping_an_ended_run_changes_nothing(count: Any, published: Published) -> None:
    run = count(1)
    published.execute_all()
    assert control.stop_run(run_id=run.pk).status == "completed"
    assert len(log_of(run)) == 3


def test_pause_takes_back_what_no_process_holds_and_resume_goes_on(count: Any, published: Published) -> None:
    run = count(6)
    claim = claims.claim_job(published[0])
    assert claim is not None
    control.pause_run(run_id=run.pk)
    assert statuses(run.pk) == [RUNNING] + [PENDING] * 5
    assert completion.complete_job(claim, execution.handlers.find("count"), 0, elapsed_ms=1.0)
    assert statuses(run.pk) == [SUCCEEDED] + [PENDING] * 5
    for job_id in list(published):
        assert claims.claim_job(job_id) is None
    control.resume_run(run_id=run.pk)
    assert statuses(run.pk) == [SUCCEEDED] + [DISPATCHED] * 5
    published.execute_all()
    assert [event["type"] for event in log_of(run)] == ["start", "progress", "result", "progress"] + [
        "result"
    ] * 5 + ["complete"]


def test_pauses_do_not_count_as_elapsed_time(count: Any) -> None:
    run = count(6)
    Run.objects.filter(pk=run.pk).update(created_at=timezone.now() - timedelta(seconds=100))
    control.pause_run(run_id=run.pk)
    Run.objects.filter(pk=run.pk).update(paused_at=timezone.now() - timedelta(seconds=60))
    run = control.resume_run(run_id=run.pk)
    assert run.elapsed_seconds(timezone.now()) == pytest.approx(40, abs=2)


def test_the_sweeper_sends_a_lost_message_again_without_counting_an_attempt(
    count: Any, published: Published
) -> None:
    run = count(3)
    published.clear()
    sweeper.sweep()
    assert published == []
    run.jobs.update(redeliver_at=timezone.now())
    sweeper.sweep()
    assert len(published) == 3
    assert {(job.deliveries, job.attempt) for job in run.jobs.all()} == {(2, 0)}
    assert run.jobs.first().redeliver_at > timezone.now() + timedelta(seconds=3)
    published.execute_all()
    assert log_of(run)[-1]["type"] == "complete"


def test_the_sweeper_gives_a_dead_childs_job_to_another(
    count: Any, published: Published, live_worker: Worker
) -> None:
    run = count(2)
    held_job(run, live_worker, pid=222)
    sweeper.sweep()
    job = run.jobs.get(position=0)
    assert (job.status, job.attempt) == (DISPATCHED, 1)
    published.execute_all()
    assert log_of(run)[-1]["summary"] == {"sum": 1}
    assert run.jobs.get(position=0).attempt == 2


def test_the_sweeper_leaves_a_job_whose_holder_is_alive(count: Any, live_worker: Worker) -> None:
    run = count(2)
    held_job(run, live_worker, pid=111)
    sweeper.sweep()
    assert run.jobs.get(position=0).status == RUNNING


def test_a_claim_younger_than_the_heartbeat_is_held(count: Any, live_worker: Worker) -> None:
    run = count(2)
    job = held_job(run, live_worker, pid=222)
    Job.objects.filter(pk=job.pk).update(started_at=live_worker.seen_at + timedelta(seconds=1))
    sweeper.sweep()
    assert run.jobs.get(position=0).status == RUNNING


def test_the_sweeper_takes_the_jobs_of_a_silent_worker(count: Any, live_worker: Worker) -> None:
    run = count(2)
    live_worker.seen_at -= timedelta(seconds=6)
    live_worker.save()
    held_job(run, live_worker, pid=111)
    sweeper.sweep()
    assert run.jobs.get(position=0).status == DISPATCHED


def test_a_job_that_killed_three_processes_fails_and_says_so(count: Any, live_worker: Worker) -> None:
    run = count(2)
    held_job(run, live_worker, pid=222, attempt=3)
    sweeper.sweep()
    job = run.jobs.get(position=0)
    assert (job.status, job.error) == (FAILED, "the process that executed it died, 3 times in a row")
    assert log_of(run)[1]["type"] == "failure"


def test_a_paused_runs_lost_job_waits_for_the_resume(count: Any, live_worker: Worker) -> None:
    run = count(2)
    held_job(run, live_worker, pid=222)
    control.pause_run(run_id=run.pk)
    sweeper.sweep()
    assert statuses(run.pk) == [PENDING, PENDING]
    run.refresh_from_db()
    assert run.in_flight == 0
    control.resume_run(run_id=run.pk)
    assert statuses(run.pk) == [DISPATCHED, DISPATCHED]


def test_the_sweeper_widens_the_window_when_workers_join(count: Any, live_worker: Worker) -> None:
    run = count(30)
    assert statuses(run.pk).count(DISPATCHED) == 8
    live_worker.slots = 4
    live_worker.save()
    sweeper.sweep()
    assert statuses(run.pk).count(DISPATCHED) == 16
