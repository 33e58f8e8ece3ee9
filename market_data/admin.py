"""Market data in Django's admin: to look at and to search; candles themselves come from imports alone."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe

from market_data import manifest as manifests
from market_data.admin_download import download_page
from market_data.admin_import import import_page
from market_data.admin_runs import run_page
from market_data.models import CandleChunk, CandleSeries, Cryptocurrency, DownloadSchedule, as_datetime
from market_data.report import report


class _ReadOnly(admin.ModelAdmin):  # pyright: ignore[reportMissingTypeArgument]
    """Rows that a program writes: shown, deletable where that makes sense, never edited by hand."""

    def has_add_permission(self, *_args: Any, **_options: Any) -> bool:
        """Never: candles come from imports."""
        return False

    def has_change_permission(self, *_args: Any, **_options: Any) -> bool:
        """Never: counts, warnings and checksums must fit the candles."""
        return False


class SeriesInline(admin.TabularInline):  # pyright: ignore[reportMissingTypeArgument]
    """The series of a cryptocurrency."""

    model = CandleSeries
    fields = ("source", "interval", "candle_count", "first_open", "last_open", "gap_count", "generated")
    readonly_fields = fields
    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, *_args: Any, **_options: Any) -> bool:
        """Never: candles come from imports."""
        return False


@admin.register(Cryptocurrency)
class CryptocurrencyAdmin(admin.ModelAdmin):  # pyright: ignore[reportMissingTypeArgument]
    """Cryptocurrencies; their names may be edited."""

    list_display = ("symbol", "base", "quote", "name")
    list_filter = ("quote",)
    search_fields = ("symbol", "base", "name")
    inlines: ClassVar = [SeriesInline]


@admin.register(CandleSeries)
class CandleSeriesAdmin(_ReadOnly):
    """Series: what they cover, what is missing, and what to be warned of."""

    list_display = (
        "cryptocurrency",
        "source",
        "interval",
        "first_open",
        "last_open",
        "candle_count",
        "gap_count",
        "missing_count",
        "zero_volume_count",
        "warning_count",
        "generated",
    )
    list_filter = ("source", "interval", "generated")
    search_fields = ("cryptocurrency__symbol", "cryptocurrency__name", "source")
    list_select_related = ("cryptocurrency",)
    exclude = ("manifest", "warnings", "history")
    readonly_fields = ("first_open", "last_open", "warning_list", "looks_wrong", "repairs", "gaps", "months")

    def get_urls(self) -> list[URLPattern]:
        """The usual pages, and those that bring more candles."""
        view = admin.site.admin_view
        return [
            path("import/", view(import_page), name="market_data_candleseries_import"),
            path("download/", view(download_page), name="market_data_candleseries_download"),
            path("run/<uuid:pk>/", view(run_page), name="market_data_run"),
            *super().get_urls(),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[CandleSeries]:
        """Lists do without the manifests."""
        rows = super().get_queryset(request)
        listing = request.resolver_match and str(request.resolver_match.url_name).endswith("changelist")
        return rows.defer("manifest") if listing else rows

    @admin.display(description="warnings")
    def warning_count(self, series: CandleSeries) -> int:
        """How many."""
        return len(series.warnings)

    @admin.display(description="warnings")
    def warning_list(self, series: CandleSeries) -> str:
        """One a line."""
        rows = ((warning["code"], warning["message"]) for warning in series.warnings)
        return format_html_join("", "<p><b>{}</b> {}</p>", rows) or "none"

    @admin.display(description="looks wrong")
    def looks_wrong(self, series: CandleSeries) -> str:
        """Candles that are absent, without volume, or cut short."""
        found = report(series)
        lines = [f"{series.candle_count:,} of {found.expected_count:,} candles are there."]
        lines += [
            f"No volume from {_minute(one.first_open_ms)} to {_minute(one.last_open_ms)}: {one.candle_count:,} candles."
            for one in found.zero_volume_stretches
        ]
        lines += [f"{_minute(time_ms)} looks cut short." for time_ms in found.partial_ms]
        lines += ["The last candle looks unfinished."] if found.last_is_unfinished else []
        return format_html_join("", "<p>{}</p>", ((line,) for line in lines))

    @admin.display(description="repairs and adjustments")
    def repairs(self, series: CandleSeries) -> str:
        """What was done to candles before they came in, by rule."""
        entries = (
            (
                entry["rule"],
                ", ".join(f"{name} {value}" for name, value in sorted(entry.items()) if name != "rule"),
            )
            for entry in series.history
        )
        return format_html_join("", "<p><b>{}</b> {}</p>", entries) or "none"

    @admin.display(description="gaps")
    def gaps(self, series: CandleSeries) -> str:
        """Each with its times, and whether the exchange was out or the coin."""
        whose = {True: "the exchange's", False: "its own", None: ""}
        rows = (
            (_minute(gap.since_ms), _minute(gap.at_ms), gap.missing_count, whose[gap.market_wide])
            for gap in report(series).gaps
        )
        body = format_html_join("", "<tr><td>{}<td>{}<td>{}<td>{}</tr>", rows)
        head = mark_safe("<tr><th>after<th>until<th>missing<th>whose</tr>")
        return format_html("<table>{}{}</table>", head, body) if body else "none"

    @admin.display(description="months")
    def months(self, series: CandleSeries) -> str:
        """The table of contents: candles, gaps and checksum of each stored month."""
        records = series.chunk_records
        rows = zip(
            map(manifests.month_name, records["month"].tolist()),
            records["count"].tolist(),
            records["gap_count"].tolist(),
            records["missing_count"].tolist(),
            (f"{checksum:016x}" for checksum in records["checksum"].tolist()),
            strict=True,
        )
        body = format_html_join("", "<tr><td>{}<td>{}<td>{}<td>{}<td><code>{}</code></tr>", rows)
        head = mark_safe("<tr><th>month<th>candles<th>gaps<th>missing<th>checksum</tr>")
        return format_html("<table>{}{}</table>", head, body)


@admin.register(CandleChunk)
class CandleChunkAdmin(_ReadOnly):
    """Stored months, without their bytes."""

    list_display = ("series", "month_name", "count", "checksum")
    list_filter = ("series__source", "series__interval")
    search_fields = ("series__cryptocurrency__symbol",)
    list_select_related = ("series__cryptocurrency",)
    exclude = ("data",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CandleChunk]:
        """Without the bytes."""
        return super().get_queryset(request).defer("data", "series__manifest")

    def has_delete_permission(self, *_args: Any, **_options: Any) -> bool:
        """Never alone: the series would no longer match its manifest."""
        return False

    @admin.display(description="month", ordering="month")
    def month_name(self, chunk: CandleChunk) -> str:
        """As a date."""
        return manifests.month_name(chunk.month)


@admin.register(DownloadSchedule)
class DownloadScheduleAdmin(admin.ModelAdmin):  # pyright: ignore[reportMissingTypeArgument]
    """Series that are kept up to date."""

    list_display = ("exchange", "interval", "symbol_count", "every_minutes", "enabled", "next_at", "last_run")
    list_filter = ("exchange", "enabled")
    raw_id_fields = ("owner", "last_run")

    @admin.display(description="symbols")
    def symbol_count(self, schedule: DownloadSchedule) -> str:
        """How many, or all that are stored."""
        return str(len(schedule.symbols)) if schedule.symbols else "all stored"


def _minute(time_ms: int) -> str:
    return f"{as_datetime(time_ms):%Y-%m-%d %H:%M}"
