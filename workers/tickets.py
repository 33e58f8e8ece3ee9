"""One-time tickets: how a page of another origin, which has no session here, opens a WebSocket."""

import secrets
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from workers import credentials
from workers.credentials import Credential
from workers.models import ApiToken, Ticket

VALID_SECONDS = 30
MAX_PER_USER = 100
"""Unused tickets of one user; a further one takes the place of the oldest."""


@transaction.atomic
def issue(*, owner: Any, credential: Credential | None = None) -> tuple[str, datetime]:
    """Make a ticket; its secret, which can't be read again, and when it expires.

    What it opens ends with the `credential` that it was asked for with.
    """
    secret = secrets.token_urlsafe(32)
    expires_at = timezone.now() + timedelta(seconds=VALID_SECONDS)
    unused = Ticket.objects.filter(owner=owner).order_by("-expires_at").values_list("pk", flat=True)
    Ticket.objects.filter(pk__in=list(unused[MAX_PER_USER - 1 :])).delete()
    made_with = asdict(credential or credentials.of_session(owner, None))
    Ticket.objects.create(
        owner=owner, hash=ApiToken.hash_of(secret), expires_at=expires_at, made_with=made_with
    )
    return secret, expires_at


@transaction.atomic
def redeem(secret: str) -> tuple[Any, Credential] | None:
    """The owner of a ticket that is valid, and what it was made with; it is valid no more from now on.

    Of two who bring it at once, one is let in.
    """
    ticket = Ticket.objects.select_related("owner").filter(hash=ApiToken.hash_of(secret)).first()
    if ticket is None or not Ticket.objects.filter(pk=ticket.pk).delete()[0]:
        return None
    if ticket.expires_at <= timezone.now() or not ticket.owner.is_active:
        return None
    return ticket.owner, Credential(**ticket.made_with)


def prune() -> None:
    """Delete what has expired."""
    Ticket.objects.filter(expires_at__lt=timezone.now()).delete()
