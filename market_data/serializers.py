"""What the API says about cryptocurrencies and their candles."""

from typing import Any

from rest_framework import serializers

from market_data.intervals import INTERVAL_MS
from market_data.models import CandleSeries, Cryptocurrency
from workers.requests import ChoiceField

EXCHANGES = ("binance", "coinbase", "kraken", "bybit", "okx")
"""Those that are named to users; ccxt knows a hundred more."""


class WarningSerializer(serializers.Serializer[Any]):
    """One thing to know about a series before believing a result."""

    code = serializers.ChoiceField(choices=("halt", "reused_symbol", "redenomination", "jump"))
    message = serializers.CharField()
    since_ms = serializers.IntegerField(help_text="Open time of the candle before it.")
    at_ms = serializers.IntegerField(help_text="Open time of the first candle after it.")
    missing_count = serializers.IntegerField(help_text="Candles missing between the two.")
    factor = serializers.FloatField(help_text="Price after it divided by the price before it.")
    other = serializers.CharField(required=False, help_text="Where the symbol's other coin is found.")


class SeriesSerializer(serializers.ModelSerializer[CandleSeries]):
    """One series of a cryptocurrency: what it covers, and what is wrong with it."""

    first_open = serializers.DateTimeField(read_only=True)
    last_open = serializers.DateTimeField(read_only=True)
    warnings = WarningSerializer(many=True, read_only=True)

    class Meta:  # pyright: ignore[reportIncompatibleVariableOverride]
        model = CandleSeries
        fields = (
            "id",
            "source",
            "interval",
            "version",
            "first_open",
            "last_open",
            "candle_count",
            "gap_count",
            "missing_count",
            "zero_volume_count",
            "quote_volume",
            "generated",
            "warnings",
        )


class CryptocurrencySerializer(serializers.ModelSerializer[Cryptocurrency]):
    """A cryptocurrency and its series."""

    series = SeriesSerializer(many=True, read_only=True)

    class Meta:  # pyright: ignore[reportIncompatibleVariableOverride]
        model = Cryptocurrency
        fields = ("symbol", "base", "quote", "name", "series")


class SeriesQuerySerializer(serializers.Serializer[Any]):
    """Which series to list."""

    source = serializers.CharField(  # pyright: ignore[reportAssignmentType]
        required=False, help_text="Only series from this source."
    )
    interval = ChoiceField(
        choices=list(INTERVAL_MS), required=False, help_text="Only series at this interval."
    )
