"""Feeds: one per watched run and web process, so that a hundred watchers cost one subscription and one reader.

The table of events is the truth. A feed passes on a ringing event when its number is the next one, and
reads the table on a gap, on a ring without a body, and every second while the run is under way: a lost
last event leaves no gap to notice.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from channels.layers import get_channel_layer
from django.db import DatabaseError, InterfaceError, connection

from workers import events, rings
from workers.events import RunEvent

logger = logging.getLogger(__name__)

READ_EVERY_SECONDS = 1.0
QUEUE_LENGTH = 1000
"""Events that wait for one watcher; one that is further behind reads the table instead."""
READERS = 4
CANCEL_EVERY_SECONDS = 0.05

_readers = ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="feed-reader")


async def follow(run_id: UUID, *, after: int = 0) -> AsyncGenerator[RunEvent]:
    """Every event of a run with `seq > after`, in order, none lost or doubled, until the last one."""
    async with _watch(run_id) as (feed, watcher):
        while True:
            # The watcher listens already: what is committed from now on waits in its queue.
            async for event in _stored(run_id, after):
                yield event
                if event.is_last:
                    return
                after = event.seq
            feed.start_at(after)
            while (event := await watcher.next_event()) is not None and event.seq <= after + 1:
                if event.seq == after + 1:
                    yield event
                    if event.is_last:
                        return
                    after = event.seq


async def wait_for_events(run_id: UUID, *, after: int, seconds: float) -> list[RunEvent]:
    """Events after a number; if there are none yet, wait that long for the next. Up to one page."""
    if page := await read(run_id, after=after):
        return page
    follower = follow(run_id, after=after)
    try:
        async with asyncio.timeout(seconds):
            await anext(follower, None)
    except TimeoutError:
        return []
    finally:
        await follower.aclose()
    return await read(run_id, after=after)


async def _stored(run_id: UUID, after: int) -> AsyncIterator[RunEvent]:
    """Events in the table after a number, page by page."""
    while page := await read(run_id, after=after):
        for event in page:
            yield event
        after = page[-1].seq
        if len(page) < events.PAGE_SIZE:
            return


async def read(run_id: UUID, *, after: int) -> list[RunEvent]:
    """Stored events from a thread that keeps its database connection; tried again while the database is away."""
    while True:
        try:
            return await asyncio.get_running_loop().run_in_executor(_readers, _read, run_id, after)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("could not read events of %s: %s", run_id, error)
            await asyncio.sleep(READ_EVERY_SECONDS)


def _read(run_id: UUID, after: int) -> list[RunEvent]:
    try:
        return events.read(run_id, after=after)
    except (DatabaseError, InterfaceError):
        connection.close()  # a broken connection is not used again
        raise


class Watcher:
    """One follower's bounded queue on a feed."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[RunEvent] = asyncio.Queue(QUEUE_LENGTH)
        self._overflowed = False

    def put(self, event: RunEvent) -> None:
        """Queue an event; if there is no room, drop them all: the table has them."""
        if self._queue.full():
            self._overflowed = True
            while not self._queue.empty():
                self._queue.get_nowait()
        self._queue.put_nowait(event)

    async def next_event(self) -> RunEvent | None:
        """The next event; None after an overflow, when the table must be read."""
        event = await self._queue.get()
        if self._overflowed:
            self._overflowed = False
            return None
        return event


class _Feed:
    """Passes a run's new events on to its watchers."""

    def __init__(self, run_id: UUID) -> None:
        self.run_id = run_id
        self.watchers: set[Watcher] = set()
        self._last_seq: int | None = None
        self._rings: asyncio.Queue[list[RunEvent]] = asyncio.Queue(QUEUE_LENGTH)
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._pass_on())]

    def start_at(self, seq: int) -> None:
        """Tell a new feed how far its first follower has read, so that it reads on from there."""
        if self._last_seq is None:
            self._last_seq = seq

    async def close(self) -> None:
        # Once is not enough: redis-py swallows a cancellation that reaches it while it connects.
        left = set(self._tasks)
        while left:
            for task in left:
                task.cancel()
            _, left = await asyncio.wait(left, timeout=CANCEL_EVERY_SECONDS)

    async def _listen(self) -> None:
        """Put rings into the queue; while Redis is away, the reading every second does all the work."""
        layer: Any = get_channel_layer()
        group = rings.group_of(self.run_id)
        while True:
            try:
                channel = await layer.new_channel()
                try:
                    await layer.group_add(group, channel)
                    while True:
                        self._ring(await layer.receive(channel))
                finally:
                    await layer.group_discard(group, channel)
            except Exception as error:  # noqa: BLE001 -- whatever Redis raises, the table has the events
                logger.warning("feed of %s can't listen: %s", self.run_id, error)
                await asyncio.sleep(READ_EVERY_SECONDS)

    def _ring(self, message: dict[str, Any]) -> None:
        if not self._rings.full():
            self._rings.put_nowait([RunEvent(*event) for event in message["events"]])

    async def _pass_on(self) -> None:
        while True:
            ringing = await self._next_ring()
            if self._last_seq is not None and not self._continues(ringing):
                async for event in _stored(self.run_id, self._last_seq):
                    self._pass(event)
            for event in ringing:
                self._pass(event)

    async def _next_ring(self) -> list[RunEvent]:
        """Events of the next ring; none if nothing rings for a second."""
        try:
            async with asyncio.timeout(READ_EVERY_SECONDS):
                return await self._rings.get()
        except TimeoutError:
            return []

    def _continues(self, ringing: list[RunEvent]) -> bool:
        return bool(ringing) and self._last_seq is not None and ringing[0].seq <= self._last_seq + 1

    def _pass(self, event: RunEvent) -> None:
        if self._last_seq is None or event.seq > self._last_seq:
            self._last_seq = event.seq
            for watcher in self.watchers:
                watcher.put(event)


_feeds: dict[tuple[int, UUID], _Feed] = {}


@asynccontextmanager
async def _watch(run_id: UUID) -> AsyncGenerator[tuple[_Feed, Watcher]]:
    """A watcher on the run's feed; the feed lives as long as anyone watches."""
    key = (id(asyncio.get_running_loop()), run_id)
    feed = _feeds.get(key)
    if feed is None:
        feed = _feeds[key] = _Feed(run_id)
    watcher = Watcher()
    feed.watchers.add(watcher)
    try:
        yield feed, watcher
    finally:
        feed.watchers.discard(watcher)
        if not feed.watchers:
            del _feeds[key]
            await feed.close()
