"""Results of scans as the API shows them."""

from typing import Any

from rest_framework import serializers

from backtests.engine.trades import iso_time
from backtests.models import ScanResult
from backtests.serializers import ResultWarningSerializer


class ScanMetricsSerializer(serializers.ModelSerializer[ScanResult]):
    """The numbers of a scan's result; null where one is undefined."""

    class Meta:  # pyright: ignore[reportIncompatibleVariableOverride]
        model = ScanResult
        fields = ScanResult.METRICS


class ScanResultSerializer(serializers.Serializer[Any]):
    """What the strategy says of one cryptocurrency."""

    symbol = serializers.CharField()
    signal = serializers.ChoiceField(choices=ScanResult.Signal.choices)
    side = serializers.ChoiceField(
        choices=ScanResult.Side.choices, allow_null=True, help_text="Null: both sides, or none to hold."
    )
    signal_time = serializers.DateTimeField(
        allow_null=True, help_text="Open time of the candle that gave the signal."
    )
    last_time = serializers.DateTimeField(help_text="Open time of the latest candle.")
    metrics = ScanMetricsSerializer()
    warnings = ResultWarningSerializer(many=True)
    sparkline = serializers.ListField(child=serializers.FloatField(), help_text="The latest closes.")
    generated = serializers.BooleanField()
    hit = serializers.BooleanField(allow_null=True)
    cached = serializers.BooleanField(help_text="Never: each scan asks anew.")
    elapsed_ms = serializers.FloatField()

    def to_representation(self, instance: ScanResult) -> dict[str, Any]:
        return {
            **represent(instance),
            "hit": instance.hit,
            "cached": False,
            "elapsed_ms": instance.job.elapsed_ms,
        }


def represent(result: ScanResult) -> dict[str, Any]:
    """What a result's event says of it, and a list of results too."""
    return {
        "symbol": result.symbol,
        "signal": result.signal,
        "side": result.side or None,
        "signal_time": None if result.signal_open_ms is None else iso_time(result.signal_open_ms),
        "last_time": iso_time(result.last_open_ms),
        "metrics": result.metrics(),
        "warnings": result.warnings,
        "sparkline": result.sparkline,
        "generated": result.generated,
    }
