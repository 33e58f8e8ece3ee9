"""How far a job is, said by the job itself while it is executed: for those that take longer than a moment.

A handler calls `report` as often as it likes, outside any transaction; watchers hear of it once a second at most.
"""

import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from django.db import transaction

from workers import events, rows
from workers.claims import Claim
from workers.models import Job, Run

LEAST_SECONDS = 1.0
LEAST_SHARE = 0.01
"""A job tells of itself a hundred times at most, however long it takes."""


class NotWantedError(Exception):
    """The run has ended, or another process has the job: nobody wants what this one does."""


class _Reporter:
    """What the job of this process has told so far."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.told_at = time.monotonic()
        self.told_share = 0.0


_reporter: _Reporter | None = None


@contextmanager
def reporting(claim: Claim) -> Generator[None]:
    """Let `report` speak of this job."""
    global _reporter  # noqa: PLW0603 -- a process executes one job at a time
    _reporter = _Reporter(claim)
    try:
        yield
    finally:
        _reporter = None


def report(share: float, **facts: Any) -> None:
    """Tell watchers that a share of this job, 0 to 1, is done, and facts about it; outside a job, nobody.

    Raises
    ------
    NotWantedError
        If the job's outcome would change nothing any more; what is done may be left as it is.
    """
    if _reporter is None or time.monotonic() - _reporter.told_at < LEAST_SECONDS:
        return
    _tell(_reporter.claim, share if share - _reporter.told_share >= LEAST_SHARE else None, facts)
    _reporter.told_at = time.monotonic()
    _reporter.told_share = max(share, _reporter.told_share)


@transaction.atomic
def _tell(claim: Claim, share: float | None, facts: dict[str, Any]) -> None:
    run = Run.objects.lock(claim.run_id) if share is not None else Run.objects.get(pk=claim.run_id)
    held = Job.objects.filter(pk=claim.job_id, status=Job.Status.RUNNING, attempt=claim.attempt)
    if run.has_ended or not held.exists():
        raise NotWantedError
    if share is not None:
        fields = {"change": "advance", "status": run.status, "key": claim.key, "share": round(share, 4)}
        event = events.draft(run, "progress", {**fields, **facts})
        rows.update(run, ("last_seq",))
        events.store([event])
