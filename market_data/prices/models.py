"""What is stored of the prices' feed and of users' alerts. Prices themselves are in Redis, see `state`."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone


class FeedLease(models.Model):
    """Which of the feed processes leads, until when, by the database's clock. One row at most."""

    name = models.CharField(max_length=20, unique=True)
    holder = models.CharField(max_length=120, help_text="Host and process.")
    term = models.PositiveBigIntegerField(help_text="Grows with every change of the leader.")
    expires_at = models.DateTimeField()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return f"{self.name}: {self.holder}, term {self.term}"


class Alert(models.Model):
    """What a user wants to be told of a price, once; armed again when the user says so."""

    class Kind(models.TextChoices):
        CROSSES = "crosses"
        MOVES = "moves"

    class Direction(models.TextChoices):
        UP = "up"
        DOWN = "down"
        EITHER = "either"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="price_alerts")
    symbol = models.CharField(max_length=40)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    direction = models.CharField(max_length=10, choices=Direction.choices)
    price = models.FloatField(null=True, help_text="What is crossed.")
    fraction = models.FloatField(null=True, help_text="How far it moves: 0.05 is 5 %.")
    minutes = models.PositiveSmallIntegerField(null=True, help_text="Within how long it moves so far.")
    webhook = models.CharField(max_length=2000, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    armed = models.BooleanField(default=True)
    armed_at = models.DateTimeField(default=timezone.now)
    side = models.SmallIntegerField(null=True, help_text="1 where the last price was above, -1 where below.")
    fired_at = models.DateTimeField(null=True)
    fired_price = models.FloatField(null=True)
    fired_change = models.FloatField(null=True, help_text="By how much it had moved, as a fraction.")
    fired_source = models.CharField(max_length=60, blank=True)
    fired_is_replay = models.BooleanField(default=False)

    owner_id: int

    class Meta:
        ordering = ("-created_at", "id")
        indexes: ClassVar = [models.Index("armed", condition=models.Q(armed=True), name="prices_alert_armed")]

    def __str__(self) -> str:
        return f"{self.symbol} {self.kind} {self.direction}"
