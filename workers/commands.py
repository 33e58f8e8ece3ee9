"""What a client may say over a WebSocket: stop, pause, resume, prioritise."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, TypeAdapter

from workers import control
from workers.messages import Message, parse_message
from workers.models import Run


class Stop(Message):
    """End the run now."""

    type: Literal["stop"]


class Pause(Message):
    """Dispatch nothing more until the run is resumed."""

    type: Literal["pause"]


class Resume(Message):
    """Go on with a paused run."""

    type: Literal["resume"]


class Prioritise(Message):
    """Do these jobs next, in this order."""

    type: Literal["prioritise"]
    keys: list[Annotated[str, Field(max_length=64)]] = Field(min_length=1, max_length=10_000)


Command = Stop | Pause | Resume | Prioritise
_form: TypeAdapter[Command] = TypeAdapter(Annotated[Command, Field(discriminator="type")])


def parse(text: str | None) -> Command:
    """The command that a text frame holds.

    Raises
    ------
    InvalidMessageError
        If it is too long, not JSON, or not of a command's form.
    """
    return parse_message(text, _form)


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
