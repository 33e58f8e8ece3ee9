"""Django's view of this app."""

from django.apps import AppConfig


class MarketDataConfig(AppConfig):
    """Candles: importers, store, quality and the read path of the workers."""

    name = "market_data"
    verbose_name = "Market data"

    def ready(self) -> None:
        """Offer imports and downloads as kinds of run, and have the scheduler see to both."""
        from market_data.exchanges import schedule  # models are loaded only now
        from market_data.exchanges.handler import DownloadHandler
        from market_data.uploads import spool
        from market_data.uploads.handler import ImportHandler
        from workers import handlers, scheduler

        handlers.register(DownloadHandler())
        handlers.register(ImportHandler())
        scheduler.register_step("uploads", spool.PERIOD_SECONDS, spool.forget_what_nobody_needs)
        scheduler.register_step("downloads", schedule.PERIOD_SECONDS, schedule.start_due_downloads)
