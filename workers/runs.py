"""The life of a run: created, ended. Everything in between is in `completion` and `control`."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import islice
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from workers import events, handlers, notifications, rows, termination, window
from workers.handlers import FinishedJob, JobHandler, PlannedJob, Spec
from workers.models import Event, Job, Run

_INSERT_JOBS = """
    INSERT INTO workers_job (run_id, key, position, status, ended_at, elapsed_ms, attempt, deliveries, error)
"""
_PLANNED = {
    "postgresql": """
        SELECT CAST(%s AS uuid), planned ->> 1, CAST(planned ->> 0 AS integer), %s,
               CAST(%s AS timestamptz), CAST(%s AS double precision), 0, 0, ''
          FROM json_array_elements(%s) AS planned""",
    "sqlite": """
        SELECT %s, json_extract(value, '$[1]'), json_extract(value, '$[0]'), %s, %s, %s, 0, 0, ''
          FROM json_each(%s)""",
}
# All jobs as one value: a market's worth of rows costs the database's parser and ours more than the insertion does.


class KeyReusedError(Exception):
    """An idempotency key that belongs to another request."""


class TooManyRunsError(Exception):
    """A user has as many runs under way as allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What any kind of run may be asked for; see the fields of `Run`."""

    max_parallel: int | None = None
    priority: str = Run.Priority.NORMAL
    hit: str = ""
    max_hits: int | None = None
    max_failures: int | None = None
    timeout_seconds: float | None = None
    notify: dict[str, Any] = field(default_factory=dict[str, Any])


def create_run(
    *, owner: Any, kind: str, spec: Spec, options: RunOptions | None = None, **identity: Any
) -> Run:
    """Plan a run, store it with its jobs and what is known already, and dispatch its first window.

    Raises
    ------
    InvalidSpecError
        If the request can't be planned; nothing is stored.
    """
    handler = handlers.find(kind)
    planned = handler.plan(spec, owner=owner)
    chosen = asdict(options or RunOptions())
    run = Run(owner=owner, kind=kind, spec=spec, total=len(planned), **chosen, **identity)
    known = _useful(run, handler, planned)
    with transaction.atomic(), rows.fewer_trips():
        rows.insert(run)
        log = [events.draft(run, "start", {"status": run.status})]
        log += _link_known(run, handler, known) if known else []
        left = {at: job for at, job in enumerate(planned) if at not in known}
        rows.later(_insert_jobs(), _job_values(run, left, [Job.Status.PENDING, None, None]))
        if end := termination.verdict(run):
            log.append(end_run(run, *end))
        else:
            window.open_first(run)
        rows.update(run, Run.ALL_BUT_SPEC[1:])
        events.store(log)
    return run


def create_run_once(
    *, owner: Any, kind: str, spec: Spec, options: RunOptions, idempotency_key: str | None, body: Any = None
) -> Run:
    """Create a run, or return the one that the same request has created before; see `create_run`.

    `body` is the request as it was sent: what is filled in, such as the time of the newest candle, may be another
    when it is sent again. Without it the spec is compared.

    Raises
    ------
    KeyReusedError
        If the key came with another request before.
    TooManyRunsError
        If the owner has as many runs under way as a user may have.
    """
    asked = [kind, spec, asdict(options)] if body is None else [kind, body]
    digest = hashlib.sha256(orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()
    create = partial(_find_or_create, owner, kind, spec, options, key=idempotency_key, digest=digest)
    try:
        return create()
    except IntegrityError:
        # Another request with the key was faster, by so little that its run was not yet there.
        return create()


@transaction.atomic
def _find_or_create(
    owner: Any, kind: str, spec: Spec, options: RunOptions, *, key: str | None, digest: str
) -> Run:
    if key is not None:
        earlier = Run.objects.filter(owner=owner, idempotency_key=key).first()
        if earlier is not None and earlier.request_digest != digest:
            raise KeyReusedError(f"The key {key!r} came with another request before.")
        if earlier is not None:
            return earlier
    active = Run.objects.filter(owner=owner, status__in=Run.ACTIVE).count()
    if active >= settings.MAX_ACTIVE_RUNS_PER_USER:
        raise TooManyRunsError(
            f"{active} of your runs are under way, as many as a user may have; stop one or wait."
        )
    identity = {"idempotency_key": key, "request_digest": digest}
    return create_run(owner=owner, kind=kind, spec=spec, options=options, **identity)


def end_run(run: Run, status: Run.Status, reason: Run.Reason) -> Event:
    """Cancel what a locked run has left, mark it as ended and draft its last event; the caller saves both."""
    left = run.jobs.filter(status__in=Job.UNFINISHED)
    if run.total > run.completed + run.cancelled:
        run.cancelled += left.update(status=Job.Status.CANCELLED, ended_at=timezone.now(), redeliver_at=None)
    run.in_flight = 0
    run.status, run.reason, run.ended_at = status, reason, timezone.now()
    run.summary = handlers.find(run.kind).summarise(run.pk)
    notifications.queue_end_of(run)
    fields = {"status": run.status, "reason": run.reason, "summary": run.summary}
    return events.draft(run, "complete", fields)


def _useful(run: Run, handler: JobHandler, planned: Sequence[PlannedJob]) -> dict[int, PlannedJob]:
    """The jobs whose outcomes are known, by position, until the run has seen enough."""
    known = {position: job for position, job in enumerate(planned) if job.known is not None}
    enough = termination.until_enough(run, [handler.metrics(job.known) for job in known.values()])
    return dict(islice(known.items(), enough))


def _job_values(run: Run, jobs: dict[int, PlannedJob], state: list[Any]) -> list[Any]:
    planned = orjson.dumps([(position, job.key) for position, job in jobs.items()]).decode()
    return [run.pk.hex, *state, planned]


def _insert_jobs() -> str:
    return _INSERT_JOBS + _PLANNED[connection.vendor]


def _link_known(run: Run, handler: JobHandler, known: dict[int, PlannedJob]) -> list[Event]:
    """Record the outcomes that are known, in order of priority."""
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    values = _job_values(run, known, [Job.Status.SUCCEEDED, now, 0.0])
    inserted = rows.fetch_all(f"{_insert_jobs()} RETURNING key, id", values)
    ids = {row[0]: row[1] for row in inserted}
    finished = [
        finished_job(run, handler, ids[job.key], job.known, seq=run.last_seq + number)
        for number, job in enumerate(known.values(), start=1)
    ]
    recorded = handler.record(finished, cached=True)
    return [
        result_event(run, done, job.key, fields, elapsed_ms=0.0, cached=True)
        for job, done, fields in zip(known.values(), finished, recorded, strict=True)
    ]


def finished_job(run: Run, handler: JobHandler, job_id: int, outcome: Any, *, seq: int) -> FinishedJob:
    """An outcome of a locked run with all that its record needs; `seq` is the number that its event will have."""
    hit = termination.is_hit(run, handler.metrics(outcome)) if run.hit else None
    return FinishedJob(job_id, outcome, seq, hit)


def result_event(
    run: Run, done: FinishedJob, key: str, fields: dict[str, Any], *, elapsed_ms: float, cached: bool
) -> Event:
    """Count a recorded outcome of a locked run, and draft its event."""
    run.succeeded += 1
    body: dict[str, Any] = {"key": key, "elapsed_ms": elapsed_ms, "cached": cached, "result": fields}
    if done.hit is not None:
        body["hit"] = done.hit
        run.hits += done.hit
    return events.draft(run, "result", body)


def find_visible(run_id: UUID, user: Any) -> Run | None:
    """The run if it exists and the user may see it."""
    return Run.objects.visible_to(user).filter(pk=run_id).first()
