"""The database's clock: the one that all hosts share."""

from datetime import UTC, datetime

from django.db import connection
from django.utils import timezone


def database_now() -> datetime:
    """The time now as the database tells it; with SQLite every process shares the host's clock."""
    if connection.vendor == "sqlite":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone() or (timezone.now(),)
    assert isinstance(now, datetime)
    return now.astimezone(UTC)
