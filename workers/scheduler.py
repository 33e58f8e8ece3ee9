"""The scheduler: a plain process that takes periodic steps, also while Redis is away."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.db import connections

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Step:
    """A function that is called every so often."""

    name: str
    every_seconds: float
    function: Callable[[], object]
    next_at: float = field(default=0.0)


_steps: dict[str, Step] = {}


def register_step(name: str, every_seconds: float, function: Callable[[], object]) -> None:
    """Have the scheduler call `function` periodically; called from an AppConfig's `ready`."""
    _steps[name] = Step(name, every_seconds, function)


def run_until(stopped: threading.Event) -> None:
    """Take each step when it is due, until `stopped` is set."""
    while not stopped.is_set():
        for step in _steps.values():
            if time.monotonic() >= step.next_at and not stopped.is_set():
                take(step)
                step.next_at = time.monotonic() + step.every_seconds
        stopped.wait(_seconds_to_next())


def take(step: Step) -> None:
    """Take one step; a failure is logged and does not keep the others from theirs."""
    try:
        step.function()
    except Exception:
        logger.exception("step %s failed; it is taken again in %s s", step.name, step.every_seconds)
        connections.close_all()


def _seconds_to_next() -> float:
    now = time.monotonic()
    return max(min((step.next_at for step in _steps.values()), default=now + 1.0) - now, 0.0)
