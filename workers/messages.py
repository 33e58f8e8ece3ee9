"""What clients may say over a WebSocket: JSON in text frames, checked against a schema."""

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

MAX_MESSAGE_BYTES = 64 * 1024
"""The server's `--ws-max-size` cuts off a larger one while it comes in; this holds where that is not set."""

M = TypeVar("M")


class InvalidMessageError(ValueError):
    """A message of no known form; says what is wrong with it."""


class Message(BaseModel):
    """Base of the messages: a field that is not known is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def parse_message(text: str | None, form: TypeAdapter[M]) -> M:
    """The message in a frame; None stands for a frame that is not text.

    Raises
    ------
    InvalidMessageError
        If it is too long, not JSON, or not of a message's form.
    """
    if text is None:
        raise InvalidMessageError("messages are text frames of JSON")
    if len(text.encode()) > MAX_MESSAGE_BYTES:
        raise InvalidMessageError(f"a message has at most {MAX_MESSAGE_BYTES:,} bytes")
    try:
        return form.validate_json(text)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in problem["loc"])
        raise InvalidMessageError(f"{place}: {problem['msg']}" if place else problem["msg"]) from error
