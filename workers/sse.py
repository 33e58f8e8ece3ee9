"""Server-sent events: one run's events as `text/event-stream`, from the one after `Last-Event-ID` on."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from rest_framework.exceptions import (
    APIException,
    MethodNotAllowed,
    NotAuthenticated,
    NotFound,
    Throttled,
    ValidationError,
)
from rest_framework.request import Request
from rest_framework.settings import api_settings

from workers import connections, credentials, feeds, problems, runs, throttles
from workers.connections import TooManyConnectionsError
from workers.credentials import Credential
from workers.events import RunEvent
from workers.models import Run
from workers.parameters import MAX_SEQ, InvalidSeqError, parse_after
from workers.schema import describe_stream, header, query

KEEP_ALIVE_SECONDS = 15.0
RETRY_MS = 1000


@describe_stream(
    "GET",
    "Follow a run: its events as server-sent events, from the one after a number on, as they happen. The stream ends"
    " with the run. When it breaks off, send the last `id` as `Last-Event-ID`, as an EventSource does. The same events"
    " come over a WebSocket at `/ws/runs/{run_id}/?after=`, which also takes `stop`, `pause`, `resume` and"
    ' `prioritise`: `{"type": "prioritise", "keys": ["BTCUSDT"]}`.',
    [
        query("after", "integer", "Number of the last event known.", minimum=0, maximum=MAX_SEQ),
        header("Last-Event-ID", "integer", "The same; counts for more.", minimum=0, maximum=MAX_SEQ),
    ],
    nothing_to_come="The run has ended, and has no events after that number.",
)
async def run_stream(request: HttpRequest, run_id: UUID) -> HttpResponse | StreamingHttpResponse:
    """Stream a run's events until its last one; afterwards a client that comes back is told so with 204."""
    try:
        after = _requested_seq(request)
        credential, run = await database_sync_to_async(_visible_run)(request, run_id)
        if after > run.last_seq and not run.has_ended:
            raise ValidationError({"after": [f"Must be at most {run.last_seq}, the last event so far."]})
    except APIException as error:
        return problem_response(error)
    if run.has_ended and after >= run.last_seq:
        return HttpResponse(status=204)  # tells an EventSource not to connect again
    return events_response(run_id, after=after, credential=credential)


def events_response(run_id: UUID, *, after: int, credential: Credential) -> StreamingHttpResponse:
    """The stream of a run that the caller has checked, for one whom `require_login` has let in."""
    return streaming_response(_frames(run_id, after), credential)


def streaming_response(frames: AsyncGenerator[str], credential: Credential) -> StreamingHttpResponse:
    """A stream of frames, as one of the user's connections for as long as somebody reads it."""
    response = StreamingHttpResponse(_kept_open(frames, credential), content_type="text/event-stream")
    response["Cache-Control"] = "no-cache, no-transform"
    response["X-Accel-Buffering"] = "no"
    return response


def problem_response(error: Exception) -> HttpResponse:
    """Problem details outside of the framework's own views."""
    response = problems.problem_response(error, {})
    assert response is not None, "every APIException has a response"
    headers = {name: value for name, value in response.items() if name != "Content-Type"}
    return JsonResponse(
        response.data, status=response.status_code, content_type=problems.CONTENT_TYPE, headers=headers
    )


def login_of(request: HttpRequest) -> tuple[Any, Credential]:
    """The user that any of the API's ways of authentication finds, let in as by `require_login`, and by what."""
    kinds: Any = api_settings.DEFAULT_AUTHENTICATION_CLASSES
    parsed = Request(request, authenticators=[kind() for kind in kinds])
    return require_login(parsed), credentials.of_request(parsed)


def require_login(request: Request) -> Any:
    """The user of a request, who may open one more stream.

    Raises
    ------
    APIException
        If nobody is logged in, or the user has asked too often or has too many connections.
    """
    if not request.user.is_authenticated:
        raise NotAuthenticated
    if wait := throttles.wait_of(request):
        raise Throttled(wait)
    try:
        connections.check(request.user.pk)
    except TooManyConnectionsError as error:
        raise problems.TooManyRequestsError(str(error)) from error
    return request.user


def _visible_run(request: HttpRequest, run_id: UUID) -> tuple[Credential, Run]:
    if request.method != "GET":
        raise MethodNotAllowed(request.method or "")
    user, credential = login_of(request)
    run = runs.find_visible(run_id, user)
    if run is None:
        raise NotFound("There is no such run.")
    return credential, run


def _requested_seq(request: HttpRequest) -> int:
    last_id = request.headers.get("Last-Event-ID")
    try:
        return parse_after(f"after={last_id}" if last_id else request.META["QUERY_STRING"])
    except InvalidSeqError as error:
        raise ValidationError({"after": [str(error)]}) from error


async def _kept_open(frames: AsyncGenerator[str], credential: Credential) -> AsyncIterator[str]:
    """The same frames, with comments where they are far between; none any more when the login has ended."""
    coming = asyncio.ensure_future(anext(frames, None))
    try:
        async with connections.opened(credential) as connection:
            yield f"retry: {RETRY_MS}\n\n"
            while not connection.login_ended.done():
                ends = {coming, connection.login_ended}
                await asyncio.wait(ends, timeout=KEEP_ALIVE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                if not coming.done():
                    yield ": keep-alive\n\n"
                elif (text := coming.result()) is None:
                    return
                else:
                    yield text
                    coming = asyncio.ensure_future(anext(frames, None))
    except TooManyConnectionsError as error:  # another one was faster
        yield f": {error}\n\n"
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
        await frames.aclose()


async def _frames(run_id: UUID, after: int) -> AsyncGenerator[str]:
    try:
        async with aclosing(feeds.follow(run_id, after=after)) as events:
            async for event in events:
                yield frame(event)
    except feeds.RunDeletedError as error:  # a client that comes back gets 404
        yield f": {error}\n\n"


def frame(event: RunEvent) -> str:
    """One event as it stands on the wire; unnamed, so that `onmessage` gets every type."""
    return f"id: {event.seq}\ndata: {event.json}\n\n"
