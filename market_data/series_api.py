"""One series over the API: its quality, and its candles as a file."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connections
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from market_data.aggregation import finer_intervals
from market_data.derived import derive
from market_data.exporting import FORMS, export
from market_data.intervals import INTERVAL_MS
from market_data.models import CandleSeries, as_datetime
from market_data.report import Gap, QualityReport, Stretch, report
from market_data.serializers import SeriesSerializer, WarningSerializer
from workers.requests import ChoiceField

CONTENT_TYPES = {"csv": "text/csv", "json": "application/json", "parquet": "application/vnd.apache.parquet"}


class GapSerializer(serializers.Serializer[Gap]):
    """Missing candles, between two that are there."""

    since = serializers.SerializerMethodField(help_text="Open time of the candle before.")
    until = serializers.SerializerMethodField(help_text="Open time of the candle after.")
    missing_count = serializers.IntegerField()
    others_count = serializers.IntegerField(help_text="Other series of the source that cover this time.")
    others_missing_count = serializers.IntegerField(
        help_text="Those of them that have no candle in it either."
    )
    market_wide = serializers.BooleanField(allow_null=True, help_text="The exchange was out, not the coin.")

    def get_since(self, gap: Gap) -> datetime | None:
        return as_datetime(gap.since_ms)

    def get_until(self, gap: Gap) -> datetime | None:
        return as_datetime(gap.at_ms)


class StretchSerializer(serializers.Serializer[Stretch]):
    """Neighbouring candles without any volume."""

    first_open = serializers.SerializerMethodField()
    last_open = serializers.SerializerMethodField()
    candle_count = serializers.IntegerField()

    def get_first_open(self, stretch: Stretch) -> datetime | None:
        return as_datetime(stretch.first_open_ms)

    def get_last_open(self, stretch: Stretch) -> datetime | None:
        return as_datetime(stretch.last_open_ms)


class QualitySerializer(serializers.Serializer[QualityReport]):
    """What is there, what is missing, and what looks wrong."""

    symbol = serializers.CharField(source="series.cryptocurrency.symbol")
    series = SeriesSerializer()
    expected_count = serializers.IntegerField(
        help_text="Candles between first and last if none were missing."
    )
    market_wide_gap_count = serializers.IntegerField()
    own_gap_count = serializers.IntegerField()
    gaps = GapSerializer(many=True)
    zero_volume_stretches = StretchSerializer(many=True)
    unfinished = serializers.SerializerMethodField(help_text="Open times of candles that look cut short.")
    last_is_unfinished = serializers.BooleanField()
    warnings = WarningSerializer(many=True)
    history = serializers.JSONField(
        source="series.history", help_text="Repairs and adjustments that imports have made, by rule."
    )

    def get_unfinished(self, found: QualityReport) -> list[datetime | None]:
        return [as_datetime(time_ms) for time_ms in found.partial_ms]


class SeriesQuality(APIView):
    """The quality of one series."""

    @extend_schema(responses=QualitySerializer, tags=["market data"])
    def get(self, _request: Request, pk: int) -> Response:
        """Gaps with their times, stretches without volume, unfinished candles, warnings and repairs."""
        series = get_object_or_404(CandleSeries.objects.select_related("cryptocurrency"), pk=pk)
        return Response(QualitySerializer(report(series)).data)


class CandlesQuerySerializer(serializers.Serializer[Any]):
    """Which candles to send, and how."""

    form = ChoiceField(choices=list(FORMS), default="json", help_text="csv, json or parquet.")
    interval = ChoiceField(
        choices=list(INTERVAL_MS), required=False, help_text="A coarser one is aggregated."
    )
    start = serializers.DateTimeField(required=False, help_text="First open time; by default all.")
    end = serializers.DateTimeField(required=False, help_text="Open times before this; by default all.")


class SeriesCandles(APIView):
    """The candles of one series, as a file."""

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """Say how the parameter is called to those who ask for `format`, which the framework keeps for itself."""
        if "format" in request.query_params and not force:
            raise serializers.ValidationError({"format": ["It is called form here: csv, json or parquet."]})
        return super().perform_content_negotiation(request, force)

    @extend_schema(
        parameters=[CandlesQuerySerializer],
        responses={
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "application/json"): OpenApiTypes.OBJECT,
            (200, "application/vnd.apache.parquet"): OpenApiTypes.BINARY,
        },
        tags=["market data"],
    )
    def get(self, request: Request, pk: int) -> StreamingHttpResponse:
        """Candles with `start` ≤ open time < `end`, oldest first, streamed as CSV, JSON or Parquet."""
        series = get_object_or_404(CandleSeries.objects.select_related("cryptocurrency"), pk=pk)
        query = CandlesQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        wanted: dict[str, Any] = query.validated_data
        series = _at_interval(series, wanted.get("interval", series.interval))
        pieces = export(series, wanted["form"], _ms(wanted.get("start"), 0), _ms(wanted.get("end"), 1 << 62))
        name = f"{series.cryptocurrency.symbol}-{series.interval}.{wanted['form']}"
        return StreamingHttpResponse(
            in_pieces(pieces),
            content_type=CONTENT_TYPES[wanted["form"]],
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )


def _at_interval(series: CandleSeries, interval: str) -> CandleSeries:
    if interval == series.interval:
        return series
    coarser = derive(series, interval) if series.interval in finer_intervals(interval) else None
    if coarser is None:
        message = f"{interval} candles can't be made of this series' {series.interval} candles."
        raise serializers.ValidationError({"interval": [message]})
    return coarser


def _ms(moment: datetime | None, default: int) -> int:
    return default if moment is None else round(moment.timestamp() * 1000)


async def in_pieces(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Make each piece when it is wanted, in a thread that keeps no database connection in between."""
    while (piece := await sync_to_async(_next, thread_sensitive=False)(pieces)) is not None:
        yield piece


def _next(pieces: Iterator[bytes]) -> bytes | None:
    try:
        return next(pieces, None)
    finally:
        connections.close_all()
