"""Django's view of this app."""

from django.apps import AppConfig


class MarketDataConfig(AppConfig):
    """Candles: importers, store, quality and the read path of the workers."""

    name = "market_data"
    verbose_name = "Market data"
