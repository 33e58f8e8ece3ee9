"""Runs, their jobs and events, and the workers that are alive: the only truth about the fan-out."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import connection, models
from django.utils import timezone

from workers import rows

if TYPE_CHECKING:
    from django.db.models.fields.related_descriptors import RelatedManager


class RunQuerySet(models.QuerySet["Run"]):
    """Runs, and the one lock that every change of a run takes first."""

    def lock(self, run_id: uuid.UUID) -> Run:
        """The run, locked until the transaction ends; other runs, and readers, are not held up.

        The spec is left out: it never changes and may name thousands of symbols.
        """
        text = "SELECT {columns} FROM workers_run WHERE id = %s"
        if connection.features.has_select_for_no_key_update:  # in SQLite the transaction itself is the lock
            text += " FOR NO KEY UPDATE"
        run = rows.fetch(Run, text, [run_id.hex], Run.ALL_BUT_SPEC)
        if run is None:
            raise Run.DoesNotExist(f"there is no run {run_id}")
        return run

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


class Worker(models.Model):
    """One start of a Celery worker; its parent process renews the row every second."""

    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    slots = models.PositiveIntegerField(help_text="Jobs it can execute at once.")
    pool_pids = models.JSONField(
        default=list, help_text="Processes of its pool that were alive at `seen_at`."
    )
    started_at = models.DateTimeField(help_text="By the database's clock, as is `seen_at`.")
    seen_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-seen_at"]

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"


def _default_expiry() -> datetime:
    return timezone.now() + timedelta(days=90)


class ApiToken(models.Model):
    """A user's key to the API; only its hash is stored, so it is shown once."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100, blank=True)
    hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(default=_default_expiry)

    def __str__(self) -> str:
        return f"{self.name or 'token'} of {self.owner}"

    @staticmethod
    def hash_of(secret: str) -> str:
        """A secret of 256 random bits needs no salt and no slow hash."""
        return hashlib.sha256(secret.encode()).hexdigest()

    @classmethod
    def issue(cls, *, owner: Any, name: str = "", days: int = 90) -> str:
        """Create a token and return its secret, which can't be read again."""
        secret = secrets.token_urlsafe(32)
        expires_at = timezone.now() + timedelta(days=days)
        cls.objects.create(owner=owner, name=name, hash=cls.hash_of(secret), expires_at=expires_at)
        return secret
