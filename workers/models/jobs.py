"""What belongs to a run: its jobs, and the events that tell of it."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models

from workers.models.runs import Run


class Job(models.Model):
    """One share of a run, mostly one cryptocurrency, named by an opaque key."""

    class Status(models.TextChoices):
        PENDING = "pending"
        DISPATCHED = "dispatched"
        RUNNING = "running"
        SUCCEEDED = "succeeded"
        FAILED = "failed"
        CANCELLED = "cancelled"

    UNFINISHED: ClassVar = (Status.PENDING, Status.DISPATCHED, Status.RUNNING)
    IN_FLIGHT: ClassVar = (Status.DISPATCHED, Status.RUNNING)

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="jobs", db_index=False)
    key = models.CharField(max_length=64)
    position = models.IntegerField(help_text="Jobs of a run are dispatched in this order.")
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.PENDING)
    attempt = models.PositiveSmallIntegerField(default=0, help_text="How often a worker has begun it.")
    deliveries = models.PositiveSmallIntegerField(
        default=0, help_text="Messages sent for it since its dispatch."
    )
    redeliver_at = models.DateTimeField(null=True, blank=True)
    worker = models.ForeignKey(
        "Worker", null=True, blank=True, on_delete=models.SET_NULL, db_constraint=False, db_index=False
    )
    pid = models.PositiveIntegerField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    elapsed_ms = models.FloatField(null=True, blank=True)
    error = models.TextField(blank=True)

    run_id: uuid.UUID
    worker_id: int | None

    class Meta:
        ordering: ClassVar = ["run", "position"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "key"], name="workers_job_key")]
        indexes: ClassVar = [
            models.Index(
                fields=["run", "position"], condition=models.Q(status="pending"), name="workers_job_pending"
            ),
            models.Index(
                fields=["redeliver_at"],
                condition=models.Q(status="dispatched"),
                name="workers_job_dispatched",
            ),
            models.Index(fields=["worker"], condition=models.Q(status="running"), name="workers_job_running"),
        ]

    def __str__(self) -> str:
        return f"{self.key} of {self.run_id}"


class Event(models.Model):
    """One stored fact about a run; `body` is the exact JSON that every transport sends."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="events", db_index=False)
    seq = models.PositiveIntegerField()
    type = models.CharField(max_length=16)
    body = models.TextField()
    run_id: uuid.UUID

    class Meta:
        ordering: ClassVar = ["run", "seq"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "seq"], name="workers_event_seq")]

    def __str__(self) -> str:
        return f"{self.seq} {self.type}"
