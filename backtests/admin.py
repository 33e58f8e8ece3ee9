from django.contrib import admin
from django.http import HttpRequest

from backtests.models import Result, ResultLink, SavedScan, ScanResult
from workers.admin import PartOfRunAdmin, ReadOnlyAdmin


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
class ResultLinkAdmin(PartOfRunAdmin):
    list_display = ("job", "result", "cached")
    search_fields = ("job__key", "job__run__id")
    list_select_related = ("job__run", "result")


@admin.register(ScanResult)
class ScanResultAdmin(PartOfRunAdmin):
    list_display = ("symbol", "signal", "side", "strength", "age_bars", "bars_behind", "close", "hit")
    list_filter = ("signal", "side")
    search_fields = ("symbol", "job__run__id")


@admin.register(SavedScan)
class SavedScanAdmin(admin.ModelAdmin):  # pyright: ignore[reportMissingTypeArgument]
    list_display = ("name", "owner", "on_new_candles", "enabled", "last_run", "error")
    list_filter = ("enabled", "on_new_candles")
    search_fields = ("name", "owner__username")
    readonly_fields = ("owner", "request", "error")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """They are made through the API, which checks the request."""
        return False
