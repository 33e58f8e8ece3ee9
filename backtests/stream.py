"""Start a backtest and follow it in one response: `POST /api/backtests/stream/`."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import APIException, MethodNotAllowed
from rest_framework.request import Request
from rest_framework.settings import api_settings

from backtests.views import start_backtest
from workers import control, sse
from workers.handlers import InvalidSpecError
from workers.runs import KeyReusedError, TooManyRunsError


@csrf_exempt  # sessions are checked by the API's own authentication
async def backtest_stream(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
    """Start a run and stream its events. Closing the connection leaves the run, or stops it if asked to.

    The body is that of `POST /api/backtests/`; `?stop_on_disconnect=1` ties the run to the connection.
    """
    try:
        run_id = await database_sync_to_async(_start)(request)
    except (APIException, InvalidSpecError, KeyReusedError, TooManyRunsError) as error:
        return sse.problem_response(error)
    response = sse.streaming_response(run_id, after=0)
    response["Location"] = f"/api/runs/{run_id}/"
    if request.GET.get("stop_on_disconnect") in {"1", "true"}:
        response.streaming_content = _stopping_after(run_id, response.streaming_content)
    return response


def _start(request: HttpRequest) -> UUID:
    if request.method != "POST":
        raise MethodNotAllowed(request.method or "")
    parsed = Request(
        request,
        parsers=[kind() for kind in _kinds("DEFAULT_PARSER_CLASSES")],
        authenticators=[kind() for kind in _kinds("DEFAULT_AUTHENTICATION_CLASSES")],
    )
    sse.require_login(parsed)
    return start_backtest(parsed).pk


def _kinds(name: str) -> Any:
    return getattr(api_settings, name)


async def _stopping_after(run_id: UUID, frames: Any) -> AsyncIterator[bytes]:
    """The same frames; when nobody reads them any more, the run is stopped. An ended run is not changed."""
    try:
        async for frame in frames:
            yield frame
    finally:
        await database_sync_to_async(control.stop_run)(run_id=run_id)
