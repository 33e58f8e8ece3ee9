"""What is deleted when it is of no more use to anyone."""

from datetime import timedelta

from workers.clock import database_now
from workers.models import Worker

WORKERS_KEPT = timedelta(days=1)


def forget_dead_workers() -> None:
    """Delete the rows of workers that have not been seen for a day."""
    Worker.objects.filter(seen_at__lt=database_now() - WORKERS_KEPT).delete()
