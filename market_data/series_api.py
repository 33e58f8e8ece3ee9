"""One series over the API: its quality."""

from datetime import datetime

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from market_data.models import CandleSeries, as_datetime
from market_data.report import Gap, QualityReport, Stretch, report
from market_data.serializers import SeriesSerializer, WarningSerializer


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
