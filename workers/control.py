"""What a user does to a run under way: stop, pause, resume. Each verb is idempotent."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from workers import events, runs, window
from workers.models import Job, Run


@transaction.atomic
def stop_run(*, run_id: UUID, reason: Run.Reason = Run.Reason.STOPPED) -> Run:
    """End a run now; results that arrive later are discarded. Stopping an ended run changes nothing."""
    run = Run.objects.lock(run_id)
    if run.has_ended:
        return run
    run.cancelled += run.jobs.filter(status__in=Job.UNFINISHED).update(
        status=Job.Status.CANCELLED, ended_at=timezone.now(), redeliver_at=None
    )
    run.in_flight = 0
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


def _announce(run: Run, change: str) -> Run:
    event = events.draft(run, "progress", {"change": change, "status": run.status})
    run.save()
    events.store([event])
    return run
