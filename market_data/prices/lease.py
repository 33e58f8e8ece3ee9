"""Who leads among the feed processes: one row in the database, by the database's clock."""

import os
import socket
from datetime import timedelta

from market_data.prices.models import FeedLease
from workers.clock import database_now

NAME = "prices"


class ReplacedError(Exception):
    """Another feed leads."""


def own_name() -> str:
    """What tells this process from others in the lease."""
    return f"{socket.gethostname()}:{os.getpid()}"[-120:]


def acquire(holder: str, seconds: float) -> int | None:
    """Take the lead if nobody has it: the new term, or None if another one leads.

    Terms are times, so that they rise even if the database was made anew while Redis remembers the last one.
    """
    now = database_now()
    FeedLease.objects.get_or_create(name=NAME, defaults={"holder": "", "term": 0, "expires_at": now})
    row = FeedLease.objects.get(name=NAME)
    if row.expires_at > now:
        return None
    term = max(row.term + 1, round(now.timestamp() * 1000))
    taken = FeedLease.objects.filter(name=NAME, term=row.term, expires_at__lte=now).update(
        holder=holder, term=term, expires_at=now + timedelta(seconds=seconds)
    )
    return term if taken else None


def renew(term: int, seconds: float) -> bool:
    """Go on leading; False if a later term has begun."""
    expires_at = database_now() + timedelta(seconds=seconds)
    return bool(FeedLease.objects.filter(name=NAME, term=term).update(expires_at=expires_at))


def confirm(term: int) -> None:
    """Raise ReplacedError if a later term has begun: what only a leader may store is not stored then.

    Takes no lock. A leader that is suspended while it holds one would keep the next one from taking over; and what
    is stored in the moment after this, a closed candle or a fired alert, is the same whoever stores it.
    """
    if not FeedLease.objects.filter(name=NAME, term=term).exists():
        raise ReplacedError("another feed leads")


def release(term: int) -> None:
    """Stop leading, so that another one need not wait."""
    FeedLease.objects.filter(name=NAME, term=term).update(expires_at=database_now())
