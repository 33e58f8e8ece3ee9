"""Runs: one row for each request of a user, which is locked first by everything that changes the run."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import connection, models
from django.utils import timezone

from workers import rows

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager

    from workers.models.jobs import Job


class RunQuerySet(models.QuerySet["Run"]):
    """Runs, and the one lock that every change of a run takes first."""

    def lock(self, run_id: uuid.UUID) -> Run:
        """The run, locked until the transaction ends; other runs, and readers, are not held up.

        The spec and whom to notify are left out: neither changes, and a spec may name thousands of symbols.
        """
        text = "SELECT {columns} FROM workers_run WHERE id = %s"
        if self._rows_are_locked():
            text += " FOR NO KEY UPDATE"
        run = rows.fetch(Run, text, [run_id.hex], Run.ALL_BUT_SPEC)
        if run is None:
            raise Run.DoesNotExist(f"there is no run {run_id}")
        return run

    def lock_with_job(self, run_id: uuid.UUID, job_id: int) -> tuple[Run, str]:
        """The run, locked, and the status of one of its jobs.

        Two statements: one alone could wait for the lock, and then tell the job's status of before.
        """
        if self._rows_are_locked():
            rows.later("SELECT 1 FROM workers_run WHERE id = %s FOR NO KEY UPDATE", [run_id.hex])
        text = """SELECT {columns}, workers_job.status FROM workers_run
                    JOIN workers_job ON workers_job.run_id = workers_run.id
                   WHERE workers_run.id = %s AND workers_job.id = %s"""
        found = rows.fetch_with_more(Run, text, [run_id.hex, job_id], Run.ALL_BUT_SPEC)
        if found is None:
            raise Run.DoesNotExist(f"there is no run {run_id} with a job {job_id}")
        run, (status,) = found
        return run, status

    def _rows_are_locked(self) -> bool:
        """Not in SQLite, where the transaction itself is the lock."""
        return connection.features.has_select_for_no_key_update

    def visible_to(self, user: Any) -> RunQuerySet:
        """Runs that a user may see: their own, or all for staff."""
        return self if user.is_staff else self.filter(owner=user)


class Run(models.Model):
    """One request of a user, carried out as jobs."""

    class Status(models.TextChoices):
        RUNNING = "running"
        PAUSED = "paused"
        COMPLETED = "completed"
        STOPPED = "stopped"
        FAILED = "failed"

    class Reason(models.TextChoices):
        FINISHED = "finished"
        STOPPED = "stopped"
        MAX_HITS = "max_hits"
        TIMEOUT = "timeout"
        MAX_FAILURES = "max_failures"
        ERROR = "error"

    class Priority(models.TextChoices):
        NORMAL = "normal"
        HIGH = "high"

    ACTIVE: ClassVar = (Status.RUNNING, Status.PAUSED)
    ALL_BUT_SPEC: ClassVar = (
        "id",
        "owner_id",
        "kind",
        "status",
        "reason",
        "error",
        "summary",
        "max_parallel",
        "priority",
        "hit",
        "max_hits",
        "max_failures",
        "timeout_seconds",
        "total",
        "succeeded",
        "failed",
        "cancelled",
        "hits",
        "in_flight",
        "last_seq",
        "created_at",
        "ended_at",
        "paused_at",
        "paused_seconds",
    )

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="runs")
    kind = models.CharField(max_length=32)
    spec = models.JSONField(help_text="The request, with every default filled in; never changes.")
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.RUNNING)
    reason = models.CharField(max_length=16, choices=Reason.choices, blank=True)
    error = models.TextField(blank=True)
    summary = models.JSONField(null=True, blank=True)
    max_parallel = models.PositiveIntegerField(
        null=True, blank=True, help_text="Most jobs in flight at once; empty: as many as the workers can use."
    )

    priority = models.CharField(max_length=8, choices=Priority.choices, default=Priority.NORMAL)
    hit = models.CharField(
        max_length=500, blank=True, help_text="Predicate over metrics: a result that satisfies it is a hit."
    )
    max_hits = models.PositiveIntegerField(null=True, blank=True)
    max_failures = models.PositiveIntegerField(null=True, blank=True)
    timeout_seconds = models.FloatField(null=True, blank=True, help_text="Pauses don't count.")
    retry_of = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="retries"
    )
    idempotency_key = models.CharField(max_length=100, null=True, blank=True)  # noqa: DJ001 -- null is never equal
    request_digest = models.CharField(max_length=64, blank=True, help_text="Of the body sent with the key.")
    notify = models.JSONField(
        default=dict,
        blank=True,
        help_text="Whom to tell of its end: `webhook` (an address), `email` (yes or no).",
    )

    total = models.PositiveIntegerField()
    succeeded = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    cancelled = models.PositiveIntegerField(default=0)
    hits = models.PositiveIntegerField(default=0)
    in_flight = models.PositiveIntegerField(default=0, help_text="Jobs dispatched or running now.")
    last_seq = models.PositiveIntegerField(default=0)

    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_seconds = models.FloatField(default=0.0)

    objects: ClassVar[RunQuerySet] = RunQuerySet.as_manager()  # pyright: ignore[reportAssignmentType]
    jobs: RelatedManager[Job]
    retry_of_id: uuid.UUID | None
    owner_id: int

    class Meta:
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "idempotency_key"], name="workers_run_idempotency")
        ]
        indexes: ClassVar = [
            models.Index(fields=["owner", "-created_at"]),
            models.Index(fields=["status"], condition=models.Q(status="running"), name="workers_run_running"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"

    @property
    def has_ended(self) -> bool:
        return self.status not in self.ACTIVE

    @property
    def completed(self) -> int:
        """Jobs that have an outcome, good or bad."""
        return self.succeeded + self.failed

    @property
    def pending(self) -> int:
        """Jobs that wait to be dispatched."""
        return self.total - self.completed - self.cancelled - self.in_flight

    def elapsed_seconds(self, now: datetime) -> float:
        """Time the run has been under way, without its pauses."""
        until = self.ended_at or self.paused_at or now
        return max((until - self.created_at).total_seconds() - self.paused_seconds, 0.0)
