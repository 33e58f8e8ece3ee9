"""What a kind of run must know so that this app can carry it out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

Spec = dict[str, Any]
"""A run's request as JSON, with every default filled in."""


class JobError(Exception):
    """The input of a job is at fault (no candles, an impossible setting): it fails at once, with this reason."""


class InvalidSpecError(Exception):
    """A request that can't be planned; `errors` holds a list of messages for each field."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__("; ".join(f"{field}: {' '.join(messages)}" for field, messages in errors.items()))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class PlannedJob:
    """A share of a run; `known` is its outcome if it exists already and need not be computed again."""

    key: str
    known: Any = None


@dataclass(frozen=True, slots=True)
class FinishedJob:
    """An outcome that is about to be recorded.

    Attributes
    ----------
    job_id : int
        The job that has it.
    outcome : Any
        The handler's own value.
    seq : int
        Number of the event that will announce it.
    hit : bool or None
        Whether it satisfies the run's predicate; None if the run has none.
    """

    job_id: int
    outcome: Any
    seq: int
    hit: bool | None


class JobHandler(Protocol):
    """One kind of run. `Any` stands for the handler's own outcome type, which this app only passes on."""

    kind: str
    metric_names: frozenset[str]
    queue: str | None
    """The queue of its jobs where they take minutes, for workers of their own; None: the usual ones."""

    def warm_up(self) -> None:
        """Load and compile what jobs need; called once in a worker before its pool is forked."""
        ...

    def plan(self, spec: Spec, *, owner: Any) -> Sequence[PlannedJob]:
        """Jobs of a user's run in the order of their priority. Raises InvalidSpecError."""
        ...

    def execute(self, spec: Spec, key: str) -> Any:
        """Do the work of one job, outside any transaction. Raises JobError if the input is at fault."""
        ...

    def store(self, outcome: Any) -> None:
        """Write what belongs to no run; inside the completing transaction, before the run is locked."""
        ...

    def record(self, finished: Sequence[FinishedJob], *, cached: bool) -> list[dict[str, Any]]:
        """Link outcomes to their jobs, inside the completing transaction; returns each result event's fields.

        `cached` tells that the outcomes were known when the run was planned.
        """
        ...

    def metrics(self, outcome: Any) -> Mapping[str, float | None]:
        """The metrics of an outcome that predicates may use: all of `metric_names`, None where undefined."""
        ...

    def retry_spec(self, spec: Spec, keys: Sequence[str]) -> Spec:
        """The spec of a run that does only these jobs of another again."""
        ...

    def summarise(self, run_id: UUID) -> dict[str, Any]:
        """The run's summary from what has been recorded, inside the transaction that ends it."""
        ...

    def links(self, run_id: UUID) -> dict[str, str]:
        """Paths of what this kind of run offers beyond what every run does, by name."""
        ...


_handlers: dict[str, JobHandler] = {}


def register(handler: JobHandler) -> None:
    """Offer a kind of run; called from an AppConfig's `ready`."""
    _handlers[handler.kind] = handler


def find(kind: str) -> JobHandler:
    """The handler of a kind. Raises KeyError for a kind that no app registered."""
    return _handlers[kind]


def all_handlers() -> list[JobHandler]:
    """Every registered handler."""
    return list(_handlers.values())
