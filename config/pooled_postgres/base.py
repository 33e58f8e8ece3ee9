"""PostgreSQL for the web server: connections outlive the requests that opened them.

Under ASGI every request has a thread of its own, and Django's connections belong to threads: each request opens one,
for which the server starts a process. After `keep`, one that is closed in good order waits for the next request.
"""

import os
import select
import time
from collections import deque
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.backends.postgresql import base
from psycopg2.extensions import TRANSACTION_STATUS_IDLE

MAX_IDLE_SECONDS = 60.0

_most = 0
# Appending and popping is atomic, so threads need no lock.
_idle: deque[tuple[Any, float]] = deque()


def keep(count: int) -> None:
    """Let so many connections of this process wait from now on; with 0 each is really closed, as Django does."""
    global _most  # noqa: PLW0603 -- one web server in a process
    _most = count
    while len(_idle) > count:
        _idle.pop()[0].close()


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, except for where connections come from and go to."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        while self.alias == DEFAULT_DB_ALIAS and _idle:
            connection, since = _idle.pop()
            if time.monotonic() - since < MAX_IDLE_SECONDS and not _has_news(connection):
                return connection
            connection.close()
        return super().get_new_connection(conn_params)

    def _close(self) -> None:
        connection: Any = self.connection
        if connection is not None and len(_idle) < _most and self._is_in_order(connection):
            _idle.append((connection, time.monotonic()))
        else:
            super()._close()  # pyright: ignore[reportAttributeAccessIssue] -- missing in its stubs

    def _is_in_order(self, connection: Any) -> bool:
        """Whether the next request finds it as if it were new."""
        return (
            self.alias == DEFAULT_DB_ALIAS
            and not self.in_atomic_block
            and not self.errors_occurred
            and not connection.closed
            and connection.info.transaction_status == TRANSACTION_STATUS_IDLE
        )


def _has_news(connection: Any) -> bool:
    """Whether the server has sent something unasked, as it does when it ends or ends the connection."""
    poller = select.poll()
    poller.register(connection.fileno(), select.POLLIN)
    return bool(poller.poll(0))


# A child must not speak on its parent's connections; psycopg2 does not end those of another process when it drops them.
os.register_at_fork(after_in_child=_idle.clear)
