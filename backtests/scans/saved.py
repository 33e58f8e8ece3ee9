"""Saved scans: started by hand, or by the scheduler when their series have new candles."""

import logging
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from rest_framework.exceptions import ValidationError

from backtests.models import SavedScan
from backtests.scans.handler import ScanHandler
from backtests.scans.requests import ScanRequestSerializer
from backtests.spec import ALL_SYMBOLS
from market_data.aggregation import finer_intervals, start_of_period
from market_data.intervals import INTERVAL_MS
from market_data.models import CandleSeries
from workers.handlers import InvalidSpecError
from workers.models import Run
from workers.runs import TooManyRunsError, create_run_once

logger = logging.getLogger(__name__)

PERIOD_SECONDS = 5.0
LONGEST_WAIT = timedelta(seconds=60)
"""New candles come for one cryptocurrency after the other: a scan waits until no more come, but not longer."""


def start_due_scans() -> int:
    """Start the scans whose series have new candles; how many. Of several schedulers one starts each."""
    waiting = SavedScan.objects.filter(enabled=True, on_new_candles=True, owner__is_active=True)
    return sum(start_if_due(scan_id) for scan_id in list(waiting.values_list("pk", flat=True)))


@transaction.atomic
def start_if_due(scan_id: int) -> bool:
    """Start one scan if its series have changed since its last run, no more changes come, and that run has ended."""
    scan = SavedScan.objects.select_for_update(no_key=True).filter(pk=scan_id).first()
    if scan is None or not (scan.enabled and scan.on_new_candles):
        return False
    versions = versions_of(scan.request)
    if versions <= scan.seen_versions:
        if versions < scan.seen_versions:  # a series was deleted
            SavedScan.objects.filter(pk=scan.pk).update(seen_versions=versions)
        return False
    now = timezone.now()
    is_quiet = versions == scan.noticed_versions
    scan.noticed_versions, scan.noticed_at = versions, scan.noticed_at or now
    started = (is_quiet or now - scan.noticed_at >= LONGEST_WAIT) and not _is_under_way(scan) and _try(scan)
    scan.save()
    return started


@transaction.atomic
def start(scan: SavedScan) -> Run:
    """Start a saved scan now.

    Raises
    ------
    ValidationError, InvalidSpecError
        If its request is no longer valid.
    TooManyRunsError
        If its owner has as many runs under way as a user may have.
    """
    versions = versions_of(
        scan.request
    )  # before the newest candle is looked up: one that comes now counts as new
    body = ScanRequestSerializer(data=scan.request)
    body.is_valid(raise_exception=True)
    scan.last_run = create_run_once(
        owner=scan.owner,
        kind=ScanHandler.kind,
        spec=body.spec(),
        options=body.options(),
        idempotency_key=None,
    )
    scan.seen_versions, scan.noticed_at, scan.error = versions, None, ""
    scan.save()
    return scan.last_run


def versions_of(request: dict[str, Any]) -> int:
    """A number that rises with every new candle of the series that a request is about.

    It is the sum of their versions. Of a series that is made of finer candles the whole periods count, so that a scan
    of days is not started by every hour.
    """
    interval = request["interval"]
    series = CandleSeries.objects.filter(
        source=request["source"], interval__in=[interval, *finer_intervals(interval)], candle_count__gt=0
    )
    symbols = request.get("symbols", ALL_SYMBOLS)
    if symbols != ALL_SYMBOLS:
        series = series.filter(cryptocurrency__symbol__in=[symbol.upper() for symbol in symbols])
    rows = list(series.values_list("cryptocurrency_id", "interval", "version", "last_open_ms"))
    stored = {coin: version for coin, length, version, _ in rows if length == interval}
    periods = (
        start_of_period(last_open_ms + INTERVAL_MS[length], interval) // INTERVAL_MS[interval]
        for coin, length, _, last_open_ms in rows
        if coin not in stored and last_open_ms is not None
    )
    return sum(stored.values()) + sum(periods)


def _is_under_way(scan: SavedScan) -> bool:
    return scan.last_run is not None and not scan.last_run.has_ended


def _try(scan: SavedScan) -> bool:
    """Start the scan; if that is impossible, say why on it. One whose owner has too many runs is tried again."""
    try:
        start(scan)
    except TooManyRunsError as error:
        scan.error = str(error)
    except (ValidationError, InvalidSpecError) as error:
        scan.error = str(error)
        scan.seen_versions, scan.noticed_at = scan.noticed_versions, None
        logger.warning("saved scan %s of %s can't be started: %s", scan, scan.owner, error)
    else:
        return True
    return False
