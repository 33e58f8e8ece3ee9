"""The sweeper: puts right what a crash, a lost message or a wiped broker has left behind.

It takes one run at a time and skips a locked one, whose owner is about to change it anyway.
"""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from workers import completion, control, dispatch, termination, window
from workers.clock import database_now
from workers.heartbeat import FRESH_SECONDS
from workers.models import Job, Run, Worker

logger = logging.getLogger(__name__)

PERIOD_SECONDS = 0.5
MAX_ATTEMPTS = 3
MAX_REDELIVERIES = 100
"""Messages sent again for one run in one sweep, so that a long queue is not flooded with copies of itself."""


def sweep() -> None:
    """Look once at every run under way and mend what needs it."""
    lost = _jobs_with_dead_holders()
    due = Job.objects.filter(status=Job.Status.DISPATCHED, redeliver_at__lte=timezone.now())
    candidates = {job.run_id for job in lost}
    candidates.update(due.values_list("run_id", flat=True).distinct())
    for run in Run.objects.filter(status=Run.Status.RUNNING).defer("spec", "summary"):
        if termination.has_timed_out(run):
            control.stop_run(run_id=run.pk, reason=Run.Reason.TIMEOUT)
        elif window.room(run) > 0:
            candidates.add(run.pk)
    for run_id in candidates:
        _mend(run_id, [job for job in lost if job.run_id == run_id])


@transaction.atomic
def _mend(run_id: UUID, lost: list[Job]) -> None:
    run = Run.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=run_id).first()
    if run is None or run.has_ended:
        return
    for job in lost:
        _recover(run, job)
    if run.has_ended:
        return
    window.release(run)
    run.save(update_fields=completion.COUNTERS)
    _redeliver(run)


def _recover(run: Run, job: Job) -> None:
    """Give a job whose holder died to another worker, or fail it if it has cost too many already."""
    held = Job.objects.filter(pk=job.pk, status=Job.Status.RUNNING, attempt=job.attempt)
    if job.attempt < MAX_ATTEMPTS:
        run.in_flight -= held.update(status=Job.Status.PENDING, worker=None, pid=None)
        return
    reason = f"the process that executed it died, {job.attempt} times in a row"
    if held.update(status=Job.Status.FAILED, error=reason, ended_at=timezone.now()):
        run.in_flight -= 1
        completion.record_failure(run, key=job.key, reason=reason)


def _redeliver(run: Run) -> None:
    """Send the messages again of dispatched jobs that nobody has claimed in time."""
    due = run.jobs.filter(status=Job.Status.DISPATCHED, redeliver_at__lte=timezone.now()).order_by("position")
    jobs = list(due[:MAX_REDELIVERIES])
    for job in jobs:
        job.deliveries += 1
        job.redeliver_at = window.redelivery_time(deliveries=job.deliveries)
    if jobs:
        # Written one by one with the status in the condition: a claim does not wait for the run's lock.
        for job in jobs:
            Job.objects.filter(pk=job.pk, status=Job.Status.DISPATCHED).update(
                deliveries=job.deliveries, redeliver_at=job.redeliver_at
            )
        logger.info("sent %d jobs of run %s again", len(jobs), run.pk)
        dispatch.publish_on_commit([job.pk for job in jobs], queue=window.queue_of(run))


def _jobs_with_dead_holders() -> list[Job]:
    running = Job.objects.filter(status=Job.Status.RUNNING, run__status__in=Run.ACTIVE)
    jobs = list(running.only("run_id", "key", "status", "attempt", "worker_id", "pid", "started_at"))
    if not jobs:
        return []
    workers = Worker.objects.in_bulk({job.worker_id for job in jobs if job.worker_id is not None})
    now = database_now()
    return [job for job in jobs if not _is_held(job, workers.get(job.worker_id or 0), now)]


def _is_held(job: Job, worker: Worker | None, now: datetime) -> bool:
    if worker is None or worker.stopped_at is not None or job.started_at is None:
        return False
    if worker.seen_at < now - timedelta(seconds=FRESH_SECONDS):
        return False
    # A heartbeat older than the claim can't know the process that made it.
    return worker.seen_at <= job.started_at or job.pid in worker.pool_pids
