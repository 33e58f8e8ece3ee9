from django.apps import AppConfig


class BacktestsConfig(AppConfig):
    """Backtests: the engine, the strategies, results, and what a backtest job does."""

    name = "backtests"
    verbose_name = "Backtests"

    def ready(self) -> None:
        from backtests import retention
        from backtests.handler import BacktestHandler  # models are loaded only now
        from backtests.scans import saved
        from backtests.scans.handler import ScanHandler
        from backtests.strategies.registry import all_strategies
        from workers import handlers, scheduler

        all_strategies()  # a user's module that is broken stops the start, not a request
        handlers.register(BacktestHandler())
        handlers.register(ScanHandler())
        scheduler.register_step("prune results", 3600, retention.prune_results_as_configured)
        scheduler.register_step("scans on new candles", saved.PERIOD_SECONDS, saved.start_due_scans)
