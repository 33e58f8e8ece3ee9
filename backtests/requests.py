"""A request to backtest: every field checked, every default filled in."""

from collections.abc import Iterable
from typing import Any

from pydantic import ValidationError as ParameterErrors
from rest_framework import serializers

from backtests.engine.errors import EngineError
from backtests.execution_fields import ExecutionFieldsSerializer, execution_errors
from backtests.fields import SymbolsField, UtcField, iso_utc
from backtests.models import Result
from backtests.planning import ORDERS
from backtests.spec import ALL_SYMBOLS, EXECUTION_FIELDS
from backtests.strategies.registry import all_strategies, find_strategy
from market_data import market
from market_data.intervals import INTERVAL_MS
from workers.requests import ChoiceField, no_such_field
from workers.serializers import RunOptionsSerializer

STRATEGY_FIELDS = ("strategy", "parameters", "symbols", "source", "interval")
OPTION_FIELDS = (
    "max_parallel",
    "hit",
    "max_hits",
    "max_failures",
    "timeout_seconds",
    "priority_symbols",
    "order",
)


class StrategyRequestSerializer(RunOptionsSerializer):
    """One strategy over many cryptocurrencies; base of the kinds' own requests."""

    strategy = serializers.CharField(max_length=64)
    parameters = serializers.DictField(
        required=False,
        default=dict,
        error_messages={"not_a_dict": 'Must be an object such as {{"period": 14}}, not {input_type}.'},
        help_text="By name; see /api/strategies/.",
    )
    symbols = SymbolsField(required=False, default=ALL_SYMBOLS)
    source = serializers.CharField(  # pyright: ignore[reportAssignmentType]
        required=False, max_length=40, help_text="By default the one with most series."
    )
    interval = ChoiceField(required=False, choices=list(INTERVAL_MS), default="1h")
    priority_symbols = SymbolsField(
        required=False,
        default=list,
        help_text="Done first, in this order; the others follow in that of `order`.",
    )
    order = ChoiceField(
        required=False,
        choices=ORDERS,
        default="volume",
        help_text="Most traded first, or first those that were hits in your earlier runs of the strategy.",
    )

    def validate_strategy(self, value: str) -> str:
        try:
            return find_strategy(value).name
        except EngineError:
            known = ", ".join(strategy.name for strategy in all_strategies())
            raise serializers.ValidationError(f"There is no strategy {value!r}; there are {known}.") from None

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        errors = self.errors_of_kind(attrs)
        try:
            attrs["parameters"] = _checked_parameters(attrs["strategy"], attrs["parameters"])
        except ParameterErrors as error:
            errors["parameters"] = _parameter_errors(
                error, known=find_strategy(attrs["strategy"]).Parameters.model_fields
            )
        source = market.source_for(attrs["interval"], attrs.get("source"))
        if source is None:
            errors["source" if "source" in attrs else "interval"] = [market.no_source(attrs["interval"])]
        else:
            attrs["source"] = source
            errors.update(self.fill_range(attrs))
        if errors:
            raise serializers.ValidationError(errors)
        return attrs

    def errors_of_kind(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What is wrong with the fields that only this kind of run has, by field."""
        return {}

    def fill_range(self, attrs: dict[str, Any]) -> dict[str, list[str]]:
        """Fill in the times that are not given, from the candles there are; errors by field."""
        raise NotImplementedError

    def spec(self) -> dict[str, Any]:
        """The validated request as the JSON that a run keeps."""
        return {name: self.validated_data[name] for name in (*STRATEGY_FIELDS, *OPTION_FIELDS)}


class BacktestRequestSerializer(ExecutionFieldsSerializer, StrategyRequestSerializer):
    """One strategy over many cryptocurrencies. Only `strategy` must be given."""

    metric_names = frozenset(Result.METRICS)

    start = UtcField(required=False, allow_null=True, default=None)
    end = UtcField(required=False, allow_null=True, default=None)

    def errors_of_kind(self, attrs: dict[str, Any]) -> dict[str, Any]:
        return execution_errors(attrs)

    def fill_range(self, attrs: dict[str, Any]) -> dict[str, list[str]]:
        """Take the ends of the candles for those of the range that are not given."""
        first, end = market.range_of(source=attrs["source"], interval=attrs["interval"])
        given = {name for name in ("start", "end") if attrs[name]}
        attrs["start"] = attrs["start"] or first
        attrs["end"] = attrs["end"] or end
        if attrs["start"] < attrs["end"]:
            return {}
        if given == {"start"}:
            return {"start": [f"Must be before {iso_utc(end)}, where the candles end."]}
        if given == {"end"}:
            return {"end": [f"Must be after {iso_utc(first)}, where the candles begin."]}
        return {"end": ["Must be after start."]}

    def spec(self) -> dict[str, Any]:
        times = {name: iso_utc(self.validated_data[name]) for name in ("start", "end")}
        return {**super().spec(), **{name: self.validated_data[name] for name in EXECUTION_FIELDS}, **times}


def _checked_parameters(strategy: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return find_strategy(strategy).Parameters.model_validate(parameters).model_dump(mode="json")


def _parameter_errors(error: ParameterErrors, *, known: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in error.errors(include_url=False):
        name = ".".join(str(part) for part in item["loc"]) or "non_field_errors"
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = no_such_field(name, known, "parameter")
        found.setdefault(name, []).append(message)
    return found
