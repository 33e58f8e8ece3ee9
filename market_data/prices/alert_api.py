"""Alerts over REST: each user's own."""

import math
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from market_data.prices import alerts, state
from market_data.prices.api import PricesView
from market_data.prices.models import Alert
from market_data.symbols import symbol_of
from workers import webhooks
from workers.problems import ConflictError
from workers.requests import ChoiceField, RequestSerializer

MAX_PERCENT = 1000.0
MAX_MINUTES = 240
CONDITION_FIELDS = {"crosses": ("price",), "moves": ("percent", "minutes")}


class AlertRequestSerializer(RequestSerializer):
    """What to tell, and how."""

    symbol = serializers.CharField(max_length=60)
    kind = ChoiceField(
        choices=Alert.Kind.choices, help_text="`crosses` a price, or `moves` so many percent within minutes."
    )
    direction = ChoiceField(choices=Alert.Direction.choices, default=Alert.Direction.EITHER)
    price = serializers.FloatField(required=False, allow_null=True, help_text="What is crossed.")
    percent = serializers.FloatField(
        required=False, allow_null=True, help_text=f"More than 0, at most {MAX_PERCENT:g}."
    )
    minutes = serializers.IntegerField(
        required=False, allow_null=True, help_text=f"1 to {MAX_MINUTES}; counted from when it is armed."
    )
    webhook = serializers.CharField(
        required=False,
        allow_blank=True,
        allow_null=True,
        max_length=webhooks.MAX_ADDRESS_LENGTH,
        help_text="Gets a signed POST when the alert fires; see /api/webhooks/.",
    )

    def validate_price(self, value: float | None) -> float | None:
        return _positive(value, "A price")

    def validate_percent(self, value: float | None) -> float | None:
        if value is not None and value > MAX_PERCENT:
            raise serializers.ValidationError(f"At most {MAX_PERCENT:g} percent.")
        return _positive(value, "A move")

    def validate_minutes(self, value: int | None) -> int | None:
        if value is not None and not 1 <= value <= MAX_MINUTES:
            raise serializers.ValidationError(f"From 1 to {MAX_MINUTES} minutes.")
        return value

    def validate_webhook(self, value: str | None) -> str:
        if value:
            try:
                webhooks.check_address(value)
            except ValueError as error:
                raise serializers.ValidationError(str(error)) from error
        return value or ""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse conditions that say too little, too much, or what can never be."""
        errors = {**_missing(attrs), **_superfluous(attrs)}
        if attrs["direction"] == Alert.Direction.DOWN and (attrs.get("percent") or 0) >= 100:
            errors["percent"] = "No price can fall by 100 percent or more."
        if errors:
            raise serializers.ValidationError(errors)
        return attrs


class AlertChangeSerializer(RequestSerializer):
    """Arm an alert again, or disarm it."""

    armed = serializers.BooleanField()


class AlertSerializer(AlertRequestSerializer):
    """An alert and whether, when and at which price it fired."""

    id = serializers.UUIDField()
    armed = serializers.BooleanField(help_text="It fires once, then it waits to be armed again.")
    created_at = serializers.DateTimeField()
    fired_at = serializers.DateTimeField(allow_null=True)
    fired_price = serializers.FloatField(allow_null=True)
    fired_change = serializers.FloatField(allow_null=True, help_text="A fraction; null for a crossing.")
    fired_source = serializers.CharField(allow_null=True)
    fired_is_replay = serializers.BooleanField()


class AlertList(PricesView):
    """The user's alerts."""

    @extend_schema(responses=AlertSerializer(many=True), tags=["prices"])
    def get(self, request: Request) -> Response:
        """List your alerts, newest first."""
        own = Alert.objects.filter(owner=request.user)
        return Response([alerts.described(alert) for alert in own])

    @extend_schema(request=AlertRequestSerializer, responses={201: AlertSerializer}, tags=["prices"])
    def post(self, request: Request) -> Response:
        """Ask to be told when a price crosses a level, or moves far enough; once, until it is armed again."""
        body = AlertRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted: dict[str, Any] = dict(body.validated_data)
        price_now = _price_now(wanted.pop("symbol"))
        percent = wanted.pop("percent", None)
        fraction = None if percent is None else percent / 100
        try:
            alert = alerts.create_alert(owner=request.user, price_now=price_now, fraction=fraction, **wanted)
        except alerts.TooManyAlertsError as error:
            raise ConflictError(str(error)) from error
        return Response(alerts.described(alert), status=status.HTTP_201_CREATED)


class AlertDetail(PricesView):
    """One alert."""

    @extend_schema(responses=AlertSerializer, tags=["prices"])
    def get(self, request: Request, alert_id: UUID) -> Response:
        """Show an alert."""
        return Response(alerts.described(_own(request, alert_id)))

    @extend_schema(request=AlertChangeSerializer, responses=AlertSerializer, tags=["prices"])
    def patch(self, request: Request, alert_id: UUID) -> Response:
        """Arm an alert again: it waits for its condition from now on. Or disarm it."""
        alert = _own(request, alert_id)
        body = AlertChangeSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        price_now = state.latest([alert.symbol]).get(alert.symbol)
        changed = alerts.arm_alert(alert, armed=body.validated_data["armed"], price_now=price_now)
        return Response(alerts.described(changed))

    @extend_schema(responses={204: None}, tags=["prices"])
    def delete(self, request: Request, alert_id: UUID) -> Response:
        """Delete an alert."""
        _own(request, alert_id).delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


def _own(request: Request, alert_id: UUID) -> Alert:
    alert = Alert.objects.filter(owner=request.user, pk=alert_id).first()
    if alert is None:
        raise NotFound("There is no such alert.")
    return alert


def _price_now(name: str) -> state.Price:
    symbol = symbol_of(name)
    price = state.latest([symbol]).get(symbol) if symbol else None
    if price is None:
        message = f"There are no live prices of {name[:40]}; /api/prices/ lists those there are."
        raise serializers.ValidationError({"symbol": [message]})
    return price


def _positive(value: float | None, what: str) -> float | None:
    if value is not None and not (math.isfinite(value) and value > 0):
        raise serializers.ValidationError(f"{what} must be more than 0.")
    return value


def _missing(attrs: dict[str, Any]) -> dict[str, str]:
    needed = CONDITION_FIELDS[attrs["kind"]]
    return {name: f"An alert that {attrs['kind']} needs this." for name in needed if attrs.get(name) is None}


def _superfluous(attrs: dict[str, Any]) -> dict[str, str]:
    others = [name for kind, names in CONDITION_FIELDS.items() if kind != attrs["kind"] for name in names]
    message = f"An alert that {attrs['kind']} has none of this."
    return {name: message for name in others if attrs.get(name) is not None}
