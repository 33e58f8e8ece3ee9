"""Results that nobody points to."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef

from backtests.models import Result, ResultLink
from workers.clock import database_now

BATCH = 500


def prune_results(*, older_than: timedelta) -> int:
    """Delete results computed longer ago than that which no job points to; how many.

    A younger one may belong to a run that is being created just now.
    """
    linked = ResultLink.objects.filter(result=OuterRef("pk"))
    orphans = Result.objects.filter(~Exists(linked), computed_at__lt=database_now() - older_than)
    count = 0
    while ids := list(orphans.values_list("pk", flat=True)[:BATCH]):
        count += Result.objects.filter(~Exists(linked), pk__in=ids).delete()[0]
    return count


def prune_results_as_configured() -> None:
    """The scheduler's step; does nothing unless RESULTS_KEPT_DAYS is set."""
    if settings.RESULTS_KEPT_DAYS is not None:
        prune_results(older_than=timedelta(days=settings.RESULTS_KEPT_DAYS))
