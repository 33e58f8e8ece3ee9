"""The workers that are alive, as their heartbeats tell."""

from typing import ClassVar

from django.db import models


def usual_queues() -> list[str]:
    """What a worker serves that says nothing else."""
    return ["first", "jobs"]


class Worker(models.Model):
    """One start of a Celery worker; its parent process renews the row every second."""

    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    slots = models.PositiveIntegerField(help_text="Jobs it can execute at once.")
    queues = models.JSONField(
        default=usual_queues, help_text="Those that it serves, the first of them first."
    )
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
