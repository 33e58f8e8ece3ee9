"""Django's view of this app."""

from django.apps import AppConfig


class PricesConfig(AppConfig):
    """Live prices: one feed, any number of viewers."""

    name = "market_data.prices"
    label = "prices"
    verbose_name = "Live prices"
