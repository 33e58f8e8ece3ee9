"""What a client may say over a WebSocket: stop, pause, resume, prioritise."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from workers import control
from workers.models import Run

MAX_BYTES = 64 * 1024


class InvalidCommandError(ValueError):
    """A message that is no command; says what would be."""


class _Command(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Stop(_Command):
    """End the run now."""

    type: Literal["stop"]


class Pause(_Command):
    """Dispatch nothing more until the run is resumed."""

    type: Literal["pause"]


class Resume(_Command):
    """Go on with a paused run."""

    type: Literal["resume"]


class Prioritise(_Command):
    """Do these jobs next, in this order."""

    type: Literal["prioritise"]
    keys: list[Annotated[str, Field(max_length=64)]] = Field(min_length=1, max_length=10_000)


Command = Stop | Pause | Resume | Prioritise
_adapter: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="type")])


def parse(text: str | None) -> Command:
    """The command that a text frame holds.

    Raises
    ------
    InvalidCommandError
        If it is too long, not JSON, or not of a command's form.
    """
    if text is None:
        raise InvalidCommandError("commands are text frames of JSON")
    if len(text.encode()) > MAX_BYTES:
        raise InvalidCommandError(f"a command has at most {MAX_BYTES:,} bytes")
    try:
        return _adapter.validate_json(text)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in problem["loc"])
        raise InvalidCommandError(f"{place}: {problem['msg']}" if place else problem["msg"]) from error


def carry_out(command: Command, *, run_id: UUID) -> dict[str, Any]:
    """Do what is asked; the reply with the state it left."""
    match command:
        case Stop():
            run = control.stop_run(run_id=run_id)
        case Pause():
            run = control.pause_run(run_id=run_id)
        case Resume():
            run = control.resume_run(run_id=run_id)
        case Prioritise():
            run = control.prioritise_jobs(run_id=run_id, keys=command.keys)
    return _reply(command, run)


def _reply(command: Command, run: Run) -> dict[str, Any]:
    return {"type": "reply", "to": command.type, "status": run.status}
