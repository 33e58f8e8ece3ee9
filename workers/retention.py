"""What is deleted when it is of no more use to anyone."""

from datetime import timedelta

from django.conf import settings
from django.contrib.sessions.models import Session
from django.utils import timezone

from workers.clock import database_now
from workers.models import ApiToken, Run, Worker

WORKERS_KEPT = timedelta(days=1)
TOKENS_KEPT = timedelta(days=30)
BATCH = 100
"""Runs deleted in one transaction: each has up to thousands of jobs and events."""


def forget_dead_workers() -> None:
    """Delete the rows of workers that have not been seen for a day."""
    Worker.objects.filter(seen_at__lt=database_now() - WORKERS_KEPT).delete()


def forget_expired_access() -> None:
    """Delete sessions that have expired, and tokens that did a month ago: until then their users can see why."""
    now = timezone.now()
    Session.objects.filter(expire_date__lt=now).delete()
    ApiToken.objects.filter(expires_at__lt=now - TOKENS_KEPT).delete()


def prune_runs(*, older_than: timedelta) -> int:
    """Delete runs that ended longer ago than that, with their jobs and events; how many."""
    ended = Run.objects.filter(ended_at__lt=database_now() - older_than).order_by("ended_at")
    count = 0
    while ids := list(ended.values_list("pk", flat=True)[:BATCH]):
        Run.objects.filter(pk__in=ids).delete()
        count += len(ids)
    return count


def prune_runs_as_configured() -> None:
    """The scheduler's step; does nothing unless RUNS_KEPT_DAYS is set."""
    if settings.RUNS_KEPT_DAYS is not None:
        prune_runs(older_than=timedelta(days=settings.RUNS_KEPT_DAYS))
