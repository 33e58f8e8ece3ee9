"""The connections that users keep open in this process: WebSockets, streams and polls that wait.

Each counts, and each ends within seconds when what opened it ends: its token or session expires or is deleted, its
user is disabled, deleted or no longer staff. One task looks that up for all of them together.
"""

import asyncio
import logging
import threading
from collections import Counter
from collections.abc import AsyncGenerator, Collection, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from workers import credentials
from workers.credentials import Credential

logger = logging.getLogger(__name__)

RETRY_SECONDS = 10
"""After so long a client that was refused may try again."""
CHECK_EVERY_SECONDS = 2.0
LOGIN_ENDED = "your login, token or ticket is no longer valid"

T = TypeVar("T")


class TooManyConnectionsError(Exception):
    """A user has as many connections open as allowed."""


class LoginEndedError(Exception):
    """What opened a connection is no longer valid."""


class Connection:
    """One connection; `login_ended` is done as soon as what opened it is known to be invalid."""

    def __init__(self, credential: Credential | None) -> None:
        self.credential = credential
        self.login_ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def unless_login_ends(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of some work; without it if the login ends before.

        Raises
        ------
        LoginEndedError
            If the login ends first; the work is cancelled.
        """
        working = asyncio.ensure_future(work)
        try:
            await asyncio.wait({working, self.login_ended}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise LoginEndedError(LOGIN_ENDED)
            return working.result()
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)


_open: Counter[Any] = Counter()
_lock = threading.Lock()


@asynccontextmanager
async def opened(credential: Credential | None) -> AsyncGenerator[Connection]:
    """A connection of a user, from its beginning to its end; nobody's (None) neither count nor end.

    Raises
    ------
    TooManyConnectionsError
        If the user has `CONNECTIONS_PER_USER` already.
    """
    one = Connection(credential)
    if credential is None:
        yield one
        return
    _count(credential.user_id)
    try:
        async with _looked_after(one):
            yield one
    finally:
        _discount(credential.user_id)


def check(user_id: Any) -> None:
    """Raise TooManyConnectionsError if the user may open no further connection now."""
    if count_of(user_id) >= settings.CONNECTIONS_PER_USER:
        raise TooManyConnectionsError(f"You have {count_of(user_id)} connections, as many as a user may.")


def count_of(user_id: Any) -> int:
    """Connections that a user has open."""
    return _open.get(user_id, 0)


def _count(user_id: Any) -> None:
    with _lock:
        check(user_id)
        _open[user_id] += 1


def _discount(user_id: Any) -> None:
    with _lock:
        _open[user_id] -= 1
        if not _open[user_id]:
            del _open[user_id]  # the table is no longer than there are users connected


class _Guard:
    """Looks after the connections of one event loop, as long as there are any."""

    def __init__(self) -> None:
        self.connections: set[Connection] = set()
        self.task = asyncio.create_task(self._check_for_ever())

    async def _check_for_ever(self) -> None:
        while True:
            await asyncio.sleep(CHECK_EVERY_SECONDS)
            asked = {one.credential for one in self.connections if one.credential is not None}
            try:
                valid = await asyncio.get_running_loop().run_in_executor(_checker, _still_valid, asked)
            except (DatabaseError, InterfaceError) as error:  # nobody is let in now, and nobody is sent away
                logger.warning("could not look up who may stay connected: %s", error)
            except Exception:
                logger.exception("could not look up who may stay connected")
            else:
                self._end(asked - valid)

    def _end(self, invalid: Collection[Credential]) -> None:
        for one in self.connections:
            if one.credential in invalid and not one.login_ended.done():
                one.login_ended.set_result(None)


_guards: WeakKeyDictionary[asyncio.AbstractEventLoop, _Guard] = WeakKeyDictionary()
_checker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="credentials")


def _still_valid(asked: Collection[Credential]) -> set[Credential]:
    try:
        return credentials.still_valid(asked)
    finally:
        connection.close()  # used too seldom to be kept


@asynccontextmanager
async def _looked_after(one: Connection) -> AsyncGenerator[None]:
    loop = asyncio.get_running_loop()
    guard = _guards.get(loop)
    if guard is None:
        guard = _guards[loop] = _Guard()
    guard.connections.add(one)
    try:
        yield
    finally:
        guard.connections.discard(one)
        if not guard.connections:
            del _guards[loop]
            guard.task.cancel()
