from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from workers.models import ApiToken, Delivery, Event, Job, Run, Worker


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """Rows that only the fan-out writes: shown, searched, deleted, never edited by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Run)
class RunAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "kind",
        "owner",
        "status",
        "reason",
        "total",
        "succeeded",
        "failed",
        "created_at",
        "ended_at",
    )
    list_filter = ("status", "reason", "kind", "owner")
    search_fields = ("id", "owner__username")
    date_hierarchy = "created_at"
    list_select_related = ("owner",)


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = ("key", "run", "position", "status", "attempt", "worker", "pid", "elapsed_ms", "error")
    list_filter = ("status",)
    search_fields = ("key", "run__id", "error")
    list_select_related = ("run", "worker")


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("run", "seq", "type", "body")
    list_filter = ("type",)
    search_fields = ("run__id", "body")
    list_select_related = ("run",)


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin):
    list_display = ("host", "pid", "slots", "queues", "pool_pids", "started_at", "seen_at", "stopped_at")
    search_fields = ("host",)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("event", "owner", "via", "address", "status", "attempts", "answer", "due_at", "ended_at")
    list_filter = ("status", "via", "event")
    search_fields = ("address", "owner__username", "run__id")
    list_select_related = ("owner",)


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    list_display = ("name", "owner", "created_at", "expires_at")
    search_fields = ("name", "owner__username")
    exclude = ("hash",)
