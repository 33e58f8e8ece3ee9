from django.apps import AppConfig


class BacktestsConfig(AppConfig):
    """Backtests: the engine, the strategies, results, and what a backtest job does."""

    name = "backtests"
    verbose_name = "Backtests"

    def ready(self) -> None:
        from backtests.handler import BacktestHandler  # models are loaded only now
        from workers import handlers

        handlers.register(BacktestHandler())
