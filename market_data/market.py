"""Which cryptocurrencies there are candles of."""

from django.db.models import Max, Prefetch, QuerySet

from market_data.models import CandleSeries, Cryptocurrency


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
