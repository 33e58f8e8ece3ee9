"""The REST edge of runs: list, show, read events."""

from typing import Any
from uuid import UUID

import orjson
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from workers import events, runs
from workers.filters import RunFilter
from workers.models import Run
from workers.parameters import InvalidSeqError, parse_after
from workers.serializers import EventPageSerializer, RunSerializer


def visible_run(request: Request, run_id: UUID) -> Run:
    """The run of a request; 404 for one that does not exist and for somebody else's alike."""
    run = runs.find_visible(run_id, request.user)
    if run is None:
        raise NotFound("There is no such run.")
    return run


class RunList(generics.ListAPIView[Run]):
    """Runs of the user, newest first."""

    serializer_class = RunSerializer
    filterset_class = RunFilter

    def get_queryset(self) -> Any:
        return Run.objects.visible_to(self.request.user).order_by("-created_at")


class RunDetail(APIView):
    """One run as it is now."""

    @extend_schema(responses=RunSerializer)
    def get(self, request: Request, run_id: UUID) -> HttpResponse:
        return Response(RunSerializer(visible_run(request, run_id)).data)


class RunEvents(APIView):
    """Stored events of a run after a number, oldest first, up to 500."""

    @extend_schema(
        parameters=[
            OpenApiParameter("after", OpenApiTypes.INT, description="Number of the last event known.")
        ],
        responses=EventPageSerializer,
    )
    def get(self, request: Request, run_id: UUID) -> HttpResponse:
        try:
            after = parse_after(request.META["QUERY_STRING"])
        except InvalidSeqError as error:
            raise ValidationError({"after": [str(error)]}) from error
        run = visible_run(request, run_id)
        page = events.read(run_id, after=after)
        body = {
            "events": [orjson.Fragment(event.json) for event in page],
            "last_seq": run.last_seq,
            "ended": run.has_ended,
        }
        return HttpResponse(orjson.dumps(body), content_type="application/json")
