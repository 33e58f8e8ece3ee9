"""Ending asyncio tasks for good."""

import asyncio
from collections.abc import Iterable
from typing import Any

AGAIN_SECONDS = 0.05


async def cancel(tasks: "Iterable[asyncio.Task[Any]]") -> None:
    """Cancel tasks until all have ended.

    Once is not enough: redis-py, among others, swallows a cancellation that reaches it while it connects.
    """
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=AGAIN_SECONDS)


def raise_if_cancelled() -> None:
    """Raise the cancellation of the running task if something has swallowed it."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
