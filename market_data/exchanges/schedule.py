"""Schedules: downloads that are started by the clock, to keep series up to date."""

import logging
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from market_data.exchanges.handler import KIND
from market_data.models import CandleSeries, DownloadSchedule
from workers.handlers import InvalidSpecError
from workers.models import Run
from workers.runs import RunOptions, create_run

logger = logging.getLogger(__name__)
PERIOD_SECONDS = 10
MAX_PARALLEL = 2


def start_due_downloads() -> int:
    """Start a run for each schedule that is due and whose last run has ended; returns how many."""
    due = DownloadSchedule.objects.filter(enabled=True, next_at__lte=timezone.now()).order_by("next_at")
    return sum(start_if_due(schedule_id) for schedule_id in list(due.values_list("pk", flat=True)))


@transaction.atomic
def start_if_due(schedule_id: int) -> bool:
    """Start one schedule's run, unless another scheduler was first or its last run is still going on."""
    schedule = DownloadSchedule.objects.select_for_update(no_key=True).get(pk=schedule_id)
    now = timezone.now()
    if not schedule.enabled or schedule.next_at > now:
        return False
    schedule.next_at = now + timedelta(minutes=schedule.every_minutes)
    started = _start(schedule)
    schedule.save(update_fields=["next_at", "last_run"])
    return started


def _start(schedule: DownloadSchedule) -> bool:
    if schedule.last_run is not None and schedule.last_run.status in Run.ACTIVE:
        return False
    spec = {
        "exchange": schedule.exchange,
        "interval": schedule.interval,
        "symbols": schedule.symbols or _stored_symbols(schedule),
        "start_ms": None,
        "end_ms": None,
    }
    try:
        schedule.last_run = create_run(
            owner=schedule.owner, kind=KIND, spec=spec, options=RunOptions(max_parallel=MAX_PARALLEL)
        )
    except InvalidSpecError as error:
        logger.warning("schedule %s can't start: %s", schedule, error)
        return False
    return True


def _stored_symbols(schedule: DownloadSchedule) -> list[str]:
    series = CandleSeries.objects.filter(source=schedule.exchange, interval=schedule.interval)
    present = series.exclude(cryptocurrency__symbol__contains=".")
    return list(present.values_list("cryptocurrency__symbol", flat=True).order_by("-quote_volume"))
