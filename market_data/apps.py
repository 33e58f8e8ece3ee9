"""Django's view of this app."""

from django.apps import AppConfig


class MarketDataConfig(AppConfig):
    """Candles: importers, store, quality and the read path of the workers."""

    name = "market_data"
    verbose_name = "Market data"

    def ready(self) -> None:
        """Offer downloads as a kind of run, and have the scheduler start those that are due."""
        from market_data.exchanges import schedule  # models are loaded only now
        from market_data.exchanges.handler import DownloadHandler
        from workers import handlers, scheduler

        handlers.register(DownloadHandler())
        scheduler.register_step("downloads", schedule.PERIOD_SECONDS, schedule.start_due_downloads)
