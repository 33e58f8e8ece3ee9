"""Strategies and results as the API shows them."""

from typing import Any

from rest_framework import serializers

from backtests.engine.trades import iso_time
from backtests.models import Result, ResultLink
from backtests.strategies.strategy import Strategy


class StrategySerializer(serializers.Serializer[Any]):
    """A strategy and the JSON Schema of its parameters."""

    name = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    acts_on = serializers.ChoiceField(choices=["cross", "level"])
    strength_unit = serializers.CharField(
        allow_null=True, help_text="Of the strength in scans; null: it has none."
    )
    parameters = serializers.JSONField(help_text="JSON Schema.")

    def to_representation(self, instance: Strategy) -> dict[str, Any]:
        return {
            "name": instance.name,
            "title": instance.title,
            "description": instance.description,
            "acts_on": instance.acts_on,
            "strength_unit": instance.strength_unit,
            "parameters": instance.Parameters.model_json_schema(),
        }


class MetricsSerializer(serializers.ModelSerializer[Result]):
    """Metrics of a result; null where one is undefined."""

    class Meta:  # pyright: ignore[reportIncompatibleVariableOverride]
        model = Result
        fields = Result.METRICS


class ResultWarningSerializer(serializers.Serializer[Any]):
    """Something to know about the candles before believing the numbers."""

    code = serializers.CharField()
    message = serializers.CharField()


class ResultSerializer(serializers.Serializer[Any]):
    """One cryptocurrency's result in a run."""

    symbol = serializers.CharField()
    metrics = MetricsSerializer()
    warnings = ResultWarningSerializer(many=True)
    sparkline = serializers.ListField(child=serializers.FloatField())
    generated = serializers.BooleanField()
    hit = serializers.BooleanField(
        allow_null=True, help_text="Satisfies the run's predicate; null if it has none."
    )
    cached = serializers.BooleanField()
    elapsed_ms = serializers.FloatField()

    def to_representation(self, instance: ResultLink) -> dict[str, Any]:
        return {
            "symbol": instance.result.symbol,
            "metrics": instance.result.metrics(),
            "warnings": instance.result.warnings,
            "sparkline": instance.result.sparkline,
            "generated": instance.result.generated,
            "hit": instance.hit,
            "cached": instance.cached,
            "elapsed_ms": instance.job.elapsed_ms,
        }


class ResultDetailSerializer(ResultSerializer):
    """A result with its trades, its equity curve, and what it was computed from."""

    strategy = serializers.CharField()
    parameters = serializers.JSONField()
    execution = serializers.JSONField()
    candles = serializers.JSONField()
    trades = serializers.ListField(child=serializers.JSONField())
    open_trade = serializers.JSONField(allow_null=True)
    equity = serializers.JSONField(help_text="`time_ms` and `value` at up to 500 bars.")
    computed_at = serializers.DateTimeField()

    def to_representation(self, instance: ResultLink) -> dict[str, Any]:
        result = instance.result
        return {
            **super().to_representation(instance),
            "strategy": result.strategy,
            "parameters": result.parameters,
            "execution": result.execution,
            "candles": _candle_facts(result),
            "trades": result.trade_records(),
            "open_trade": result.open_trade,
            "equity": result.equity_points(),
            "computed_at": result.computed_at,
        }


def _candle_facts(result: Result) -> dict[str, Any]:
    return {
        "source": result.source,
        "interval": result.interval,
        "count": result.candle_count,
        "first_open": iso_time(result.first_open_ms),
        "last_open": iso_time(result.last_open_ms),
        "gap_count": result.gap_count,
        "missing_count": result.missing_count,
    }
