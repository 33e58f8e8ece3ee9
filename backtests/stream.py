"""Start a run and follow it in one response: `POST /api/backtests/stream/`, and the like of other kinds."""

from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import APIException, MethodNotAllowed
from rest_framework.request import Request
from rest_framework.settings import api_settings

from workers import control, credentials, sse
from workers.credentials import Credential
from workers.handlers import InvalidSpecError
from workers.models import Run
from workers.runs import KeyReusedError, TooManyRunsError
from workers.schema import describe_stream, header, query
from workers.views import KEY_TEXT, MAX_KEY_LENGTH

TRUE = frozenset({"1", "true"})


def stream_view(start: Callable[[Request], Run]) -> Callable[..., Any]:
    """A view that starts a run and streams its events.

    Its body is that of the view that only starts one. Closing the connection leaves the run;
    `?stop_on_disconnect=1` ties the run to the connection.
    """

    @describe_stream(
        "POST",
        "Start a run and follow it: its events as server-sent events, from the first to the last. `Location` says where"
        " the run is. Closing the connection leaves the run; go on at its own stream.",
        [
            query(
                "stop_on_disconnect", "string", "Stop the run when the connection ends.", enum=sorted(TRUE)
            ),
            header("Idempotency-Key", "string", KEY_TEXT, minLength=1, maxLength=MAX_KEY_LENGTH),
        ],
    )
    @csrf_exempt  # sessions are checked by the API's own authentication
    async def start_and_follow(request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        try:
            run, credential = await database_sync_to_async(_started)(start, request)
        except (APIException, InvalidSpecError, KeyReusedError, TooManyRunsError) as error:
            return sse.problem_response(error)
        response = sse.events_response(run.pk, after=0, credential=credential)
        response["Location"] = f"/api/runs/{run.pk}/"
        if request.GET.get("stop_on_disconnect") in TRUE:
            response.streaming_content = _stopping_after(run.pk, response.streaming_content)
        return response

    return start_and_follow


def _started(start: Callable[[Request], Run], request: HttpRequest) -> tuple[Run, Credential]:
    parsed = _parsed(request)
    return start(parsed), credentials.of_request(parsed)


def _parsed(request: HttpRequest) -> Request:
    if request.method != "POST":
        raise MethodNotAllowed(request.method or "")
    parsed = Request(
        request,
        parsers=[kind() for kind in _kinds("DEFAULT_PARSER_CLASSES")],
        authenticators=[kind() for kind in _kinds("DEFAULT_AUTHENTICATION_CLASSES")],
    )
    sse.require_login(parsed)
    return parsed


def _kinds(name: str) -> Any:
    return getattr(api_settings, name)


async def _stopping_after(run_id: UUID, frames: Any) -> AsyncIterator[bytes]:
    """The same frames; when nobody reads them any more, the run is stopped. An ended run is not changed."""
    try:
        async for frame in frames:
            yield frame
    finally:
        await database_sync_to_async(control.stop_run)(run_id=run_id)
