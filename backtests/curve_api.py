"""The REST edge of whole curves: the account at every bar, and month by month."""

from typing import Any
from uuid import UUID

import numpy as np
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backtests.curve import CandlesGoneError, Curve, rebuild_curve
from backtests.engine.curves import chosen_bars, drawdowns, monthly_returns
from backtests.models import ResultLink
from backtests.spec import BacktestSpec
from market_data.errors import MarketDataError
from workers.problems import ConflictError
from workers.views import visible_run

DRAWDOWN_PLACES = 6
MAX_POINTS = 200_000


class CurveQuerySerializer(serializers.Serializer[Any]):
    """How much of a curve to send."""

    max_points = serializers.IntegerField(
        required=False,
        default=50_000,
        min_value=4,
        max_value=MAX_POINTS,
        help_text="Of more bars than that, the lowest and highest of equal stretches are sent.",
    )


class WarmUpSerializer(serializers.Serializer[Any]):
    """Candles before the range, which a strategy's indicators start from; columns of equal length."""

    time_ms = serializers.ListField(child=serializers.IntegerField(), help_text="Open times, UTC.")
    open = serializers.ListField(child=serializers.FloatField())
    high = serializers.ListField(child=serializers.FloatField())
    low = serializers.ListField(child=serializers.FloatField())
    close = serializers.ListField(child=serializers.FloatField())


class CurveSerializer(serializers.Serializer[Any]):
    """The account at the close of every bar: exact, not at the few points that are kept with a result."""

    candles_changed = serializers.BooleanField(
        help_text="The candles are no longer those that the result was computed from: the trades are shown as they "
        "were, over candles as they are."
    )
    bar_count = serializers.IntegerField(help_text="Of the range; more than points where not all are sent.")
    time_ms = serializers.ListField(child=serializers.IntegerField(), help_text="Open times, UTC.")
    equity = serializers.ListField(child=serializers.FloatField(), help_text="In quote currency.")
    drawdown = serializers.ListField(
        child=serializers.FloatField(), help_text="Fractional loss from the running peak, to 6 places."
    )
    monthly_returns = serializers.DictField(
        child=serializers.FloatField(allow_null=True),
        help_text="By month, such as 2021-04, UTC; fractions; null where nothing was left to grow.",
    )
    warm_up = WarmUpSerializer()


class ResultCurve(APIView):
    """The exact curve of one cryptocurrency's result."""

    @extend_schema(parameters=[CurveQuerySerializer], responses=CurveSerializer)
    def get(self, request: Request, run_id: UUID, symbol: str) -> Response:
        """Rebuild the equity curve from the trades and the candles, and say whether the candles have changed."""
        run = visible_run(request, run_id)
        query = CurveQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        links = ResultLink.objects.filter(job__run_id=run.pk, job__key=symbol.upper())
        link = links.select_related("result").first()
        if link is None:
            raise NotFound(f"This run has no result of {symbol[:40]}.")
        try:
            curve = rebuild_curve(BacktestSpec.parse(run.spec), link.result)
        except CandlesGoneError as error:
            raise NotFound(str(error)) from error
        except MarketDataError as error:
            raise ConflictError(str(error)) from error
        return Response(
            _shown(curve, link.result.execution["initial_cash"], query.validated_data["max_points"])
        )


def _shown(curve: Curve, initial_cash: float, max_points: int) -> dict[str, Any]:
    candles, equity, before = curve.candles, curve.equity, curve.warm_up
    bars = chosen_bars(equity, max_points)
    months = monthly_returns(candles.open_time_ms, equity, initial_cash)
    return {
        "candles_changed": curve.candles_changed,
        "bar_count": len(candles),
        "time_ms": candles.open_time_ms[bars],
        "equity": equity[bars],
        "drawdown": np.round(drawdowns(equity, initial_cash)[bars], DRAWDOWN_PLACES),
        "monthly_returns": dict(months),
        "warm_up": {
            "time_ms": before.open_time_ms,
            "open": before.open,
            "high": before.high,
            "low": before.low,
            "close": before.close,
        },
    }
