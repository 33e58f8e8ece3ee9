"""Candles over the API, as columns: what a chart draws."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from market_data.candles import Candles
from market_data.intervals import INTERVAL_MS
from market_data.models import CandleSeries
from market_data.store import load_candles, load_series
from workers.requests import ChoiceField

MAX_CANDLES = 200_000
"""More than any chart shows at once; about 15 MB of JSON."""


class CandleQuerySerializer(serializers.Serializer[Any]):
    """Which candles of a cryptocurrency to send."""

    source = serializers.CharField()  # pyright: ignore[reportAssignmentType]
    interval = ChoiceField(choices=list(INTERVAL_MS))
    start = serializers.DateTimeField(required=False, help_text="First open time; by default all.")
    end = serializers.DateTimeField(required=False, help_text="Open times before this; by default all.")


class CandleColumnsSerializer(serializers.Serializer[Any]):
    """Candles as columns of equal length."""

    symbol = serializers.CharField()
    generated = serializers.BooleanField(help_text="Not traded on any exchange.")
    time_ms = serializers.ListField(child=serializers.IntegerField(), help_text="Open times, UTC.")
    open = serializers.ListField(child=serializers.FloatField())
    high = serializers.ListField(child=serializers.FloatField())
    low = serializers.ListField(child=serializers.FloatField())
    close = serializers.ListField(child=serializers.FloatField())
    volume = serializers.ListField(child=serializers.FloatField())


class CandleColumns(APIView):
    """The candles of one series."""

    @extend_schema(
        parameters=[CandleQuerySerializer], responses=CandleColumnsSerializer, tags=["market data"]
    )
    def get(self, request: Request, symbol: str) -> Response:
        """Candles with `start` ≤ open time < `end`, oldest first, as columns."""
        query = CandleQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        wanted: dict[str, Any] = query.validated_data
        series = _series(symbol.upper(), source=wanted["source"], interval=wanted["interval"])
        first_ms, last_ms = series.first_open_ms or 0, series.last_open_ms or 0
        start_ms, end_ms = _ms(wanted.get("start"), first_ms), _ms(wanted.get("end"), last_ms + 1)
        if (min(end_ms, last_ms) - max(start_ms, first_ms)) // series.interval_ms > MAX_CANDLES:
            message = f"At most {MAX_CANDLES:,} candles at once; choose a shorter range."
            raise ValidationError({"start": [message]})
        candles = load_candles(series, start_ms, end_ms)
        return Response({"symbol": symbol.upper(), "generated": series.generated, **_columns(candles)})


def _series(symbol: str, *, source: str, interval: str) -> CandleSeries:
    found = load_series(source=source, interval=interval, symbols=[symbol])
    if not found:
        raise NotFound(f"There are no {interval} candles of {symbol[:40]} from {source[:40]}.")
    return found[0]


def _ms(moment: datetime | None, default: int) -> int:
    return default if moment is None else round(moment.timestamp() * 1000)


def _columns(candles: Candles) -> dict[str, Any]:
    return {
        "time_ms": candles.open_time_ms,
        "open": candles.open,
        "high": candles.high,
        "low": candles.low,
        "close": candles.close,
        "volume": candles.volume,
    }
