"""Database work of the feed, each kind in a thread of its own that keeps its connection."""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from django.db import DatabaseError, InterfaceError, connections
from django.db.backends.base.base import BaseDatabaseWrapper

T = TypeVar("T")
IDLE_SECONDS = 5.0


def end_idle_transactions(*, connection: BaseDatabaseWrapper, **_: object) -> None:
    """Receiver of `connection_created`: a process that is suspended in a transaction holds no lock for long.

    The feed that takes over writes the same series.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET idle_in_transaction_session_timeout = %s", [round(IDLE_SECONDS * 1000)])


class DatabaseThread:
    """Calls functions one after the other, away from the event loop.

    The thread does not keep the process from ending: what it writes is written whole or not at all.
    """

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    async def run(self, function: Callable[[], T]) -> T:
        """Call a function and wait for what it returns or raises."""
        future: Future[T] = Future()
        self._calls.put((future, function))
        return await asyncio.wrap_future(future)

    def end(self) -> None:
        """End after the calls that are waiting."""
        self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            future, function = call
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = function()
            except BaseException as error:  # noqa: BLE001 (whoever waits gets it)
                if isinstance(error, DatabaseError | InterfaceError):
                    connections.close_all()  # a broken connection is not used again
                with contextlib.suppress(RuntimeError):  # whose loop has gone
                    future.set_exception(error)
            else:
                with contextlib.suppress(RuntimeError):
                    future.set_result(result)
        connections.close_all()
