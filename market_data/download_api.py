"""Downloads over the API: each is a run, with progress, control and recovery like any run."""

from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from market_data.exchanges.connection import ExchangeError, open_exchange
from market_data.exchanges.handler import KIND
from market_data.exchanges.schedule import MAX_PARALLEL
from market_data.intervals import INTERVAL_MS
from market_data.serializers import EXCHANGES
from workers.models import Run
from workers.requests import ChoiceField, RequestSerializer
from workers.runs import RunOptions, create_run
from workers.serializers import RunSerializer

MAX_TOP = 1000


class DownloadRequestSerializer(RequestSerializer):
    """Which candles to fetch from which exchange: `symbols`, or the `top` most traded pairs."""

    exchange = serializers.RegexField(r"^[a-z0-9_]{2,40}$", help_text=f"{', '.join(EXCHANGES)}, …")
    interval = ChoiceField(choices=list(INTERVAL_MS), default="1h")
    symbols = serializers.ListField(
        child=serializers.RegexField(r"^[A-Z0-9]{2,30}$"),
        required=False,
        max_length=10_000,
        help_text='["BTCUSDT"]',
    )
    top = serializers.IntegerField(
        required=False, min_value=1, max_value=MAX_TOP, help_text="Most traded pairs."
    )
    quote = serializers.RegexField(
        r"^[A-Z]{2,10}$", default="USDT", help_text="What `top` pairs are priced in."
    )
    start = serializers.DateTimeField(required=False, allow_null=True, default=None)
    end = serializers.DateTimeField(required=False, allow_null=True, default=None)
    max_parallel = serializers.IntegerField(required=False, min_value=1, max_value=16, default=MAX_PARALLEL)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("symbols" in attrs) == ("top" in attrs):
            raise serializers.ValidationError({"symbols": ["Give either symbols or top."]})
        if attrs["start"] and attrs["end"] and attrs["start"] >= attrs["end"]:
            raise serializers.ValidationError({"end": ["Must be after start."]})
        return attrs

    def spec(self) -> dict[str, Any]:
        """The request as the run keeps it; asks the exchange for its most traded pairs if need be."""
        wanted: dict[str, Any] = self.validated_data
        return {
            "exchange": wanted["exchange"],
            "interval": wanted["interval"],
            "symbols": _symbols(wanted),
            "start_ms": _ms(wanted["start"]),
            "end_ms": _ms(wanted["end"]),
        }


class DownloadList(APIView):
    """Start downloads. Candles are everyone's, so only staff may change them."""

    permission_classes = (IsAdminUser,)

    @extend_schema(request=DownloadRequestSerializer, responses={202: RunSerializer}, tags=["market data"])
    def post(self, request: Request) -> Response:
        """Start a run that downloads one cryptocurrency a job."""
        body = DownloadRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        run = start_download(owner=request.user, body=body)
        data = RunSerializer(run).data
        return Response(data, status=status.HTTP_202_ACCEPTED, headers={"Location": data["links"]["self"]})


def start_download(*, owner: Any, body: DownloadRequestSerializer) -> Run:
    """Start the run that a valid request asks for."""
    options = RunOptions(max_parallel=body.validated_data["max_parallel"])
    return create_run(owner=owner, kind=KIND, spec=body.spec(), options=options)


def _symbols(wanted: dict[str, Any]) -> list[str]:
    """The symbols that are meant, each once; an exchange that does not know the interval is told at once."""
    try:
        exchange = open_exchange(wanted["exchange"])
        exchange.check_interval(wanted["interval"])
        if "symbols" in wanted:
            return list(dict.fromkeys(wanted["symbols"]))
        return exchange.most_traded(wanted["top"], wanted["quote"])
    except ExchangeError as error:
        raise serializers.ValidationError({"exchange": [str(error)]}) from error


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)
