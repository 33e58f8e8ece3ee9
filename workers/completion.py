"""Completion: one short transaction stores an outcome, its event, the run's counters and the next jobs' dispatch."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from workers import events, runs, window
from workers.claims import Claim
from workers.handlers import JobHandler
from workers.models import Event, Job, JobQuerySet, Run

COUNTERS = ("succeeded", "failed", "in_flight", "last_seq")
ENDING = ("status", "reason", "summary", "ended_at")


@transaction.atomic
def complete_job(claim: Claim, handler: JobHandler, outcome: Any, *, elapsed_ms: float) -> bool:
    """Record a job's outcome. Any attempt may complete an unfinished job: outcomes are deterministic.

    Returns
    -------
    bool
        False if the run has ended or another attempt was first; then nothing of the run changes.
    """
    handler.store(outcome)
    run = Run.objects.lock(claim.run_id)
    if run.has_ended or not _succeed(run, claim, elapsed_ms):
        return False
    run.succeeded += 1
    (fields,) = handler.record([(claim.job_id, outcome)], cached=False)
    body = {"key": claim.key, "elapsed_ms": elapsed_ms, "cached": False, "result": fields}
    _go_on(run, events.draft(run, "result", body))
    return True


@transaction.atomic
def fail_job(claim: Claim, *, reason: str, elapsed_ms: float) -> bool:
    """Record that a job can't be done. Only the current attempt may say so; False if it is not."""
    run = Run.objects.lock(claim.run_id)
    held = Job.objects.filter(pk=claim.job_id, status=Job.Status.RUNNING, attempt=claim.attempt)
    if run.has_ended or not _finish(held, Job.Status.FAILED, elapsed_ms=elapsed_ms, error=reason):
        return False
    run.in_flight -= 1
    record_failure(run, key=claim.key, reason=reason)
    return True


def record_failure(run: Run, *, key: str, reason: str) -> None:
    """Count and announce a failed job of a locked run, and go on with the run."""
    run.failed += 1
    _go_on(run, events.draft(run, "failure", {"key": key, "reason": reason}))


def _succeed(run: Run, claim: Claim, elapsed_ms: float) -> bool:
    """Mark the job as succeeded if it is unfinished; one that waits for its next attempt is not in flight."""
    job = Job.objects.filter(pk=claim.job_id)
    if _finish(job.filter(status__in=Job.IN_FLIGHT), Job.Status.SUCCEEDED, elapsed_ms=elapsed_ms):
        run.in_flight -= 1
        return True
    return _finish(job.filter(status=Job.Status.PENDING), Job.Status.SUCCEEDED, elapsed_ms=elapsed_ms)


def _finish(jobs: JobQuerySet, status: Job.Status, *, elapsed_ms: float, error: str = "") -> bool:
    changes = {"status": status, "ended_at": timezone.now(), "elapsed_ms": elapsed_ms, "error": error}
    return bool(jobs.update(**changes, redeliver_at=None))


def _go_on(run: Run, event: Event) -> None:
    """Release the next jobs, or end the run if that was the last one; save the run and its events."""
    log, changed = [event], COUNTERS
    if run.total == run.completed + run.cancelled:
        log.append(runs.end_run(run, Run.Status.COMPLETED, Run.Reason.FINISHED))
        changed += ENDING
    else:
        window.release(run)
    run.save(update_fields=changed)
    events.store(log)
