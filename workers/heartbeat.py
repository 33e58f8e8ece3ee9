"""Heartbeats: each worker's parent process says every second which of its pool processes are alive.

A job's holder is alive while its worker's heartbeat is fresh and lists its pid. So a killed child is
noticed with the next heartbeat, a killed worker when its heartbeat is too old, and a long job needs no lease.
"""

import logging
import os
import socket
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, InterfaceError, connection, connections

from workers.clock import database_now
from workers.models import Worker

logger = logging.getLogger(__name__)

PERIOD_SECONDS = 1.0
FRESH_SECONDS = 5.0

_worker_id: int | None = None


def worker_id() -> int | None:
    """The Worker row of this process's worker; None outside a worker."""
    return _worker_id


def live_slots() -> dict[str, int]:
    """Jobs that all live workers can execute at once, by the queues that they serve."""
    oldest = database_now() - timedelta(seconds=FRESH_SECONDS)
    slots: Counter[str] = Counter()
    for worker in Worker.objects.filter(seen_at__gte=oldest, stopped_at=None).only("queues", "slots"):
        slots.update(dict.fromkeys(worker.queues, worker.slots))
    return slots


class Heartbeat:
    """Renews one worker's row from a thread of the worker's parent process."""

    def __init__(self, *, slots: int, queues: Sequence[str]) -> None:
        self._slots = slots
        self._queues = list(queues)
        self._pool_pids: Callable[[], list[int]] = list
        self._stopped = threading.Event()
        # The pool forks from the parent at any moment; no fork may happen while this thread uses a database
        # connection, whose locks and socket the child would inherit in an unknown state.
        self._no_fork = threading.Lock()

    def register(self) -> None:
        """Insert the row; before the pool is forked, so that every child knows its worker's id."""
        global _worker_id  # noqa: PLW0603 -- one worker in a process, and children inherit it
        now = database_now()
        row = Worker(
            host=socket.gethostname(), pid=os.getpid(), slots=self._slots, queues=self._queues,
            started_at=now, seen_at=now,
        )  # fmt: skip
        row.save(force_insert=True)
        _worker_id = row.pk
        connections.close_all()
        os.register_at_fork(
            before=self._no_fork.acquire,
            after_in_parent=self._no_fork.release,
            after_in_child=self._no_fork.release,
        )

    def start(self, pool_pids: Callable[[], list[int]]) -> None:
        """Begin to beat; `pool_pids` lists the live processes of the pool."""
        self._pool_pids = pool_pids
        threading.Thread(target=self._beat_until_stopped, name="heartbeat", daemon=True).start()

    def stop(self) -> None:
        """Say that this worker has ended, so that nobody waits for its heartbeat."""
        self._stopped.set()
        self._guarded(self._say_stopped)

    def _beat_until_stopped(self) -> None:
        while not self._stopped.is_set():
            self._guarded(self._beat)
            self._stopped.wait(PERIOD_SECONDS)

    def _guarded(self, write: Callable[[], Any]) -> None:
        with self._no_fork:
            try:
                write()
            except (DatabaseError, InterfaceError) as error:
                logger.warning("heartbeat could not be written: %s", error)
            finally:
                connection.close()

    def _beat(self) -> None:
        # The clock first: a child forked after the pids were read has claimed nothing before `seen_at`.
        seen_at = database_now()
        Worker.objects.filter(pk=_worker_id).update(
            seen_at=seen_at, pool_pids=self._pool_pids(), slots=self._slots
        )

    def _say_stopped(self) -> None:
        Worker.objects.filter(pk=_worker_id).update(stopped_at=database_now())
