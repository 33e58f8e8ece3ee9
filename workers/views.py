"""The REST edge of runs: list, show, control, read events."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import orjson
from asgiref.sync import async_to_sync
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, status
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from workers import connections, control, credentials, events, feeds, runs, stats
from workers.credentials import Credential
from workers.events import RunEvent
from workers.filters import RunFilter
from workers.models import Run
from workers.parameters import InvalidSeqError, InvalidWaitError, parse_after, parse_wait
from workers.problems import ConflictError
from workers.serializers import EventPageSerializer, PrioritySerializer, RunSerializer, StatsSerializer

MAX_KEY_LENGTH = 100
KEY_TEXT = "The same request with the same key starts no second run; another one with it gets 409."
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH},
    OpenApiParameter.HEADER,
    description=KEY_TEXT,
)
"""For the schema of requests that start runs."""


def visible_run(request: Request, run_id: UUID) -> Run:
    """The run of a request; 404 for one that does not exist and for somebody else's alike."""
    run = runs.find_visible(run_id, request.user)
    if run is None:
        raise NotFound("There is no such run.")
    return run


def accepted(run: Run) -> Response:
    """202 with a run and where to find it."""
    data = RunSerializer(run).data
    return Response(data, status=status.HTTP_202_ACCEPTED, headers={"Location": data["links"]["self"]})


def idempotency_key(request: Request) -> str | None:
    """The key by which a client can send the same request twice without starting two runs."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 1 <= len(key) <= MAX_KEY_LENGTH:
        raise ValidationError({"Idempotency-Key": [f"Must have 1 to {MAX_KEY_LENGTH} characters."]})
    return key


class RunList(generics.ListAPIView[Run]):
    """Runs of the user, newest first."""

    serializer_class = RunSerializer
    filterset_class = RunFilter

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return Run.objects.none()
        return Run.objects.visible_to(self.request.user).order_by("-created_at")


class RunDetail(APIView):
    """One run as it is now."""

    @extend_schema(responses=RunSerializer)
    def get(self, request: Request, run_id: UUID) -> Response:
        """Show a run."""
        return Response(RunSerializer(visible_run(request, run_id)).data)

    @extend_schema(request=PrioritySerializer, responses=RunSerializer)
    def patch(self, request: Request, run_id: UUID) -> Response:
        """Change the order of the jobs that wait, or the priority of the run."""
        visible_run(request, run_id)
        body = PrioritySerializer(data=request.data)
        body.is_valid(raise_exception=True)
        if keys := body.validated_data.get("keys"):
            control.prioritise_jobs(run_id=run_id, keys=keys)
        if priority := body.validated_data.get("priority"):
            control.set_priority(run_id=run_id, priority=priority)
        return Response(RunSerializer(visible_run(request, run_id)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, run_id: UUID) -> Response:
        """Delete an ended run; 409 while it is under way."""
        visible_run(request, run_id)
        try:
            control.delete_run(run_id=run_id)
        except control.RunIsActiveError as error:
            raise ConflictError(str(error)) from error
        return Response(status=status.HTTP_204_NO_CONTENT)


class RunControl(APIView):
    """Base of the verbs that change a run under way; each answers with the state it left."""

    verb: Callable[..., Run]

    @extend_schema(request=None, responses=RunSerializer)
    def post(self, request: Request, run_id: UUID) -> Response:
        visible_run(request, run_id)
        type(self).verb(run_id=run_id)
        return Response(RunSerializer(visible_run(request, run_id)).data)


class StopRun(RunControl):
    """Stop a run now; results that arrive later are discarded."""

    verb = staticmethod(control.stop_run)


class PauseRun(RunControl):
    """Dispatch nothing more until the run is resumed."""

    verb = staticmethod(control.pause_run)


class ResumeRun(RunControl):
    """Go on with a paused run."""

    verb = staticmethod(control.resume_run)


class RetryRun(APIView):
    """Do the failed jobs of an ended run again."""

    @extend_schema(request=None, responses={202: RunSerializer})
    def post(self, request: Request, run_id: UUID) -> Response:
        """Start a new run of the jobs that failed; 409 while the run is under way or if none failed."""
        visible_run(request, run_id)
        try:
            run = control.retry_run(run_id=run_id, owner=request.user)
        except (control.RunIsActiveError, control.NothingFailedError) as error:
            raise ConflictError(str(error)) from error
        return accepted(run)


class RunStats(APIView):
    """How a run went, in numbers."""

    @extend_schema(responses=StatsSerializer)
    def get(self, request: Request, run_id: UUID) -> Response:
        """Times, reuse and the share of each worker."""
        return Response(stats.stats(visible_run(request, run_id)))


class RunEvents(APIView):
    """Stored events of a run after a number, oldest first, up to 500."""

    @extend_schema(
        parameters=[
            OpenApiParameter("after", OpenApiTypes.INT, description="Number of the last event known."),
            OpenApiParameter("wait", OpenApiTypes.FLOAT, description="Seconds to wait for one, up to 30."),
        ],
        responses=EventPageSerializer,
    )
    def get(self, request: Request, run_id: UUID) -> HttpResponse:
        after, wait = _event_query(request)
        run = visible_run(request, run_id)
        if wait and not run.has_ended:
            page = async_to_sync(_wait_for_events)(credentials.of_request(request), run_id, after, wait)
            run = visible_run(request, run_id)
        else:
            page = events.read(run_id, after=after)
        body = {
            "events": [orjson.Fragment(event.json) for event in page],
            "last_seq": run.last_seq,
            "ended": run.has_ended,
        }
        return HttpResponse(orjson.dumps(body), content_type="application/json")


async def _wait_for_events(
    credential: Credential, run_id: UUID, after: int, seconds: float
) -> list[RunEvent]:
    async with connections.opened(credential) as connection:
        waiting = feeds.wait_for_events(run_id, after=after, seconds=seconds)
        try:
            return await connection.unless_login_ends(waiting)
        except feeds.RunDeletedError as error:
            raise NotFound("There is no such run.") from error


def _event_query(request: Request) -> tuple[int, float]:
    try:
        query = request.META["QUERY_STRING"]
        return parse_after(query), parse_wait(query)
    except InvalidSeqError as error:
        raise ValidationError({"after": [str(error)]}) from error
    except InvalidWaitError as error:
        raise ValidationError({"wait": [str(error)]}) from error
