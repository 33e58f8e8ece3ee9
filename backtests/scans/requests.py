"""A request to scan: every field checked, every default filled in."""

from typing import Any

from rest_framework import serializers

from backtests.fields import UtcField, iso_utc
from backtests.models import ScanResult
from backtests.requests import StrategyRequestSerializer
from backtests.scans.spec import DEFAULT_HIT, SCAN_FIELDS
from market_data import market
from workers.requests import ChoiceField

MAX_WITHIN_BARS = 1000


class ScanRequestSerializer(StrategyRequestSerializer):
    """What a strategy says now of many cryptocurrencies. Only `strategy` must be given."""

    metric_names = frozenset(ScanResult.FACTS)

    hit = serializers.CharField(
        required=False,
        allow_blank=True,
        default=DEFAULT_HIT,
        help_text=f"Predicate over {', '.join(ScanResult.FACTS)}; with `max_hits` the scan ends after so many.",
    )
    direction = ChoiceField(
        required=False,
        choices=["long", "short", "long_short"],
        default="long_short",
        help_text="Signals of the other side are left out.",
    )
    within_bars = serializers.IntegerField(
        required=False,
        default=1,
        min_value=1,
        max_value=MAX_WITHIN_BARS,
        help_text="The latest signal within so many candles counts.",
    )
    until = UtcField(
        required=False,
        allow_null=True,
        default=None,
        help_text="Scans as of this moment; by default the end of the latest candle there is.",
    )

    def fill_range(self, attrs: dict[str, Any]) -> dict[str, list[str]]:
        """Take the end of the candles for the moment if it is not given."""
        _, end = market.range_of(source=attrs["source"], interval=attrs["interval"])
        attrs["until"] = attrs["until"] or end
        return {}

    def spec(self) -> dict[str, Any]:
        own = {name: self.validated_data[name] for name in SCAN_FIELDS}
        return {**super().spec(), **own, "until": iso_utc(self.validated_data["until"])}
