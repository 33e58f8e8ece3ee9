"""What users come with instead of a password."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone


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


class Ticket(models.Model):
    """Opens one WebSocket for its owner, once and soon; only its hash is stored."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tickets")
    hash = models.CharField(max_length=64, unique=True, editable=False)
    expires_at = models.DateTimeField()
    made_with = models.JSONField(help_text="What its owner was let in with; see `workers.credentials`.")

    def __str__(self) -> str:
        return f"ticket of {self.owner}"
