"""The window: how many jobs of a run may be in flight at once.

Pausing, stopping, early termination, priorities and fairness all rest on it: what has not been
dispatched can still be held back, reordered or dropped.
"""

import time
from datetime import datetime, timedelta
from operator import itemgetter

from django.db import connection
from django.utils import timezone

from workers import dispatch, handlers, heartbeat, rows
from workers.models import Run

MIN_WINDOW = 8
JOBS_PER_SLOT = 4
_RELEASE = """
    UPDATE workers_job SET status = 'dispatched', deliveries = 1, redeliver_at = %s
     WHERE id IN (SELECT id FROM workers_job WHERE run_id = %s AND status = 'pending' ORDER BY position LIMIT %s)
    RETURNING id, position
"""
FIRST_JOBS = 2
"""Of a new run, on the queue that is served first."""
REDELIVER_SECONDS = (2, 4, 8, 16, 32, 60)
SLOTS_KEPT_SECONDS = 1.0


def room(run: Run) -> int:
    """How many pending jobs of the run may be dispatched now.

    None until half the window is free: a few messages at once cost less than one after every job, and the other
    half keeps the workers busy meanwhile.
    """
    if run.status != Run.Status.RUNNING:
        return 0
    width = size(run)
    free = max(width - run.in_flight, 0)
    return min(free, run.pending) if 2 * free >= width else 0


def size(run: Run) -> int:
    """Jobs of a run that may be in flight: four times the live slots, at least 8, at most `max_parallel`."""
    slots = _slots.live(handlers.find(run.kind).queue or dispatch.JOBS_QUEUE)
    wanted = max(MIN_WINDOW, JOBS_PER_SLOT * slots)
    return min(wanted, run.max_parallel) if run.max_parallel else wanted


def open_first(run: Run) -> None:
    """Dispatch the first window of a new run; the caller saves it."""
    job_ids = _dispatch_next(run)
    dispatch.publish_on_commit(
        job_ids[:FIRST_JOBS], queue=handlers.find(run.kind).queue or dispatch.FIRST_QUEUE
    )
    dispatch.publish_on_commit(job_ids[FIRST_JOBS:], queue=queue_of(run))


def release(run: Run) -> None:
    """Dispatch pending jobs while the window has room; the caller has locked the run and saves it."""
    dispatch.publish_on_commit(_dispatch_next(run), queue=queue_of(run))


def _dispatch_next(run: Run) -> list[int]:
    """Mark as many pending jobs as there is room for as dispatched, in their order."""
    count = room(run)
    if count == 0:
        return []
    redeliver_at = connection.ops.adapt_datetimefield_value(redelivery_time(deliveries=1))
    released = rows.fetch_all(_RELEASE, [redeliver_at, run.pk.hex, count])
    run.in_flight += len(released)
    return [job_id for job_id, _ in sorted(released, key=itemgetter(1))]


def queue_of(run: Run) -> str:
    """The queue that a run's messages travel on."""
    if own := handlers.find(run.kind).queue:
        return own
    return dispatch.FIRST_QUEUE if run.priority == Run.Priority.HIGH else dispatch.JOBS_QUEUE


def redelivery_time(*, deliveries: int) -> datetime:
    """When a job whose message was sent `deliveries` times, and never claimed, is sent again."""
    seconds = REDELIVER_SECONDS[min(deliveries, len(REDELIVER_SECONDS)) - 1]
    return timezone.now() + timedelta(seconds=seconds)


class _LiveSlots:
    """Slots of the live workers, counted at most once a second in a process."""

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._counted_at = float("-inf")

    def live(self, queue: str) -> int:
        if time.monotonic() - self._counted_at >= SLOTS_KEPT_SECONDS:
            self._counts = heartbeat.live_slots()
            self._counted_at = time.monotonic()
        return self._counts.get(queue, 0)


_slots = _LiveSlots()
