"""The floor that a run is compared with: a task that does nothing."""

from celery import shared_task
from django.conf import settings
from redis import Redis

FINISHED_KEY = "benchmark-finished"


@shared_task(ignore_result=True)
def do_nothing(*, is_last: bool = False) -> None:
    """Nothing; the last of a series says that it is over."""
    if is_last:
        Redis.from_url(settings.REDIS_URL).rpush(FINISHED_KEY, 1)
