"""What is stored of the market: cryptocurrencies, their series, and the months that hold the candles."""

import uuid
from datetime import UTC, datetime

from django.conf import settings
from django.db import models
from django.utils import timezone

from market_data import manifest as manifests
from market_data.intervals import INTERVAL_MS


class Cryptocurrency(models.Model):
    """A coin against the currency it is priced in, as exchanges name it."""

    symbol = models.CharField(max_length=40, unique=True, help_text="As exchanges write it: BTCUSDT.")
    base = models.CharField(max_length=30, help_text="The coin: BTC.")
    quote = models.CharField(max_length=10, help_text="What prices are counted in: USDT.")
    name = models.CharField(max_length=80, blank=True, help_text="For people: Bitcoin.")

    class Meta:
        ordering = ("symbol",)
        verbose_name_plural = "cryptocurrencies"

    def __str__(self) -> str:
        return self.symbol


class CandleSeries(models.Model):
    """All candles of one cryptocurrency at one interval from one source.

    The facts beside the manifest (counts, warnings, volume) are computed on every write, in its transaction.
    """

    cryptocurrency = models.ForeignKey(Cryptocurrency, on_delete=models.CASCADE, related_name="series")
    cryptocurrency_id: int
    source = models.CharField(
        max_length=40, help_text="Where the candles came from: an exchange, files, sample."
    )
    interval = models.CharField(max_length=4, choices=[(name, name) for name in INTERVAL_MS])
    version = models.PositiveIntegerField(default=0, help_text="Grows with every change of a candle.")
    generated = models.BooleanField(
        default=False, help_text="Made up by a program: not prices of any market."
    )
    candle_count = models.PositiveIntegerField(default=0)
    first_open_ms = models.BigIntegerField(null=True, blank=True)
    last_open_ms = models.BigIntegerField(null=True, blank=True)
    gap_count = models.PositiveIntegerField(default=0, help_text="Runs of missing candles.")
    missing_count = models.PositiveIntegerField(
        default=0, help_text="Candles missing between first and last."
    )
    zero_volume_count = models.PositiveIntegerField(default=0)
    quote_volume = models.FloatField(
        default=0.0, help_text="Per day, over the last two months that have candles."
    )
    warnings = models.JSONField(default=list, blank=True)
    history = models.JSONField(
        default=list, blank=True, help_text="What was done to candles before they came in."
    )
    manifest = models.BinaryField(default=b"")
    updated_at = models.DateTimeField(auto_now=True)

    base: "CandleSeries | None" = None
    """The stored series that this one is aggregated from; see `market_data.derived`."""

    class Meta:
        ordering = ("cryptocurrency__symbol", "source", "interval")
        verbose_name_plural = "candle series"
        constraints = (
            models.UniqueConstraint(fields=("cryptocurrency", "source", "interval"), name="one_series_each"),
        )

    def __str__(self) -> str:
        return f"{self.cryptocurrency.symbol} {self.interval} ({self.source})"

    @property
    def interval_ms(self) -> int:
        """Length of one candle in milliseconds."""
        return INTERVAL_MS[self.interval]

    @property
    def first_open(self) -> datetime | None:
        """Open time of the first candle."""
        return as_datetime(self.first_open_ms)

    @property
    def last_open(self) -> datetime | None:
        """Open time of the last candle."""
        return as_datetime(self.last_open_ms)

    @property
    def chunk_records(self) -> manifests.Manifest:
        """The manifest as records, oldest month first."""
        return manifests.parse(self.manifest)


class CandleChunk(models.Model):
    """One month of a series, packed by `market_data.codec`."""

    series = models.ForeignKey(CandleSeries, on_delete=models.CASCADE, related_name="chunks")
    month = models.IntegerField(help_text="Months since January 1970, UTC.")
    count = models.PositiveIntegerField()
    checksum = models.BigIntegerField(help_text="Of the candles, as a signed 64-bit number.")
    data = models.BinaryField()

    class Meta:
        ordering = ("series", "month")
        constraints = (models.UniqueConstraint(fields=("series", "month"), name="one_chunk_per_month"),)

    def __str__(self) -> str:
        return f"{self.series} {manifests.month_name(self.month)}"


def as_datetime(time_ms: int | None) -> datetime | None:
    """Milliseconds since 1970 as a time in UTC."""
    return None if time_ms is None else datetime.fromtimestamp(time_ms / 1000, tz=UTC)


class Upload(models.Model):
    """A file of candles on its way from a web process to the worker that imports it, wherever that is."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=160, help_text="As it was sent, without any folder.")
    size_bytes = models.BigIntegerField()
    created_at = models.DateTimeField(default=timezone.now)
    imported_at = models.DateTimeField(null=True, blank=True, help_text="Nobody needs it any more.")

    class Meta:
        ordering = ("-created_at",)

    def __str__(self) -> str:
        return self.name


class UploadPart(models.Model):
    """Some megabytes of an upload."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        ordering = ("upload", "number")
        constraints = (models.UniqueConstraint(fields=("upload", "number"), name="one_part_each"),)

    def __str__(self) -> str:
        return f"{self.upload}, part {self.number}"


class ImportResult(models.Model):
    """What a job has found in an uploaded file, and has stored unless it was a dry run."""

    job = models.OneToOneField("workers.Job", on_delete=models.CASCADE, related_name="import_result")
    symbol_count = models.PositiveIntegerField()
    candle_count = models.PositiveIntegerField()
    found = models.JSONField(help_text="One entry for each cryptocurrency in each table of the file.")

    def __str__(self) -> str:
        return f"{self.candle_count:,} candles of {self.symbol_count:,} cryptocurrencies"


class DownloadResult(models.Model):
    """What one job of a download has brought."""

    job = models.OneToOneField("workers.Job", on_delete=models.CASCADE, related_name="download_result")
    symbol = models.CharField(max_length=40)
    series = models.ForeignKey(CandleSeries, on_delete=models.SET_NULL, null=True, blank=True)
    added_count = models.PositiveIntegerField(help_text="Candles that were not there before.")

    class Meta:
        ordering = ("symbol",)

    def __str__(self) -> str:
        return f"{self.symbol}: {self.added_count:,} candles"


class DownloadSchedule(models.Model):
    """Series that are kept up to date: a download is started every so often."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    exchange = models.CharField(
        max_length=40, help_text="As ccxt names it: binance, coinbase, kraken, bybit, okx."
    )
    interval = models.CharField(max_length=4, choices=[(name, name) for name in INTERVAL_MS])
    symbols = models.JSONField(
        default=list, blank=True, help_text="Empty: every series there is of the exchange."
    )
    every_minutes = models.PositiveIntegerField(default=60)
    enabled = models.BooleanField(default=True)
    next_at = models.DateTimeField(default=timezone.now)
    last_run = models.ForeignKey(
        "workers.Run", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ("exchange", "interval")

    def __str__(self) -> str:
        return f"{self.exchange} {self.interval}, every {self.every_minutes} minutes"
