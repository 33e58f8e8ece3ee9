"""A request to backtest: every field checked, every default filled in."""

from datetime import UTC, date, datetime, time
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from pydantic import ValidationError as ParameterErrors
from rest_framework import serializers

from backtests.engine.errors import EngineError
from backtests.engine.execution import Execution
from backtests.models import Result
from backtests.spec import ALL_SYMBOLS, EXECUTION_FIELDS
from backtests.strategies.registry import all_strategies, find_strategy
from market_data import market
from market_data.intervals import INTERVAL_MS
from workers.serializers import RunOptionsSerializer

DEFAULTS = Execution()
MAX_SYMBOLS = 10_000


@extend_schema_field(OpenApiTypes.DATETIME)
class UtcField(serializers.Field[Any, Any, Any, Any]):
    """A date or a time, ISO 8601; UTC where it names no zone."""

    def to_internal_value(self, data: Any) -> datetime:
        try:
            if len(data) == len("2021-04-05"):
                return datetime.combine(date.fromisoformat(data), time(), UTC)
            moment = datetime.fromisoformat(data)
        except (TypeError, ValueError):
            raise serializers.ValidationError(
                "Must be a date such as 2021-04-05 or a time such as 2021-04-05T00:00:00Z."
            ) from None
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)

    def to_representation(self, value: datetime) -> str:
        return value.isoformat().replace("+00:00", "Z")


@extend_schema_field({"oneOf": [{"enum": [ALL_SYMBOLS]}, {"type": "array", "items": {"type": "string"}}]})
class SymbolsField(serializers.Field[Any, Any, Any, Any]):
    """`"all"`, or a list of symbols."""

    def to_internal_value(self, data: Any) -> str | list[str]:
        if data == ALL_SYMBOLS:
            return ALL_SYMBOLS
        if not isinstance(data, list) or not data or not all(isinstance(symbol, str) for symbol in data):
            raise serializers.ValidationError(
                f'Must be "{ALL_SYMBOLS}" or a list of symbols such as ["BTCUSDT"].'
            )
        symbols = list(dict.fromkeys(symbol.upper() for symbol in data))
        if len(symbols) > MAX_SYMBOLS:
            raise serializers.ValidationError(f"At most {MAX_SYMBOLS:,} symbols; there are {len(symbols):,}.")
        unknown = market.unknown_symbols(symbols)
        if unknown:
            more = f" and {len(unknown) - 5} more" if len(unknown) > 5 else ""
            raise serializers.ValidationError(
                f"Unknown: {', '.join(unknown[:5])}{more}. See /api/cryptocurrencies/."
            )
        return symbols

    def to_representation(self, value: str | list[str]) -> str | list[str]:
        return value


class BacktestRequestSerializer(RunOptionsSerializer):
    """One strategy over many cryptocurrencies. Only `strategy` must be given."""

    metric_names = frozenset(Result.METRICS)

    strategy = serializers.CharField(max_length=64)
    parameters = serializers.DictField(
        required=False, default=dict, help_text="By name; see /api/strategies/."
    )
    symbols = SymbolsField(required=False, default=ALL_SYMBOLS)
    source = serializers.CharField(  # pyright: ignore[reportAssignmentType]
        required=False, max_length=40, help_text="By default the one with most series."
    )
    interval = serializers.ChoiceField(required=False, choices=list(INTERVAL_MS), default="1h")
    start = UtcField(required=False, allow_null=True, default=None)
    end = UtcField(required=False, allow_null=True, default=None)
    initial_cash = serializers.FloatField(required=False, default=DEFAULTS.initial_cash)
    fee_rate = serializers.FloatField(required=False, default=DEFAULTS.fee_rate)
    slippage_rate = serializers.FloatField(required=False, default=DEFAULTS.slippage_rate)
    fill = serializers.ChoiceField(required=False, choices=["next_open", "same_close"], default="next_open")
    priority_symbols = SymbolsField(
        required=False,
        default=list,
        help_text="Backtested first, in this order; the others by traded volume.",
    )

    def validate_strategy(self, value: str) -> str:
        try:
            return find_strategy(value).name
        except EngineError:
            known = ", ".join(strategy.name for strategy in all_strategies())
            raise serializers.ValidationError(f"There is no strategy {value!r}; there are {known}.") from None

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        errors: dict[str, Any] = {**_execution_errors(attrs)}
        try:
            attrs["parameters"] = _checked_parameters(attrs["strategy"], attrs["parameters"])
        except ParameterErrors as error:
            errors["parameters"] = _parameter_errors(error)
        source = market.source_for(attrs["interval"], attrs.get("source"))
        if source is None:
            errors["source" if "source" in attrs else "interval"] = [market.no_source(attrs["interval"])]
        else:
            attrs["source"] = source
            errors.update(_fill_range(attrs))
        if errors:
            raise serializers.ValidationError(errors)
        return attrs

    def spec(self) -> dict[str, Any]:
        """The validated request as the JSON that a run keeps."""
        names = ("strategy", "parameters", "symbols", "source", "interval", "start", "end", *EXECUTION_FIELDS)
        spec = {name: self.validated_data[name] for name in names}
        for name in ("start", "end"):
            spec[name] = spec[name].isoformat().replace("+00:00", "Z")
        options = ("max_parallel", "hit", "max_hits", "max_failures", "timeout_seconds", "priority_symbols")
        return {**spec, **{name: self.validated_data[name] for name in options}}


def _fill_range(attrs: dict[str, Any]) -> dict[str, list[str]]:
    """Take the ends of the candles for those of the range that are not given; errors by field."""
    first, end = market.range_of(source=attrs["source"], interval=attrs["interval"])
    attrs["start"] = attrs["start"] or first
    attrs["end"] = attrs["end"] or end
    return {} if attrs["start"] < attrs["end"] else {"end": ["Must be after start."]}


def _execution_errors(attrs: dict[str, Any]) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    for name in EXECUTION_FIELDS:
        try:
            Execution(**{name: attrs[name]})
        except EngineError as error:
            errors[name] = [str(error)]
    return errors


def _checked_parameters(strategy: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return find_strategy(strategy).Parameters.model_validate(parameters).model_dump(mode="json")


def _parameter_errors(error: ParameterErrors) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in error.errors(include_url=False):
        name = ".".join(str(part) for part in item["loc"]) or "non_field_errors"
        found.setdefault(name, []).append(item["msg"].removeprefix("Value error, "))
    return found
