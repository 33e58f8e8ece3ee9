"""Results of backtests, and which job points to which."""

from typing import Any, ClassVar

from django.conf import settings
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


class JobResult(models.Model):
    """What a job has brought; base of each kind's own."""

    job = models.OneToOneField(
        Job, on_delete=models.CASCADE, primary_key=True, related_name="%(app_label)s_%(class)s"
    )
    seq = models.PositiveIntegerField(default=0, help_text="Number of the event that announced it.")
    hit = models.BooleanField(null=True, help_text="Satisfies the run's predicate; empty if it has none.")

    class Meta:
        abstract = True


class ResultLink(JobResult):
    """A job's result; `cached` tells that the job linked a result that existed already."""

    result = models.ForeignKey(Result, on_delete=models.PROTECT, related_name="links")
    cached = models.BooleanField()

    def __str__(self) -> str:
        return f"result of {self.job}"


class ScanResult(JobResult):
    """What a strategy says of one cryptocurrency at its latest candles; belongs to its run and is never reused."""

    class Signal(models.TextChoices):
        ENTER = "enter"
        EXIT = "exit"
        HOLD = "hold"

    class Side(models.TextChoices):
        LONG = "long"
        SHORT = "short"

    symbol = models.CharField(max_length=40)
    signal = models.CharField(max_length=8, choices=Signal.choices)
    side = models.CharField(
        max_length=8, choices=Side.choices, blank=True, help_text="Empty: both, or none to hold."
    )
    strength = models.FloatField(
        null=True, help_text="How far the strategy leans: above 0 towards long, in its own unit."
    )
    signal_open_ms = models.BigIntegerField(null=True, help_text="Of the candle that gave the signal.")
    age_bars = models.PositiveIntegerField(null=True, help_text="Candles after that one.")
    last_open_ms = models.BigIntegerField(help_text="Of the latest candle.")
    bars_behind = models.PositiveIntegerField(
        help_text="Candles that would fit between the latest one and the scan's time."
    )
    close = models.FloatField(help_text="Of the latest candle, in quote currency.")
    generated = models.BooleanField(default=False)
    warnings = models.JSONField(default=list)
    sparkline = models.JSONField(help_text="The latest closes.")

    METRICS: ClassVar = ("strength", "age_bars", "bars_behind", "close")

    def __str__(self) -> str:
        return f"{self.signal} {self.side} {self.symbol}"

    def metrics(self) -> dict[str, float | None]:
        """The numbers by name."""
        return {name: getattr(self, name) for name in self.METRICS}

    def facts(self) -> dict[str, float | None]:
        """What predicates may use: the numbers, and signal and side as 1 or 0."""
        signals = {name: float(self.signal == name) for name in self.Signal.values}
        return {**self.metrics(), **signals, **{name: float(self.side == name) for name in self.Side.values}}

    FACTS: ClassVar = (*METRICS, *Signal.values, *Side.values)


class SavedScan(models.Model):
    """A scan that is kept, and started again whenever new candles have come."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_scans")
    name = models.CharField(max_length=80)
    request = models.JSONField(
        help_text="The body of the request to scan, with the source that was found for it."
    )
    on_new_candles = models.BooleanField(default=True)
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_run = models.ForeignKey(
        "workers.Run", on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    error = models.TextField(blank=True, editable=False, help_text="Why it could not be started last.")
    seen_versions = models.BigIntegerField(
        default=0, editable=False, help_text="Sum of its series' versions that the last run has seen."
    )
    noticed_versions = models.BigIntegerField(
        default=0, editable=False, help_text="The sum when it was looked at last."
    )
    noticed_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When the first change after that run was noticed."
    )

    class Meta:
        ordering: ClassVar = ["name", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "name"], name="backtests_saved_scan_name")
        ]

    def __str__(self) -> str:
        return self.name
