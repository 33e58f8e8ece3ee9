"""What a scan amounts to."""

from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q
from django.db.models.functions import Abs

from backtests.models import ScanResult

Signal, Side = ScanResult.Signal, ScanResult.Side


def summarise(run_id: UUID) -> dict[str, Any]:
    """How many signals of each kind, and the strongest entry."""
    results = ScanResult.objects.filter(job__run_id=run_id)
    enter = Q(signal=Signal.ENTER)
    counts = results.aggregate(
        result_count=Count("pk"),
        enter_long_count=Count("pk", filter=enter & Q(side=Side.LONG)),
        enter_short_count=Count("pk", filter=enter & Q(side=Side.SHORT)),
        exit_count=Count("pk", filter=Q(signal=Signal.EXIT)),
        hold_count=Count("pk", filter=Q(signal=Signal.HOLD)),
    )
    entries = results.filter(enter, strength__isnull=False).order_by(
        Abs(F("strength")).desc(), "job__position"
    )
    return {**counts, "strongest": entries.values("symbol", "side", "strength").first()}
