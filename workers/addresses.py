"""Addresses that can't be anybody's: PostgreSQL stores no null character, and fails when asked for one."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from asgiref.sync import iscoroutinefunction  # pyright: ignore[reportDeprecated] -- inspect has it from 3.12 on
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.decorators import sync_and_async_middleware

from workers.problems import CONTENT_TYPE, problem


@sync_and_async_middleware
def refuse_null_characters(get_response: Any) -> Callable[[HttpRequest], Any]:
    """Middleware: answers 404 to an address with a null character in it."""
    if iscoroutinefunction(get_response):  # pyright: ignore[reportDeprecated]

        async def answer_soon(request: HttpRequest) -> HttpResponse:
            return _nothing_there() if "\0" in request.path_info else await get_response(request)

        return answer_soon

    def answer(request: HttpRequest) -> HttpResponse:
        return _nothing_there() if "\0" in request.path_info else get_response(request)

    return answer


def _nothing_there() -> HttpResponse:
    body = problem(HTTPStatus.NOT_FOUND, {"detail": "There is nothing at this address."})
    return JsonResponse(body, status=HTTPStatus.NOT_FOUND, content_type=CONTENT_TYPE)
