"""The REST edge of scans: starting one, reading its results."""

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backtests.listing import RunResultList
from backtests.models import ScanResult
from backtests.scans.handler import ScanHandler
from backtests.scans.requests import ScanRequestSerializer
from backtests.scans.serializers import ScanResultSerializer
from backtests.starting import start_run
from workers.models import Run
from workers.serializers import RunSerializer
from workers.views import IDEMPOTENCY_KEY, accepted, visible_run

SORTABLE = {
    "arrival": "seq",
    "symbol": "symbol",
    "position": "job__position",
    "signal_time": "signal_open_ms",
} | {name: name for name in ScanResult.METRICS}


class ScanList(APIView):
    """Start scans."""

    @extend_schema(
        request=ScanRequestSerializer, responses={202: RunSerializer}, parameters=[IDEMPOTENCY_KEY]
    )
    def post(self, request: Request) -> Response:
        """Ask a strategy what it says now of many cryptocurrencies; answers arrive as events."""
        return accepted(start_scan(request))


def start_scan(request: Request) -> Run:
    """Start the scan that a request asks for."""
    return start_run(request, ScanHandler.kind, ScanRequestSerializer)


class ScanResultList(RunResultList):
    """Results of a scan, sortable by any of their numbers; results without that number come last."""

    serializer_class = ScanResultSerializer
    kind = ScanHandler.kind
    sortable = SORTABLE

    def results_of(self, run_id: UUID) -> QuerySet[ScanResult]:
        return _results_of(run_id)


class ScanResultDetail(APIView):
    """What the strategy says of one cryptocurrency."""

    @extend_schema(responses=ScanResultSerializer)
    def get(self, request: Request, run_id: UUID, symbol: str) -> Response:
        result = _results_of(visible_run(request, run_id).pk).filter(job__key=symbol.upper()).first()
        if result is None:
            raise NotFound(f"This scan has no result of {symbol}.")
        return Response(ScanResultSerializer(result).data)


def _results_of(run_id: UUID) -> QuerySet[ScanResult]:
    return ScanResult.objects.filter(job__run_id=run_id).select_related("job")
