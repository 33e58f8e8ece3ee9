"""`kill -9` of a process at a random point of its work, which no clock chooses.

A kill after so many seconds falls into the work only where the work takes as long as it took once: a first time fills
caches, and a busy machine is slower. Here the process tells when it has come to a statement, and waits before the next
one: the kill falls anywhere around that statement or into the commit after it, however fast the machine is.

`KILLS=30 make test TESTS="market_data/tests/test_kills.py market_data/tests/exchanges/test_kills.py"` kills more often.
"""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from django.db import connection, connections

KILLS = int(os.environ.get("KILLS", "10"))
LONGEST_PAUSE_SECONDS = 0.003
"""From the statement's begin to the kill: about what a statement and its commit take."""
ALIVE = 4_711
"""The advisory lock that says that a killed process's connection is still served."""


class Statement(Protocol):
    """What Django calls instead of a statement of SQL."""

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any: ...


def kill_at_random(work: Callable[[], object], *, seed: int) -> Iterator[None]:
    """Do something once, unharmed; then `KILLS` times in processes that are killed in the middle.

    Yields after each, when nothing of it goes on any more. The work that is killed may need less than the first
    one: then some of the kills come after its end.
    """
    count = statements_of(work)
    dice = random.Random(seed)
    yield
    for _ in range(KILLS):
        _kill(work, at=dice.randrange(count), pause_seconds=dice.uniform(0, LONGEST_PAUSE_SECONDS))
        yield


def statements_of(work: Callable[[], object]) -> int:
    """Do something, and count its statements of SQL."""
    count = 0

    def counting(execute: Callable[..., Any], *arguments: Any) -> Any:
        nonlocal count
        count += 1
        return execute(*arguments)

    with connection.execute_wrapper(counting):
        work()
    return count


def _kill(work: Callable[[], object], *, at: int, pause_seconds: float) -> None:
    """Kill the work in a process of its own at a statement, or after its end where it comes to none such."""
    connections.close_all()  # a connection is not to be shared
    hear, tell = os.pipe()
    child = os.fork()
    if not child:
        _work_until(work, at, tell)
    os.close(tell)
    os.read(hear, 1)  # also returns when the process has ended
    time.sleep(pause_seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(hear)
    _wait_for_its_connection()


def _work_until(work: Callable[[], object], at: int, tell: int) -> None:
    """Tell when the statement of that number begins, and never begin another. Does not return."""
    try:
        if connection.vendor == "postgresql":
            connection.cursor().execute("SELECT pg_advisory_lock_shared(%s)", [ALIVE])
        with connection.execute_wrapper(_telling(at, tell)):
            work()
    finally:
        os._exit(0)


def _telling(at: int, tell: int) -> Statement:
    begun = 0

    def step(execute: Callable[..., Any], *arguments: Any) -> Any:
        nonlocal begun
        if begun == at:
            os.write(tell, b".")
        elif begun > at:
            signal.pause()
        begun += 1
        return execute(*arguments)

    return step


def _wait_for_its_connection() -> None:
    """PostgreSQL ends a statement, and even commits, though nobody waits for it any more."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s), pg_advisory_unlock(%s)", [ALIVE, ALIVE])
