"""Runs, their jobs and events, and the workers that are alive: the only truth about the fan-out."""

from workers.models.access import (
    ApiToken,
    Ticket,
    _default_expiry,  # pyright: ignore[reportPrivateUsage] -- a migration names it
)
from workers.models.deliveries import Delivery
from workers.models.jobs import Event, Job
from workers.models.runs import Run, RunQuerySet
from workers.models.workers import Worker, usual_queues

__all__ = [
    "ApiToken",
    "Delivery",
    "Event",
    "Job",
    "Run",
    "RunQuerySet",
    "Ticket",
    "Worker",
    "_default_expiry",
    "usual_queues",
]
