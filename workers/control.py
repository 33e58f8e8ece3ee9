"""What a user does to a run: stop, pause, resume, prioritise, retry, delete. Each verb is idempotent."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Min
from django.utils import timezone

from workers import events, handlers, runs, window
from workers.models import Job, Run
from workers.runs import RunOptions


@transaction.atomic
def stop_run(*, run_id: UUID, reason: Run.Reason = Run.Reason.STOPPED) -> Run:
    """End a run now; results that arrive later are discarded. Stopping an ended run changes nothing."""
    run = Run.objects.lock(run_id)
    if run.has_ended:
        return run
    last = runs.end_run(run, Run.Status.STOPPED, reason)
    run.save()
    events.store([last])
    return run


@transaction.atomic
def pause_run(*, run_id: UUID) -> Run:
    """Dispatch nothing more; jobs that run now are completed. Pausing a paused or ended run changes nothing."""
    run = Run.objects.lock(run_id)
    if run.status != Run.Status.RUNNING:
        return run
    run.in_flight -= run.jobs.filter(status=Job.Status.DISPATCHED).update(
        status=Job.Status.PENDING, redeliver_at=None
    )
    run.status, run.paused_at = Run.Status.PAUSED, timezone.now()
    return _announce(run, "paused")


@transaction.atomic
def resume_run(*, run_id: UUID) -> Run:
    """Go on with a paused run. Resuming a running or ended run changes nothing."""
    run = Run.objects.lock(run_id)
    if run.status != Run.Status.PAUSED or run.paused_at is None:
        return run
    run.paused_seconds += (timezone.now() - run.paused_at).total_seconds()
    run.status, run.paused_at = Run.Status.RUNNING, None
    window.release(run)
    return _announce(run, "resumed")


@transaction.atomic
def prioritise_jobs(*, run_id: UUID, keys: Sequence[str]) -> Run:
    """Move waiting jobs to the front, in this order; jobs that wait no more, or never were, are passed over."""
    run = Run.objects.lock(run_id)
    if run.has_ended:
        return run
    waiting = {job.key: job for job in run.jobs.filter(status=Job.Status.PENDING, key__in=list(keys))}
    moved = [waiting[key] for key in dict.fromkeys(keys) if key in waiting]
    if not moved:
        return run
    front = run.jobs.aggregate(front=Min("position"))["front"]
    for place, job in enumerate(moved):
        job.position = front - len(moved) + place
    Job.objects.bulk_update(moved, ["position"])
    return _announce(run, "priority")


@transaction.atomic
def set_priority(*, run_id: UUID, priority: Run.Priority) -> Run:
    """Let a run's messages travel on the queue that is served first, or not."""
    run = Run.objects.lock(run_id)
    if run.has_ended or run.priority == priority:
        return run
    run.priority = priority
    return _announce(run, "priority")


class RunIsActiveError(Exception):
    """What is asked can only be done with a run that has ended."""


class NothingFailedError(Exception):
    """There is nothing to retry."""


@transaction.atomic
def retry_run(*, run_id: UUID, owner: Any) -> Run:
    """Start a new run of the jobs that failed in an ended one. Nobody is told of the end of somebody else's.

    Raises
    ------
    RunIsActiveError
        While the run is under way.
    NothingFailedError
        If no job of it failed.
    TooManyRunsError
        If the owner has as many runs under way as a user may have.
    """
    run = Run.objects.get(pk=run_id)
    if not run.has_ended:
        raise RunIsActiveError("The run is under way; stop it or wait for its end.")
    keys = list(run.jobs.filter(status=Job.Status.FAILED).order_by("position").values_list("key", flat=True))
    if not keys:
        raise NothingFailedError("No job of this run failed.")
    options = RunOptions(**{field.name: getattr(run, field.name) for field in fields(RunOptions)})
    if run.owner_id != owner.pk:
        options = replace(options, notify={})
    spec = handlers.find(run.kind).retry_spec(run.spec, keys)
    again = runs.create_run_once(owner=owner, kind=run.kind, spec=spec, options=options, idempotency_key=None)
    again.retry_of = run
    again.save(update_fields=["retry_of"])
    return again


@transaction.atomic
def delete_run(*, run_id: UUID) -> None:
    """Delete an ended run with its jobs and events; results that it linked stay for others.

    Raises
    ------
    RunIsActiveError
        While the run is under way.
    """
    run = Run.objects.lock(run_id)
    if not run.has_ended:
        raise RunIsActiveError("The run is under way; stop it before deleting it.")
    run.delete()


def _announce(run: Run, change: str) -> Run:
    event = events.draft(run, "progress", {"change": change, "status": run.status})
    run.save()
    events.store([event])
    return run
