"""Errors as RFC 9457 problem details: what was wrong, in which field, and what would be right."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler

from workers.connections import LoginEndedError, TooManyConnectionsError
from workers.handlers import InvalidSpecError
from workers.runs import KeyReusedError, TooManyRunsError

CONTENT_TYPE = "application/problem+json"
TITLES = {
    400: "The request is not valid",
    401: "Log in or send a token",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "Conflict",
    413: "The body is too large",
    415: "Unsupported media type",
    429: "Too many requests",
}


WHOLE_BODY = "non_field_errors"
"""What the framework calls what is said of all fields together."""


class BodyTooLargeError(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is larger than the server accepts."


class ConflictError(exceptions.APIException):
    status_code = status.HTTP_409_CONFLICT
    default_detail = "The state of the run does not allow this."


class TooManyRequestsError(exceptions.APIException):
    status_code = status.HTTP_429_TOO_MANY_REQUESTS
    default_detail = "Too many runs are under way."
    wait = 10
    """Seconds after which it may be tried again, for the header Retry-After."""


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn an exception of a view into problem details; None for what is the server's own fault."""
    if isinstance(error, KeyReusedError):
        error = ConflictError(str(error))
    elif isinstance(error, TooManyRunsError | TooManyConnectionsError):
        error = TooManyRequestsError(str(error))
    elif isinstance(error, LoginEndedError):
        error = exceptions.NotAuthenticated(str(error))
    elif isinstance(error, InvalidSpecError):
        error = exceptions.ValidationError(error.errors)
    elif isinstance(error, RequestDataTooBig):
        error = BodyTooLargeError()
    elif isinstance(error, Http404):
        error = exceptions.NotFound("There is no such thing here, or it is not yours.")
    elif isinstance(error, exceptions.UnsupportedMediaType):
        error = exceptions.UnsupportedMediaType("", f"{error.detail} Send {_accepted(context)}.")
    response = exception_handler(error, context)
    if response is None:
        return None
    response.data = problem(response.status_code, response.data)
    response.content_type = CONTENT_TYPE
    return response


def _accepted(context: dict[str, Any]) -> str:
    """The media types that a view takes; streams have no view of the framework's, and take what all take."""
    defaults: Any = api_settings.DEFAULT_PARSER_CLASSES
    parsers = getattr(context.get("view"), "parser_classes", defaults)
    return " or ".join(parser.media_type for parser in parsers)


def problem(code: int, data: Any) -> dict[str, Any]:
    """The body of a problem response from what the framework gives for an error."""
    body: dict[str, Any] = {"type": "about:blank", "title": TITLES.get(code, "Error"), "status": code}
    if isinstance(data, dict) and set(data) == {"detail"}:
        return {**body, "detail": str(data["detail"])}
    errors = _fields(data)
    detail = "; ".join(
        " ".join(messages) if field == WHOLE_BODY else f"{field}: {' '.join(messages)}"
        for field, messages in errors.items()
    )
    return {**body, "detail": detail, "errors": errors}


def _fields(data: Any, prefix: str = "") -> dict[str, list[str]]:
    """Flatten nested errors: `{"parameters": {"period": [...]}}` becomes `{"parameters.period": [...]}`.

    What is said of an object as a whole stands under the object's own name.
    """
    if isinstance(data, dict):
        flat: dict[str, list[str]] = {}
        for name, value in data.items():
            inside = prefix if prefix and name == WHOLE_BODY else f"{prefix}.{name}" if prefix else str(name)
            flat.update(_fields(value, inside))
        return flat
    messages = data if isinstance(data, list) else [data]
    return {prefix or WHOLE_BODY: [str(message) for message in messages]}
