from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from workers import control
from workers.models import ApiToken, Delivery, Event, Job, Run, Worker


class ReadOnlyAdmin(admin.ModelAdmin[Any]):
    """Rows that only the fan-out writes: shown, searched, deleted, never edited by hand."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PartOfRunAdmin(ReadOnlyAdmin):
    """What goes with its run and never alone: a run that misses one of its events could not be followed."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whether it is asked for by the pages of what these rows belong to."""
        own_pages = f"{self.opts.app_label}_{self.opts.model_name}_"
        match = request.resolver_match
        is_alone = match is not None and (match.url_name or "").startswith(own_pages)
        return not is_alone and super().has_delete_permission(request, obj)


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
    actions = ("pause", "resume", "stop")

    def has_delete_permission(self, request: HttpRequest, obj: Run | None = None) -> bool:
        """Only ended runs may go, as everywhere."""
        return (obj is None or obj.has_ended) and super().has_delete_permission(request, obj)

    @admin.action(description="Pause selected runs", permissions=["delete"])
    def pause(self, request: HttpRequest, runs: QuerySet[Run]) -> None:
        """Dispatch nothing more of them until they are resumed."""
        self._control(request, runs, control.pause_run)

    @admin.action(description="Resume selected runs", permissions=["delete"])
    def resume(self, request: HttpRequest, runs: QuerySet[Run]) -> None:
        """Go on with those that are paused."""
        self._control(request, runs, control.resume_run)

    @admin.action(description="Stop selected runs", permissions=["delete"])
    def stop(self, request: HttpRequest, runs: QuerySet[Run]) -> None:
        """End them now; what is done of them stays."""
        self._control(request, runs, control.stop_run)

    def _control(self, request: HttpRequest, runs: QuerySet[Run], verb: Callable[..., Run]) -> None:
        before = dict(runs.values_list("pk", "status"))
        after = [verb(run_id=pk) for pk in before]
        changed = sum(run.status != before[run.pk] for run in after)
        self.message_user(request, f"{changed} of {len(before)} chosen runs changed.")


@admin.register(Job)
class JobAdmin(PartOfRunAdmin):
    list_display = ("key", "run", "position", "status", "attempt", "worker", "pid", "elapsed_ms", "error")
    list_filter = ("status",)
    search_fields = ("key", "run__id", "error")
    list_select_related = ("run", "worker")


@admin.register(Event)
class EventAdmin(PartOfRunAdmin):
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
