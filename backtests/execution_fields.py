"""Fields of a request that say how orders are sized, filled and closed; the engine knows their bounds."""

from typing import Any

from rest_framework import serializers

from backtests.engine.errors import EngineError
from backtests.engine.execution import Execution
from backtests.spec import EXECUTION_FIELDS
from workers.requests import ChoiceField, RequestSerializer

DEFAULTS = Execution()


def _optional_number(help_text: str) -> serializers.FloatField:
    return serializers.FloatField(required=False, allow_null=True, default=None, help_text=help_text)


class ExecutionFieldsSerializer(RequestSerializer):
    """Execution settings; rates, stops and shares are fractions: 0.001 is 0.1 %. Null stands for the default."""

    initial_cash = serializers.FloatField(
        required=False, default=DEFAULTS.initial_cash, help_text="In quote currency."
    )
    fee_rate = serializers.FloatField(
        required=False, default=DEFAULTS.fee_rate, help_text="Of an order's value."
    )
    fixed_fee = serializers.FloatField(
        required=False, default=DEFAULTS.fixed_fee, help_text="Of every order besides, in quote currency."
    )
    slippage_rate = serializers.FloatField(
        required=False, default=DEFAULTS.slippage_rate, help_text="How much worse than the price fills are."
    )
    fill = ChoiceField(
        required=False,
        choices=["next_open", "same_close"],
        default=DEFAULTS.fill,
        help_text="Where an order decided at a bar's close is filled.",
    )
    direction = ChoiceField(
        required=False,
        choices=["long", "short", "long_short"],
        default=DEFAULTS.direction,
        help_text="Entries on the other side are ignored; with `long_short` one reverses the position.",
    )
    equity_fraction = _optional_number("Share of equity that an entry spends; by default all of it.")
    fixed_cash = _optional_number("Quote currency that an entry spends instead; at most the equity.")
    stop_loss = _optional_number("Distance below the entry's price at which a long is closed.")
    take_profit = _optional_number("Distance above the entry's price at which a long is closed.")
    trailing_stop = _optional_number("Distance from the best price since entry, of the entry's price.")
    max_holding_bars = serializers.IntegerField(
        required=False, allow_null=True, default=None, help_text="Closes what is open for so many bars."
    )
    cooldown_bars = serializers.IntegerField(
        required=False,
        default=DEFAULTS.cooldown_bars,
        help_text="Entries within so many bars after a stop are ignored.",
    )


def execution_errors(attrs: dict[str, Any]) -> dict[str, Any]:
    """What the engine refuses, and what contradicts itself, by field."""
    errors: dict[str, Any] = {}
    for name in EXECUTION_FIELDS:
        try:
            if attrs[name] is not None:
                Execution(**{name: attrs[name]})
        except EngineError as error:
            errors[name] = [str(error)]
    if attrs["equity_fraction"] is not None and attrs["fixed_cash"] is not None:
        errors.setdefault("fixed_cash", ["Can't be given together with equity_fraction."])
    return errors
