"""The life of a run: created, ended. Everything in between is in `completion` and `control`."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from workers import dispatch, events, handlers, window
from workers.handlers import JobHandler, PlannedJob, Spec
from workers.models import Event, Job, Run

FIRST_JOBS = 2


def create_run(*, owner: Any, kind: str, spec: Spec, max_parallel: int | None = None) -> Run:
    """Plan a run, store it with its jobs and what is known already, and dispatch its first window.

    Raises
    ------
    InvalidSpecError
        If the request can't be planned; nothing is stored.
    """
    handler = handlers.find(kind)
    planned = handler.plan(spec)
    run = Run(owner=owner, kind=kind, spec=spec, total=len(planned), max_parallel=max_parallel)
    with transaction.atomic():
        _dispatch_first_window(run, jobs := _jobs(run, planned))
        run.save(force_insert=True)
        Job.objects.bulk_create(jobs)
        log = [events.draft(run, "start", {"status": run.status})]
        log += _link_known(run, handler, list(zip(jobs, planned, strict=True)))
        if not run.in_flight:
            log.append(end_run(run, Run.Status.COMPLETED, Run.Reason.FINISHED))
        run.save()
        events.store(log)
    return run


def end_run(run: Run, status: Run.Status, reason: Run.Reason) -> Event:
    """Mark a locked run as ended and draft its last event; the caller saves both."""
    run.status, run.reason, run.ended_at = status, reason, timezone.now()
    run.summary = handlers.find(run.kind).summarise(run.pk)
    fields = {"status": run.status, "reason": run.reason, "summary": run.summary}
    return events.draft(run, "complete", fields)


def _jobs(run: Run, planned: Sequence[PlannedJob]) -> list[Job]:
    now = timezone.now()
    return [
        Job(
            run=run, key=job.key, position=position, status=Job.Status.SUCCEEDED, ended_at=now, elapsed_ms=0.0
        )
        if job.known is not None
        else Job(run=run, key=job.key, position=position)
        for position, job in enumerate(planned)
    ]


def _dispatch_first_window(run: Run, jobs: list[Job]) -> None:
    waiting = [job for job in jobs if job.status == Job.Status.PENDING]
    first_window = waiting[: window.size(run.max_parallel)]
    for job in first_window:
        job.status, job.deliveries = Job.Status.DISPATCHED, 1
        job.redeliver_at = window.redelivery_time(deliveries=1)
    run.in_flight = len(first_window)

    def publish() -> None:
        job_ids = [job.pk for job in first_window]
        dispatch.publish(job_ids[:FIRST_JOBS], queue=dispatch.FIRST_QUEUE)
        dispatch.publish(job_ids[FIRST_JOBS:])

    transaction.on_commit(publish)


def _link_known(run: Run, handler: JobHandler, pairs: list[tuple[Job, PlannedJob]]) -> list[Event]:
    known = [(job, plan.known) for job, plan in pairs if plan.known is not None]
    log: list[Event] = []
    recorded = handler.record([(job.pk, outcome) for job, outcome in known], cached=True)
    for (job, _), fields in zip(known, recorded, strict=True):
        run.succeeded += 1
        log.append(
            events.draft(run, "result", {"key": job.key, "elapsed_ms": 0.0, "cached": True, "result": fields})
        )
    return log


def find_visible(run_id: UUID, user: Any) -> Run | None:
    """The run if it exists and the user may see it."""
    return Run.objects.visible_to(user).filter(pk=run_id).first()
