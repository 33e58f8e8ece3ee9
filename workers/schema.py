"""What the API's schema says beyond what its generator finds: streams, and how it looks when something is wrong."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.urls import URLPattern, get_resolver

from workers.problems import CONTENT_TYPE

V = TypeVar("V", bound=Callable[..., Any])
Parameter = dict[str, Any]

PROBLEM = {
    "type": "object",
    "description": "What was wrong (RFC 9457).",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "object",
            "description": "Messages by field, where fields are at fault.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
    "required": ["type", "title", "status", "detail"],
}


@dataclass(frozen=True, slots=True)
class StreamDescription:
    """What the schema says of a view that answers with server-sent events, which its generator does not see."""

    method: str
    text: str
    parameters: Sequence[Parameter]
    nothing_to_come: str | None


def query(name: str, kind: str, description: str, **more: Any) -> Parameter:
    """A parameter of the query."""
    return {"in": "query", "name": name, "schema": {"type": kind, **more}, "description": description}


def header(name: str, kind: str, description: str, **more: Any) -> Parameter:
    """A header of the request."""
    return {**query(name, kind, description, **more), "in": "header"}


def describe_stream(
    method: str, text: str, parameters: Sequence[Parameter], *, nothing_to_come: str | None = None
) -> Callable[[V], V]:
    """Describe a view that streams; a decorator. `nothing_to_come` is what 204 means.

    The body of one that is asked with POST is that of the address without `stream/`.
    """

    def describe(view: V) -> V:
        view.stream_description = StreamDescription(method.lower(), text, parameters, nothing_to_come)  # type: ignore[attr-defined]
        return view

    return describe


def _add_streams(paths: dict[str, Any]) -> None:
    like = paths["/api/runs/"]["get"]
    for path, described in _streams(get_resolver(), "/"):
        words = [word for word in path.split("/")[2:] if word and "{" not in word]
        operation: dict[str, Any] = {
            "operationId": "_".join(words),
            "description": described.text,
            "parameters": [*_of_path(path), *described.parameters],
            "tags": words[:1],
            "security": like["security"],
            "responses": {"200": _EVENTS},
        }
        if described.method == "post":
            operation["requestBody"] = paths[path.removesuffix("stream/")]["post"]["requestBody"]
        if described.nothing_to_come:
            operation["responses"]["204"] = {"description": described.nothing_to_come}
        paths[path] = {described.method: operation}


_EVENTS = {
    "description": "Server-sent events, for as long as there are more to come; each as this schema says.",
    "content": {
        "text/event-stream": {
            "schema": {
                "type": "object",
                "properties": {
                    "id": {"type": "string", "description": "The number of a run's event."},
                    "data": {"type": "string", "description": "A JSON object."},
                    "retry": {
                        "type": "integer",
                        "description": "Milliseconds to wait before the next attempt.",
                    },
                },
            }
        }
    },
}


def _of_path(path: str) -> list[Parameter]:
    return [
        {"in": "path", "name": name, "schema": {"type": "string", "format": "uuid"}, "required": True}
        for name in re.findall(r"{(\w+)}", path)
    ]


def _streams(resolver: Any, prefix: str) -> Iterator[tuple[str, StreamDescription]]:
    for entry in resolver.url_patterns:
        path = prefix + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(entry.pattern))
        if not isinstance(entry, URLPattern):
            yield from _streams(entry, path)
        elif described := getattr(entry.callback, "stream_description", None):
            yield path, described


def _first_sentence(text: str) -> str:
    """What the list of operations shows of each."""
    return re.split(r"(?<=[.:;])\s", text, maxsplit=1)[0].rstrip(".:;")


def add_problems(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the streams, and give every operation the answers that problems have; a hook of drf-spectacular."""
    _add_streams(result["paths"])
    result["components"]["schemas"]["Problem"] = PROBLEM
    answer = {
        "description": "A problem of the request.",
        "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"]["4XX"] = answer
            operation.setdefault("summary", _first_sentence(operation.get("description", "")))
    return result
