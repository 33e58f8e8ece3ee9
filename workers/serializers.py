"""Runs as the API shows them."""

from typing import Any

from rest_framework import serializers

from workers import events, handlers
from workers.models import Run


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
    summary = serializers.JSONField(allow_null=True)
    error = serializers.CharField(allow_null=True)
    links = RunLinksSerializer()

    def to_representation(self, instance: Run) -> dict[str, Any]:
        return represent(instance)


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
        "summary": run.summary,
        "error": run.error or None,
        "links": _links(run),
    }


def _links(run: Run) -> dict[str, str]:
    links = {
        "self": f"/api/runs/{run.pk}/",
        "events": f"/api/runs/{run.pk}/events/",
        "websocket": f"/ws/runs/{run.pk}/",
        "page": f"/runs/{run.pk}/",
    }
    return {**links, **handlers.find(run.kind).links(run.pk)}
