"""What bodies of requests have in common: a field that does not exist is refused, not passed over."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, NoReturn

from drf_spectacular.extensions import OpenApiSerializerExtension
from rest_framework import serializers


def no_such_field(name: str, known: Iterable[str], what: str = "field") -> str:
    """Say that a field does not exist, and which were meant or exist."""
    known = list(known)
    if meant := get_close_matches(name, known, n=2):
        return f"There is no such {what}; did you mean {' or '.join(meant)}?"
    return f"There is no such {what}; there are {', '.join(known)}."


class ChoiceField(serializers.ChoiceField):
    """A choice whose refusal names the choices there are."""

    default_error_messages = {"invalid_choice": '"{input}" is not a valid choice; there are {choices}.'}  # noqa: RUF012

    def fail(self, key: str, **words: Any) -> NoReturn:
        super().fail(key, choices=", ".join(map(str, self.choices)), **words)


class RequestSerializer(serializers.Serializer[Any]):
    """Base of bodies that clients send.

    A misspelt `stop_los` that were ignored would give results of another strategy than the one asked for.
    """

    default_error_messages = {"invalid": "Must be a JSON object, not {datatype}."}  # noqa: RUF012

    def to_internal_value(self, data: Any) -> Any:
        writable = [name for name, field in self.fields.items() if not field.read_only]
        if isinstance(data, dict) and (unknown := [name for name in data if name not in self.fields]):
            raise serializers.ValidationError(
                {str(name)[:100]: [no_such_field(str(name), writable)] for name in unknown[:10]}
            )
        return super().to_internal_value(data)


class ClosedBody(OpenApiSerializerExtension):
    """Says in the schema that such a body has no other fields."""

    target_class = RequestSerializer
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: str) -> Any:
        # As the generator's own extensions do: there is no public way.
        schema = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)  # noqa: SLF001
        return {**schema, "additionalProperties": False} if direction == "request" else schema
