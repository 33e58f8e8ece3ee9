"""Rings: the hint on the channel layer that a run has new events. Losing one costs a second, never an event."""

import asyncio
import logging
import os
import threading
from typing import TYPE_CHECKING, Any
from uuid import UUID

from channels.layers import get_channel_layer

if TYPE_CHECKING:
    from workers.events import RunEvent

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 * 1024
MAX_UNSENT = 1000


def group_of(run_id: UUID) -> str:
    """The channel-layer group of a run's watchers."""
    return f"run-{run_id}"


def ring(run_id: UUID, events: "list[RunEvent]") -> None:
    """Tell a run's watchers about committed events; returns at once, and drops the ring if Redis is away."""
    body = [[event.seq, event.json, event.is_last] for event in events]
    if sum(len(event.json) for event in events) > MAX_BODY_BYTES:
        body = []  # a ring without a body makes the feeds read the table
    _sender().send(group_of(run_id), {"type": "ring", "events": body})


class _Sender:
    """An event loop in a thread of its own: `async_to_sync` would open a connection for every ring."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._room = threading.BoundedSemaphore(MAX_UNSENT)
        threading.Thread(target=self._loop.run_forever, name="rings", daemon=True).start()

    def send(self, group: str, message: dict[str, Any]) -> None:
        if self._room.acquire(blocking=False):
            asyncio.run_coroutine_threadsafe(self._send(group, message), self._loop)

    async def _send(self, group: str, message: dict[str, Any]) -> None:
        layer = get_channel_layer()
        assert layer is not None, "CHANNEL_LAYERS has no default"
        try:
            await layer.group_send(group, message)
        except Exception as error:  # noqa: BLE001 -- whatever Redis raises, the table has the event
            logger.warning("could not ring %s: %s", group, error)
        finally:
            self._room.release()


_senders: dict[int, _Sender] = {}
_lock = threading.Lock()


def _sender() -> _Sender:
    """This process's sender: threads don't survive a fork, so a child makes its own."""
    pid = os.getpid()
    with _lock:
        if pid not in _senders:
            _senders.clear()
            _senders[pid] = _Sender()
        return _senders[pid]


os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)
