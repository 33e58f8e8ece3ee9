"""Lists of a run's results: sorted, searched and paged alike for every kind.

A list shows what there was at one event of the run, however it is sorted: results never change, and come in the order
of their events. So the pages of a run under way fit together.
"""

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import F, QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from backtests.models import ResultLink
from workers.http import Pagination
from workers.parameters import InvalidSeqError, parse_after
from workers.views import visible_run

HIT_VALUES = {"true": True, "1": True, "false": False, "0": False}


class PagesOfOneMoment(Pagination):
    """Pages that lead to others of the same moment, which each of them tells."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        self.until: int = getattr(view, "until", 0)
        return super().paginate_queryset(queryset, request, view)

    def get_next_link(self) -> str | None:
        return self._of_this_moment(super().get_next_link())

    def get_previous_link(self) -> str | None:
        return self._of_this_moment(super().get_previous_link())

    def get_paginated_response(self, data: Any) -> Response:
        page: Any = super().get_paginated_response(data)
        page.data = {"until": self.until, **page.data}
        return page

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        described = super().get_paginated_response_schema(schema)
        until = {"type": "integer", "description": "The run's event up to which results are listed."}
        described["properties"]["until"] = until
        described["required"] = [*described.get("required", []), "until"]
        return described

    def _of_this_moment(self, link: str | None) -> str | None:
        return None if link is None else replace_query_param(link, "until", str(self.until))


class RunResultList(generics.ListAPIView[Any]):
    """Base of the lists, which are in the order of arrival if no other is asked for."""

    pagination_class = PagesOfOneMoment
    until = 0
    kind: ClassVar[str]
    sortable: ClassVar[Mapping[str, str]]
    """Columns by the names that `ordering` takes."""

    def results_of(self, run_id: UUID) -> QuerySet[Any]:
        """The results of a run, each with its job."""
        raise NotImplementedError

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "ordering",
                OpenApiTypes.STR,
                description="A metric, `symbol`, `position` or `arrival` (the default); `-` before it for falling.",
            ),
            OpenApiParameter("search", OpenApiTypes.STR, description="Part of a symbol."),
            OpenApiParameter("hit", OpenApiTypes.BOOL, description="Only hits, or only what is none."),
            OpenApiParameter(
                "until",
                OpenApiTypes.INT,
                description="Only results up to this event of the run; by default all there are. `next` and `previous`"
                " hold that of the page they stand on, so that no row is missed or doubled between the pages of a run"
                " under way, whatever they are sorted by. Later results are events after it.",
            ),
        ]
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            return ResultLink.objects.none()
        run = visible_run(self.request, self.kwargs["run_id"])
        if run.kind != self.kind:
            raise NotFound(f"That run is no {self.kind}.")
        query = self.request.query_params
        search = query.get("search", "").replace("\0", "")  # which PostgreSQL takes in no text
        self.until = _event_number(query["until"]) if "until" in query else run.last_seq
        results = self.results_of(run.pk).filter(job__key__icontains=search, seq__lte=self.until)
        if "hit" in query:
            results = results.filter(hit=_hit(query["hit"]))
        return results.order_by(*self._ordering(query.get("ordering", "arrival")))

    def _ordering(self, text: str) -> list[Any]:
        name = text.removeprefix("-")
        if name not in self.sortable:
            names = ", ".join(self.sortable)
            raise ValidationError({"ordering": [f"Can't sort by {name[:40]!r}; by {names}."]})
        field = F(self.sortable[name])
        first = field.desc(nulls_last=True) if text.startswith("-") else field.asc(nulls_last=True)
        return [first, "job__position"]


def _event_number(text: str) -> int:
    try:
        return parse_after(urlencode({"after": text}))
    except InvalidSeqError as error:
        raise ValidationError({"until": [str(error).replace("after", "until", 1)]}) from error


def _hit(text: str) -> bool:
    try:
        return HIT_VALUES[text.lower()]
    except KeyError:
        raise ValidationError({"hit": ["Must be true or false."]}) from None
