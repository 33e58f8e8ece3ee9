"""Which cryptocurrencies there are candles of."""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Count, Max, Min, Prefetch, QuerySet

from market_data.aggregation import finer_intervals, next_period, start_of_period
from market_data.intervals import INTERVAL_MS
from market_data.models import CandleSeries, Cryptocurrency, as_datetime

REPLAY = "replay"
"""The source of candles that the local exchange has played again."""


def cryptocurrencies(*, source: str | None = None, interval: str | None = None) -> QuerySet[Cryptocurrency]:
    """Cryptocurrencies that have candles, most traded first, each with the series that are asked for."""
    wanted = CandleSeries.objects.filter(candle_count__gt=0).defer("manifest")
    if source is not None:
        wanted = wanted.filter(source=source)
    if interval is not None:
        wanted = wanted.filter(interval=interval)
    return (
        Cryptocurrency.objects.filter(series__in=wanted)
        .annotate(traded=Max("series__quote_volume"))
        .order_by("-traded", "symbol")
        .prefetch_related(Prefetch("series", wanted.order_by("source", "interval")))
    )


def source_for(interval: str, wanted: str | None = None) -> str | None:
    """The source to take candles from: the wanted one, or that with most series; None where there is none.

    Sources whose candles have to be aggregated to the interval count after all that have it. A replay of stored
    candles is taken only when it is wanted.
    """
    for intervals in ([interval], finer_intervals(interval)):
        series = CandleSeries.objects.filter(interval__in=intervals, candle_count__gt=0)
        series = series.exclude(source=REPLAY) if wanted is None else series.filter(source=wanted)
        counted = series.values_list("source").annotate(count=Count("pk"))
        for source, _ in counted.order_by("generated", "-count", "source"):
            return source
    return None


def range_of(*, source: str, interval: str) -> tuple[datetime, datetime]:
    """Open time of the first candle of a source, and the end of its last one."""
    series = CandleSeries.objects.filter(
        source=source, interval__in=[interval, *finer_intervals(interval)], candle_count__gt=0
    )
    ends = series.values_list("interval").annotate(first=Min("first_open_ms"), last=Max("last_open_ms"))
    rows = list(ends.order_by())
    first = as_datetime(min(start_of_period(first, interval) for _, first, _ in rows))
    end = as_datetime(max(next_period(last + INTERVAL_MS[finer], interval) for finer, _, last in rows))
    assert first is not None, "the source has candles"
    assert end is not None, "the source has candles"
    return first, end


def no_source(interval: str) -> str:
    """What to say when there are no candles to be had."""
    there_are = CandleSeries.objects.filter(candle_count__gt=0).values_list("source", "interval").distinct()
    known = ", ".join(
        f"{interval} from {source}" for source, interval in there_are.order_by("source", "interval")
    )
    if not known:
        return "There are no candles yet; import or download some first."
    return f"There are no {interval} candles of this source; there are {known}."


def unknown_symbols(symbols: Sequence[str]) -> list[str]:
    """Those of the symbols that no cryptocurrency has."""
    known = set(Cryptocurrency.objects.filter(symbol__in=symbols).values_list("symbol", flat=True))
    return [symbol for symbol in symbols if symbol not in known]
