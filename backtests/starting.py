"""Start a run of a strategy from a request, the same for every kind."""

from rest_framework.request import Request

from backtests.requests import StrategyRequestSerializer
from workers.models import Run
from workers.runs import create_run_once
from workers.views import idempotency_key


def start_run(request: Request, kind: str, serializer: type[StrategyRequestSerializer]) -> Run:
    """Start the run that a request asks for; raises ValidationError with the fields that are wrong."""
    body = serializer(data=request.data, context={"request": request})
    body.is_valid(raise_exception=True)
    return create_run_once(
        owner=request.user,
        kind=kind,
        spec=body.spec(),
        options=body.options(),
        idempotency_key=idempotency_key(request),
        body=request.data,
    )
