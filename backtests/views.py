"""The REST edge of backtests: strategies, starting a run, reading its results."""

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backtests.handler import BacktestHandler
from backtests.listing import RunResultList
from backtests.models import Result, ResultLink
from backtests.requests import BacktestRequestSerializer
from backtests.serializers import ResultDetailSerializer, ResultSerializer, StrategySerializer
from backtests.starting import start_run
from backtests.strategies.registry import all_strategies
from workers.models import Run
from workers.serializers import RunSerializer
from workers.views import IDEMPOTENCY_KEY, accepted, visible_run

SORTABLE = {"arrival": "seq", "symbol": "result__symbol", "position": "job__position"} | {
    name: f"result__{name}" for name in Result.METRICS
}


class StrategyList(APIView):
    """The strategies there are."""

    @extend_schema(responses=StrategySerializer(many=True))
    def get(self, request: Request) -> Response:
        return Response(StrategySerializer(all_strategies(), many=True).data)


class BacktestList(APIView):
    """Start backtests."""

    @extend_schema(
        request=BacktestRequestSerializer, responses={202: RunSerializer}, parameters=[IDEMPOTENCY_KEY]
    )
    def post(self, request: Request) -> Response:
        """Start a run of one strategy over many cryptocurrencies; its results arrive as events."""
        return accepted(start_backtest(request))


def start_backtest(request: Request) -> Run:
    """Start the run that a request asks for."""
    return start_run(request, BacktestHandler.kind, BacktestRequestSerializer)


class ResultList(RunResultList):
    """Results of a run, sortable by any metric; results without that metric come last."""

    serializer_class = ResultSerializer
    kind = BacktestHandler.kind
    sortable = SORTABLE

    def results_of(self, run_id: UUID) -> QuerySet[ResultLink]:
        return _links_of(run_id).defer(*(f"result__{name}" for name in Result.CURVES))


class ResultDetail(APIView):
    """One cryptocurrency's result."""

    @extend_schema(responses=ResultDetailSerializer)
    def get(self, request: Request, run_id: UUID, symbol: str) -> Response:
        run = visible_run(request, run_id)
        link = _links_of(run.pk).filter(job__key=symbol.upper()).first()
        if link is None:
            raise NotFound(f"This run has no result of {symbol}.")
        return Response(ResultDetailSerializer(link).data)


def _links_of(run_id: UUID) -> QuerySet[ResultLink]:
    return ResultLink.objects.filter(job__run_id=run_id).select_related("result", "job")
