"""The event log of a run: numbered 1, 2, 3 … without gaps, in the order of the commits."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from django.db import transaction
from django.utils import timezone

from workers import rings, rows
from workers.models import Event, Run

LAST_TYPES = frozenset({"complete", "error"})
PAGE_SIZE = 500


@dataclass(frozen=True, slots=True)
class RunEvent:
    """An event as watchers get it; `json` is the stored text, the same over every transport."""

    seq: int
    json: str
    is_last: bool


def draft(run: Run, name: str, fields: dict[str, Any]) -> Event:
    """The run's next event with its progress as it is now, not yet stored. The run must be locked."""
    run.last_seq += 1
    now = timezone.now()
    body = {"seq": run.last_seq, "type": name, "run": run.pk, "at": now, "progress": progress(run), **fields}
    text = orjson.dumps(body, option=orjson.OPT_UTC_Z | orjson.OPT_SERIALIZE_NUMPY).decode()
    return Event(run_id=run.pk, seq=run.last_seq, type=name, body=text)


def store(drafts: list[Event]) -> None:
    """Insert drafted events of one run and ring its watchers once they are committed."""
    rows.insert_many(drafts)
    events = [_run_event(event.seq, event.type, event.body) for event in drafts]
    transaction.on_commit(lambda: rings.ring(drafts[0].run_id, events))


def progress(run: Run) -> dict[str, Any]:
    """How far a run is; the same fields in every event and every answer about the run."""
    elapsed = run.elapsed_seconds(timezone.now())
    per_second = run.completed / elapsed if run.completed and elapsed > 0 else None
    left = run.total - run.completed - run.cancelled
    eta = left / per_second if per_second and not run.has_ended else None
    return {
        "total": run.total,
        "completed": run.completed,
        "succeeded": run.succeeded,
        "failed": run.failed,
        "cancelled": run.cancelled,
        "percent": round(100.0 * (run.total - left) / run.total, 2) if run.total else 100.0,
        "elapsed_seconds": round(elapsed, 3),
        "eta_seconds": None if eta is None else round(eta, 3),
        "per_second": None if per_second is None else round(per_second, 2),
    }


def read(run_id: UUID, *, after: int, limit: int = PAGE_SIZE) -> list[RunEvent]:
    """Stored events with `seq > after`, oldest first, at most `limit`."""
    rows: Iterable[tuple[int, str, str]] = (
        Event.objects.filter(run_id=run_id, seq__gt=after)
        .order_by("seq")
        .values_list("seq", "type", "body")[:limit]
    )
    return [_run_event(*row) for row in rows]


def last_seqs(run_ids: Collection[UUID]) -> dict[UUID, int]:
    """The number of the last event of each of these runs that exists."""
    return dict(Run.objects.filter(pk__in=run_ids).values_list("pk", "last_seq"))


def _run_event(seq: int, name: str, body: str) -> RunEvent:
    return RunEvent(seq=seq, json=body, is_last=name in LAST_TYPES)
