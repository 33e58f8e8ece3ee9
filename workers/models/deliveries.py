"""Notifications on their way."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from workers.models.runs import Run


class Delivery(models.Model):
    """A notification on its way to a user: a webhook or an e-mail, sent until it arrives or has failed for good."""

    class Via(models.TextChoices):
        WEBHOOK = "webhook"
        EMAIL = "email"

    class Status(models.TextChoices):
        WAITING = "waiting"
        DELIVERED = "delivered"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="deliveries")
    run = models.ForeignKey(Run, null=True, blank=True, on_delete=models.CASCADE, related_name="deliveries")
    via = models.CharField(max_length=8, choices=Via.choices)
    address = models.CharField(max_length=2000)
    event = models.CharField(max_length=64)
    body = models.TextField(help_text="Of a webhook the exact bytes that are signed; of an e-mail its text.")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    answer = models.CharField(max_length=300, blank=True, help_text="What became of the last attempt.")
    due_at = models.DateTimeField(default=timezone.now, help_text="When it is tried next.")
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    owner_id: int
    run_id: uuid.UUID | None

    class Meta:
        verbose_name_plural = "deliveries"
        ordering: ClassVar = ["-created_at"]
        indexes: ClassVar = [
            models.Index(
                fields=["due_at"], condition=models.Q(status="waiting"), name="workers_delivery_waiting"
            )
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.address}"
