"""Runs as the API shows them."""

from dataclasses import fields
from typing import Any, ClassVar

from rest_framework import serializers

from workers import events, handlers, notifications, predicates, webhooks
from workers.models import Run
from workers.requests import ChoiceField, RequestSerializer
from workers.runs import RunOptions

MAX_TIMEOUT_SECONDS = 7 * 86_400


class NotifySerializer(RequestSerializer):
    """Whom to tell when a run ends."""

    webhook = serializers.CharField(
        required=False,
        allow_null=True,
        max_length=webhooks.MAX_ADDRESS_LENGTH,
        help_text="Gets a signed POST; see /api/webhooks/.",
    )
    email = serializers.BooleanField(required=False, default=False, help_text="To your account's address.")

    def validate_webhook(self, value: str | None) -> str | None:
        if value is not None:
            try:
                webhooks.check_address(value)
            except ValueError as error:
                raise serializers.ValidationError(str(error)) from error
        return value

    def validate_email(self, value: bool) -> bool:
        request = self.context.get("request")
        if value and not notifications.can_send_email():
            raise serializers.ValidationError(
                "This server sends no e-mail; its operator has to set EMAIL_URL."
            )
        if value and request is not None and not request.user.email:
            raise serializers.ValidationError("Your account has no e-mail address.")
        return value

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Only what was asked for."""
        return {name: value for name, value in super().to_internal_value(data).items() if value}


class RunOptionsSerializer(RequestSerializer):
    """What a request for any kind of run may ask for; base of the kinds' own requests."""

    metric_names: ClassVar[frozenset[str]] = frozenset()

    max_parallel = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=1, max_value=10_000
    )
    priority = ChoiceField(required=False, choices=Run.Priority.choices, default="normal")
    hit = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        help_text="Predicate over metrics: `sharpe >= 1 and trade_count >= 20`.",
    )
    max_hits = serializers.IntegerField(
        required=False,
        allow_null=True,
        default=None,
        min_value=1,
        help_text="Ends the run with that many hits.",
    )
    max_failures = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=1)
    timeout_seconds = serializers.FloatField(required=False, allow_null=True, default=None)
    notify = NotifySerializer(required=False, default=dict)

    def validate_hit(self, value: str) -> str:
        if value.strip():
            try:
                predicates.parse(value, self.metric_names)
            except predicates.PredicateError as error:
                raise serializers.ValidationError(str(error)) from error
        return value.strip()

    def validate_timeout_seconds(self, value: float | None) -> float | None:
        if value is not None and not 0 < value <= MAX_TIMEOUT_SECONDS:
            raise serializers.ValidationError(f"Must be above 0 and at most {MAX_TIMEOUT_SECONDS:,}.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["max_hits"] is not None and not attrs["hit"]:
            raise serializers.ValidationError({"hit": ["Must say what a hit is when max_hits is given."]})
        return attrs

    def options(self) -> RunOptions:
        """The validated options."""
        return RunOptions(**{field.name: self.validated_data[field.name] for field in fields(RunOptions)})


class ProgressSerializer(serializers.Serializer[Any]):
    """How far a run is."""

    total = serializers.IntegerField()
    completed = serializers.IntegerField()
    succeeded = serializers.IntegerField()
    failed = serializers.IntegerField()
    cancelled = serializers.IntegerField()
    percent = serializers.FloatField()
    elapsed_seconds = serializers.FloatField()
    eta_seconds = serializers.FloatField(allow_null=True)
    per_second = serializers.FloatField(allow_null=True)


class RunLinksSerializer(serializers.Serializer[Any]):
    """Where to go on from a run."""

    self = serializers.CharField()
    events = serializers.CharField()
    websocket = serializers.CharField()
    page = serializers.CharField()
    stream = serializers.CharField()
    stats = serializers.CharField()
    deliveries = serializers.CharField()
    stop = serializers.CharField(required=False)
    pause = serializers.CharField(required=False)
    resume = serializers.CharField(required=False)
    retry = serializers.CharField(required=False)
    results = serializers.CharField(required=False)


class RunSerializer(serializers.Serializer[Run]):
    """A run: what was asked, how far it is, and how it ended."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    status = serializers.ChoiceField(choices=Run.Status.choices)
    reason = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    last_seq = serializers.IntegerField()
    spec = serializers.JSONField()
    progress = ProgressSerializer()
    hits = serializers.IntegerField()
    priority = serializers.ChoiceField(choices=Run.Priority.choices)
    retry_of = serializers.UUIDField(allow_null=True)
    notify = NotifySerializer()
    summary = serializers.JSONField(allow_null=True)
    error = serializers.CharField(allow_null=True)
    links = RunLinksSerializer()

    def to_representation(self, instance: Run) -> dict[str, Any]:
        return represent(instance)


class PrioritySerializer(RequestSerializer):
    """A change of priorities."""

    keys = serializers.ListField(
        child=serializers.CharField(max_length=64), required=False, max_length=10_000,
        help_text="Jobs (symbols) to do next, in this order.",
    )  # fmt: skip
    priority = ChoiceField(required=False, choices=Run.Priority.choices)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError("Give keys, priority or both.")
        return attrs


class StatsSerializer(serializers.Serializer[Any]):
    """How a run went, in numbers."""

    progress = ProgressSerializer()
    hits = serializers.IntegerField()
    cached = serializers.IntegerField()
    first_result_seconds = serializers.FloatField(allow_null=True)
    mean_waiting_seconds = serializers.FloatField(allow_null=True)
    mean_elapsed_ms = serializers.FloatField(allow_null=True)
    retried_jobs = serializers.IntegerField()
    event_count = serializers.IntegerField()
    workers = serializers.ListField(child=serializers.JSONField())


class EventPageSerializer(serializers.Serializer[Any]):
    """Events after a number, oldest first."""

    events = serializers.ListField(child=serializers.JSONField())
    last_seq = serializers.IntegerField()
    ended = serializers.BooleanField()


def represent(run: Run) -> dict[str, Any]:
    """A run as JSON-ready values."""
    return {
        "id": run.pk,
        "kind": run.kind,
        "status": run.status,
        "reason": run.reason or None,
        "created_at": run.created_at,
        "started_at": run.created_at,
        "ended_at": run.ended_at,
        "last_seq": run.last_seq,
        "spec": run.spec,
        "progress": events.progress(run),
        "hits": run.hits,
        "priority": run.priority,
        "retry_of": run.retry_of_id,
        "notify": run.notify,
        "summary": run.summary,
        "error": run.error or None,
        "links": _links(run),
    }


def _links(run: Run) -> dict[str, str]:
    links = {
        "self": f"/api/runs/{run.pk}/",
        "events": f"/api/runs/{run.pk}/events/",
        "stream": f"/api/runs/{run.pk}/stream/",
        "stats": f"/api/runs/{run.pk}/stats/",
        "deliveries": f"/api/runs/{run.pk}/deliveries/",
        "websocket": f"/ws/runs/{run.pk}/",
        "page": f"/runs/{run.pk}/",
    }
    verbs = {verb: f"/api/runs/{run.pk}/{verb}/" for verb in _verbs(run)}
    return {**links, **verbs, **handlers.find(run.kind).links(run.pk)}


def _verbs(run: Run) -> list[str]:
    """What can be done with a run now."""
    if run.has_ended:
        return ["retry"] if run.failed else []
    return ["stop", "resume" if run.status == Run.Status.PAUSED else "pause"]
