"""The REST edge of backtests: strategies, starting a run, reading its results."""

from typing import Any
from uuid import UUID

from django.db.models import F, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backtests.handler import BacktestHandler
from backtests.models import Result, ResultLink
from backtests.requests import BacktestRequestSerializer
from backtests.serializers import ResultDetailSerializer, ResultSerializer, StrategySerializer
from backtests.strategies.registry import all_strategies
from workers.models import Run
from workers.runs import create_run_once
from workers.serializers import RunSerializer
from workers.views import accepted, idempotency_key, visible_run

SORTABLE = {"symbol": "result__symbol", "position": "job__position"} | {
    name: f"result__{name}" for name in Result.METRICS
}


class StrategyList(APIView):
    """The strategies there are."""

    @extend_schema(responses=StrategySerializer(many=True))
    def get(self, request: Request) -> Response:
        return Response(StrategySerializer(all_strategies(), many=True).data)


class BacktestList(APIView):
    """Start backtests."""

    @extend_schema(request=BacktestRequestSerializer, responses={202: RunSerializer})
    def post(self, request: Request) -> Response:
        """Start a run of one strategy over many cryptocurrencies; its results arrive as events."""
        return accepted(start_backtest(request))


def start_backtest(request: Request) -> Run:
    """Start the run that a request asks for."""
    body = BacktestRequestSerializer(data=request.data)
    body.is_valid(raise_exception=True)
    return create_run_once(
        owner=request.user,
        kind=BacktestHandler.kind,
        spec=body.spec(),
        options=body.options(),
        idempotency_key=idempotency_key(request),
    )


class ResultList(generics.ListAPIView[ResultLink]):
    """Results of a run, sortable by any metric; results without that metric come last."""

    serializer_class = ResultSerializer

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "ordering", OpenApiTypes.STR, description="A metric or `symbol`; `-sharpe` for falling."
            ),
            OpenApiParameter("search", OpenApiTypes.STR, description="Part of a symbol."),
        ]
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[ResultLink]:
        if getattr(self, "swagger_fake_view", False):
            return ResultLink.objects.none()
        run = visible_run(self.request, self.kwargs["run_id"])
        links = _links_of(run.pk).defer(*(f"result__{name}" for name in Result.CURVES))
        links = links.filter(result__symbol__icontains=self.request.query_params.get("search", ""))
        return links.order_by(*_ordering(self.request.query_params.get("ordering", "position")))


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


def _ordering(text: str) -> list[Any]:
    name = text.removeprefix("-")
    if name not in SORTABLE:
        raise ValidationError({"ordering": [f"Can't sort by {name[:40]!r}; by {', '.join(SORTABLE)}."]})
    field = F(SORTABLE[name])
    return [
        field.desc(nulls_last=True) if text.startswith("-") else field.asc(nulls_last=True),
        "job__position",
    ]
