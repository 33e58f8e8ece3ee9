import logging
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from workers import scheduler

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    """Take the periodic steps of all apps until SIGTERM or SIGINT."""

    help = "Run the periodic steps of all apps: the sweeper, retention, scheduled runs."

    def handle(self, *args: Any, **options: Any) -> None:
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        logger.info("scheduler started")
        scheduler.run_until(stopped)
