"""Server-sent events: one run's events as `text/event-stream`, from the one after `Last-Event-ID` on."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from rest_framework.exceptions import (
    APIException,
    MethodNotAllowed,
    NotAuthenticated,
    NotFound,
    ValidationError,
)
from rest_framework.request import Request
from rest_framework.settings import api_settings

from workers import feeds, problems, runs
from workers.events import RunEvent
from workers.parameters import InvalidSeqError, parse_after

KEEP_ALIVE_SECONDS = 15.0
RETRY_MS = 1000


async def run_stream(request: HttpRequest, run_id: UUID) -> HttpResponse | StreamingHttpResponse:
    """Stream a run's events until its last one; afterwards a client that comes back is told so with 204."""
    try:
        after = _requested_seq(request)
        run = await database_sync_to_async(_visible_run)(request, run_id)
    except APIException as error:
        return problem_response(error)
    if run.has_ended and after >= run.last_seq:
        return HttpResponse(status=204)  # tells an EventSource not to connect again
    return streaming_response(run_id, after=after)


def streaming_response(run_id: UUID, *, after: int) -> StreamingHttpResponse:
    """The stream of a run that the caller has checked."""
    response = StreamingHttpResponse(_frames(run_id, after), content_type="text/event-stream")
    response["Cache-Control"] = "no-cache, no-transform"
    response["X-Accel-Buffering"] = "no"
    return response


def problem_response(error: Exception) -> HttpResponse:
    """Problem details outside of the framework's own views."""
    response = problems.problem_response(error, {})
    assert response is not None, "every APIException has a response"
    return JsonResponse(response.data, status=response.status_code, content_type=problems.CONTENT_TYPE)


def user_of(request: HttpRequest) -> Any:
    """The user that any of the API's ways of authentication finds; raises NotAuthenticated if none does."""
    kinds: Any = api_settings.DEFAULT_AUTHENTICATION_CLASSES
    return require_login(Request(request, authenticators=[kind() for kind in kinds]))


def require_login(request: Request) -> Any:
    """The user of a request; raises NotAuthenticated without one."""
    if not request.user.is_authenticated:
        raise NotAuthenticated
    return request.user


def _visible_run(request: HttpRequest, run_id: UUID) -> Any:
    if request.method != "GET":
        raise MethodNotAllowed(request.method or "")
    run = runs.find_visible(run_id, user_of(request))
    if run is None:
        raise NotFound("There is no such run.")
    return run


def _requested_seq(request: HttpRequest) -> int:
    last_id = request.headers.get("Last-Event-ID")
    try:
        return parse_after(f"after={last_id}" if last_id else request.META["QUERY_STRING"])
    except InvalidSeqError as error:
        raise ValidationError({"after": [str(error)]}) from error


async def _frames(run_id: UUID, after: int) -> AsyncIterator[str]:
    yield f"retry: {RETRY_MS}\n\n"
    follower = feeds.follow(run_id, after=after)
    following = asyncio.ensure_future(anext(follower, None))
    try:
        while True:
            done, _ = await asyncio.wait({following}, timeout=KEEP_ALIVE_SECONDS)
            if not done:
                yield ": keep-alive\n\n"
                continue
            event = following.result()
            if event is None:
                return
            yield frame(event)
            following = asyncio.ensure_future(anext(follower, None))
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await follower.aclose()


def frame(event: RunEvent) -> str:
    """One event as it stands on the wire; unnamed, so that `onmessage` gets every type."""
    return f"id: {event.seq}\ndata: {event.json}\n\n"
