"""Results of backtests, and which job points to which."""

from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

from backtests.encoding import decode_equity, decode_trades
from workers.models import Job


class Result(models.Model):
    """The outcome of one backtest: immutable, without an owner, found by the digest of all that it depends on."""

    id = models.UUIDField(primary_key=True, editable=False, help_text="The digest, see `backtests.digests`.")
    symbol = models.CharField(max_length=40)
    source = models.CharField(max_length=40)
    interval = models.CharField(max_length=4)
    strategy = models.CharField(max_length=64)
    parameters = models.JSONField()
    execution = models.JSONField()
    computed_at = models.DateTimeField(default=timezone.now)

    first_open_ms = models.BigIntegerField(help_text="Of the first candle in the range.")
    last_open_ms = models.BigIntegerField()
    candle_count = models.PositiveIntegerField()
    gap_count = models.PositiveIntegerField()
    missing_count = models.PositiveIntegerField()
    generated = models.BooleanField(default=False, help_text="The candles are a generated sample.")
    warnings = models.JSONField(default=list)

    final_equity = models.FloatField()
    total_return = models.FloatField()
    cagr = models.FloatField(null=True)
    volatility = models.FloatField(null=True)
    sharpe = models.FloatField(null=True)
    sortino = models.FloatField(null=True)
    max_drawdown = models.FloatField()
    calmar = models.FloatField(null=True)
    trade_count = models.PositiveIntegerField()
    win_rate = models.FloatField(null=True)
    profit_factor = models.FloatField(null=True)
    expectancy = models.FloatField(null=True)
    sqn = models.FloatField(null=True)
    exposure = models.FloatField()
    buy_hold_return = models.FloatField()
    liquidated = models.BooleanField(default=False)

    sparkline = models.JSONField()
    open_trade = models.JSONField(null=True)
    trades = models.BinaryField()
    equity = models.BinaryField()

    METRICS: ClassVar = (
        "final_equity",
        "total_return",
        "cagr",
        "volatility",
        "sharpe",
        "sortino",
        "max_drawdown",
        "calmar",
        "trade_count",
        "win_rate",
        "profit_factor",
        "expectancy",
        "sqn",
        "exposure",
        "buy_hold_return",
        "liquidated",
    )
    HEADLINE: ClassVar = (
        "total_return",
        "cagr",
        "sharpe",
        "sortino",
        "max_drawdown",
        "win_rate",
        "profit_factor",
        "trade_count",
        "exposure",
        "buy_hold_return",
        "volatility",
        "calmar",
    )
    """Metrics that travel with a result's event."""
    CURVES: ClassVar = ("trades", "equity", "open_trade")
    """Large columns that a list of results does without."""

    class Meta:
        ordering: ClassVar = ["-computed_at"]
        indexes: ClassVar = [models.Index(fields=["computed_at"])]

    def __str__(self) -> str:
        return f"{self.strategy} on {self.symbol} {self.interval}"

    def metrics(self, names: tuple[str, ...] = METRICS) -> dict[str, Any]:
        """Metrics by name."""
        return {name: getattr(self, name) for name in names}

    def trade_records(self) -> list[dict[str, Any]]:
        """Closed trades, JSON-ready."""
        return decode_trades(self.trades).to_records()

    def equity_points(self) -> dict[str, list[Any]]:
        """The equity curve at up to 500 bars: times in milliseconds, values in quote currency."""
        time_ms, value = decode_equity(self.equity)
        return {"time_ms": time_ms.tolist(), "value": value.tolist()}


class ResultLink(models.Model):
    """A job's result; `cached` tells that the job linked a result that existed already."""

    job = models.OneToOneField(Job, on_delete=models.CASCADE, primary_key=True, related_name="result_link")
    result = models.ForeignKey(Result, on_delete=models.PROTECT, related_name="links")
    cached = models.BooleanField()

    def __str__(self) -> str:
        return f"result of {self.job}"
