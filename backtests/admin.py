from django.contrib import admin
from django.http import HttpRequest

from backtests.models import Result, ResultLink
from workers.admin import ReadOnlyAdmin


@admin.register(Result)
class ResultAdmin(ReadOnlyAdmin):
    list_display = (
        "symbol",
        "strategy",
        "interval",
        "source",
        "total_return",
        "sharpe",
        "max_drawdown",
        "trade_count",
    )
    list_filter = ("strategy", "interval", "source", "generated")
    search_fields = ("symbol", "id")
    exclude = Result.CURVES

    def has_delete_permission(self, request: HttpRequest, obj: Result | None = None) -> bool:
        """Only results that no job points to may go."""
        return obj is None or not ResultLink.objects.filter(result=obj).exists()


@admin.register(ResultLink)
class ResultLinkAdmin(ReadOnlyAdmin):
    list_display = ("job", "result", "cached")
    search_fields = ("job__key", "job__run__id")
    list_select_related = ("job__run", "result")
