"""Completion: one short transaction stores an outcome, its event, the run's counters and the next jobs' dispatch."""

from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from workers import events, rows, runs, termination, window
from workers.claims import Claim
from workers.handlers import JobHandler
from workers.models import Event, Job, Run

COUNTERS = ("succeeded", "failed", "cancelled", "hits", "in_flight", "last_seq")
_SUCCEED = """
    UPDATE workers_job SET status = 'succeeded', ended_at = %s, elapsed_ms = %s, redeliver_at = NULL
     WHERE id = %s
"""
ENDING = ("status", "reason", "summary", "ended_at")


@transaction.atomic
def complete_job(claim: Claim, handler: JobHandler, outcome: Any, *, elapsed_ms: float) -> bool:
    """Record a job's outcome. Any attempt may complete an unfinished job: outcomes are deterministic.

    Returns
    -------
    bool
        False if the run has ended or another attempt was first; then nothing of the run changes.
    """
    with rows.fewer_trips():
        handler.store(outcome)
        run, status = Run.objects.lock_with_job(claim.run_id, claim.job_id)
        if run.has_ended or status not in Job.UNFINISHED:
            return False
        rows.later(_SUCCEED, [_now(), elapsed_ms, claim.job_id])
        run.in_flight -= status in Job.IN_FLIGHT  # one that waits for its next attempt is not
        done = runs.finished_job(run, handler, claim.job_id, outcome, seq=run.last_seq + 1)
        (fields,) = handler.record([done], cached=False)
        event = runs.result_event(run, done, claim.key, fields, elapsed_ms=elapsed_ms, cached=False)
        _go_on(run, event)
    return True


@transaction.atomic
def fail_job(claim: Claim, *, reason: str, elapsed_ms: float) -> bool:
    """Record that a job can't be done. Only the current attempt may say so; False if it is not."""
    run = Run.objects.lock(claim.run_id)
    held = Job.objects.filter(pk=claim.job_id, status=Job.Status.RUNNING, attempt=claim.attempt)
    changes = {
        "status": Job.Status.FAILED,
        "ended_at": timezone.now(),
        "elapsed_ms": elapsed_ms,
        "error": reason,
    }
    if run.has_ended or not held.update(**changes):
        return False
    run.in_flight -= 1
    record_failure(run, key=claim.key, reason=reason)
    return True


def record_failure(run: Run, *, key: str, reason: str) -> None:
    """Count and announce a failed job of a locked run, and go on with the run."""
    run.failed += 1
    _go_on(run, events.draft(run, "failure", {"key": key, "reason": reason}))


def _now() -> Any:
    return connection.ops.adapt_datetimefield_value(timezone.now())


def _go_on(run: Run, event: Event) -> None:
    """Release the next jobs, or end the run if that was the last one or enough; save the run and its events."""
    log, changed = [event], COUNTERS
    if end := termination.verdict(run):
        log.append(runs.end_run(run, *end))
        changed += ENDING
    else:
        window.release(run)
    rows.update(run, changed)
    events.store(log)
