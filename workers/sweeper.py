"""The sweeper: puts right what a crash, a lost message or a wiped broker has left behind.

It takes one run at a time and skips a locked one, whose owner is about to change it anyway.
"""

import logging
from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from workers import completion, control, dispatch, handlers, termination, window
from workers.clock import database_now
from workers.heartbeat import FRESH_SECONDS
from workers.models import Job, Run, Worker

logger = logging.getLogger(__name__)

Missing = Counter[str | None]
"""Messages that are missing, by the queue of their kind of run; None for the usual ones."""

PERIOD_SECONDS = 0.5
MAX_ATTEMPTS = 3
MAX_REDELIVERIES = 100
"""Messages sent again for one run in one sweep, so that a long queue is not flooded with copies of itself."""


def sweep() -> None:
    """Look once at every run under way and mend what needs it."""
    lost = _jobs_with_dead_holders()
    missing = _missing_messages()
    candidates = {job.run_id for job in lost}
    candidates.update(_runs_with_due_jobs(missing))
    for run in Run.objects.filter(status=Run.Status.RUNNING).defer("spec", "summary"):
        if termination.has_timed_out(run):
            control.stop_run(run_id=run.pk, reason=Run.Reason.TIMEOUT)
        elif window.room(run) > 0:
            candidates.add(run.pk)
    for run_id in candidates:
        _mend(run_id, [job for job in lost if job.run_id == run_id], missing)


@transaction.atomic
def _mend(run_id: UUID, lost: list[Job], missing: Missing) -> None:
    run = Run.objects.select_for_update(no_key=True, skip_locked=True).filter(pk=run_id).first()
    if run is None or run.has_ended:
        return
    for job in lost:
        _recover(run, job)
    if run.has_ended:
        return
    window.release(run)
    run.save(update_fields=completion.COUNTERS)
    _redeliver(run, missing)


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


def _missing_messages() -> Missing:
    """How many messages are nowhere: jobs that wait to be claimed, less what waits in the broker's queues.

    Where many runs wait, a message may wait for long; sending it again would only make the queue longer. A few are
    counted as missing that workers hold already.
    """
    missing: Missing = Counter()
    dispatched = Job.objects.filter(status=Job.Status.DISPATCHED)
    if not dispatched.filter(redeliver_at__lte=timezone.now()).exists():
        return missing
    for kind, count in dispatched.values_list("run__kind").annotate(count=Count("pk")).order_by():
        missing[handlers.find(kind).queue] += count
    for own in missing:
        for queue in [own] if own else [dispatch.FIRST_QUEUE, dispatch.JOBS_QUEUE]:
            missing[own] -= dispatch.waiting_count(queue)
    return +missing


def _runs_with_due_jobs(missing: Missing) -> set[UUID]:
    """Runs whose jobs may be those that nobody has a message of."""
    if not missing:
        return set()
    due = Job.objects.filter(status=Job.Status.DISPATCHED, redeliver_at__lte=timezone.now())
    runs = due.values_list("run_id", "run__kind").distinct()
    return {run_id for run_id, kind in runs if missing[handlers.find(kind).queue]}


def _redeliver(run: Run, missing: Missing) -> None:
    """Send the messages again of dispatched jobs that nobody has claimed in time, no more than are missing."""
    queue = handlers.find(run.kind).queue
    due = run.jobs.filter(status=Job.Status.DISPATCHED, redeliver_at__lte=timezone.now())
    jobs = list(due.order_by("redeliver_at", "position")[: min(missing[queue], MAX_REDELIVERIES)])
    for job in jobs:
        job.deliveries += 1
        job.redeliver_at = window.redelivery_time(deliveries=job.deliveries)
    if jobs:
        missing[queue] -= len(jobs)
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
