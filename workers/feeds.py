"""Feeds: one per watched run and web process, so that a hundred watchers cost one subscription and one reader.

The table of events is the truth. A feed passes on a ringing event when its number is the next one, and reads the
table on a gap and on a ring without a body. A lost last event leaves no gap to notice: so every second one statement
asks for all feeds together how far their runs are, and finds those that have been deleted.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from channels.layers import get_channel_layer
from django.db import DatabaseError, InterfaceError, connection

from workers import events, rings
from workers.cancelling import cancel
from workers.events import RunEvent

T = TypeVar("T")
logger = logging.getLogger(__name__)

READ_EVERY_SECONDS = 1.0
QUEUE_LENGTH = 1000
"""Events that wait for one watcher; one that is further behind reads the table instead."""
READERS = 4

_readers = ThreadPoolExecutor(max_workers=READERS, thread_name_prefix="feed-reader")


class RunDeletedError(Exception):
    """A run was deleted before its last event reached whoever followed it."""


async def follow(run_id: UUID, *, after: int = 0) -> AsyncGenerator[RunEvent]:
    """Every event of a run with `seq > after`, in order, none lost or doubled, until the last one.

    Raises
    ------
    RunDeletedError
        If the run is deleted before its last event was read.
    """
    async with _watch(run_id) as (feed, watcher):
        while True:
            # The watcher listens already: what is committed from now on waits in its queue.
            async for event in _stored(run_id, after):
                yield event
                if event.is_last:
                    return
                after = event.seq
            if feed.run_is_deleted:
                raise RunDeletedError("there is no such run any more")
            feed.start_at(after)
            while (event := await watcher.next_event()) is not None and event.seq <= after + 1:
                if event.seq == after + 1:
                    yield event
                    if event.is_last:
                        return
                    after = event.seq


async def wait_for_events(run_id: UUID, *, after: int, seconds: float) -> list[RunEvent]:
    """Events after a number; if there are none yet, wait that long for the next. Up to one page.

    Raises
    ------
    RunDeletedError
        If the run is deleted meanwhile.
    """
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
    """Stored events after a number, at most one page."""
    return await _read(partial(events.read, run_id, after=after))


async def _read(question: Callable[[], T]) -> T:
    """Ask the table in a thread that keeps its database connection; again while the database is away."""
    while True:
        try:
            return await asyncio.get_running_loop().run_in_executor(_readers, _ask, question)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("could not read events: %s", error)
            await asyncio.sleep(READ_EVERY_SECONDS)


def _ask(question: Callable[[], T]) -> T:
    try:
        return question()
    except (DatabaseError, InterfaceError):
        connection.close()  # a broken connection is not used again
        raise


class Watcher:
    """One follower's bounded queue on a feed."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[RunEvent | None] = asyncio.Queue(QUEUE_LENGTH)
        self._overflowed = False

    def put(self, event: RunEvent | None) -> None:
        """Queue an event, or None to have the table read; if there is no room, drop them all: the table has them."""
        if self._queue.full():
            self._overflowed = True
            while not self._queue.empty():
                self._queue.get_nowait()
        self._queue.put_nowait(event)

    async def next_event(self) -> RunEvent | None:
        """The next event; None when the table must be read, as after an overflow."""
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
        self.run_is_deleted = False
        self._last_seq: int | None = None
        self._rings: asyncio.Queue[list[RunEvent]] = asyncio.Queue(QUEUE_LENGTH)
        self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._pass_on())]

    def start_at(self, seq: int) -> None:
        """Tell a new feed how far its first follower has read, so that it reads on from there."""
        if self._last_seq is None:
            self._last_seq = seq

    def look_up(self, last_seq: int) -> None:
        """Read the table if the run is further than this feed has heard."""
        if self._last_seq is not None and last_seq > self._last_seq:
            self._ring([])

    def end(self) -> None:
        """Send the watchers of a deleted run to the table, where nothing is left, and away."""
        self.run_is_deleted = True
        for watcher in self.watchers:
            watcher.put(None)

    async def close(self) -> None:
        await cancel(self._tasks)

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
                        message = await layer.receive(channel)
                        self._ring([RunEvent(*event) for event in message["events"]])
                finally:
                    await layer.group_discard(group, channel)
            except Exception as error:  # noqa: BLE001 -- whatever Redis raises, the table has the events
                logger.warning("feed of %s can't listen: %s", self.run_id, error)
                await asyncio.sleep(READ_EVERY_SECONDS)

    def _ring(self, ringing: list[RunEvent]) -> None:
        if not self._rings.full():
            self._rings.put_nowait(ringing)

    async def _pass_on(self) -> None:
        while True:
            ringing = await self._rings.get()
            if self._last_seq is not None and not self._continues(ringing):
                async for event in _stored(self.run_id, self._last_seq):
                    self._pass(event)
            for event in ringing:
                self._pass(event)

    def _continues(self, ringing: list[RunEvent]) -> bool:
        return bool(ringing) and self._last_seq is not None and ringing[0].seq <= self._last_seq + 1

    def _pass(self, event: RunEvent) -> None:
        if self._last_seq is None or event.seq > self._last_seq:
            self._last_seq = event.seq
            for watcher in self.watchers:
                watcher.put(event)


class _Feeds:
    """The feeds of one event loop, and the task that asks whether they have missed something."""

    def __init__(self) -> None:
        self.by_run: dict[UUID, _Feed] = {}
        self._task = asyncio.create_task(self._look_up())

    def close(self) -> None:
        self._task.cancel()

    async def _look_up(self) -> None:
        while True:
            await asyncio.sleep(READ_EVERY_SECONDS)
            asked = list(self.by_run.values())
            last_seqs = await _read(partial(events.last_seqs, [feed.run_id for feed in asked]))
            for feed in asked:
                if feed.run_id in last_seqs:
                    feed.look_up(last_seqs[feed.run_id])
                else:
                    feed.end()


_loops: dict[int, _Feeds] = {}
"""By the id of their event loop."""


@asynccontextmanager
async def _watch(run_id: UUID) -> AsyncGenerator[tuple[_Feed, Watcher]]:
    """A watcher on the run's feed; the feed lives as long as anyone watches."""
    loop = id(asyncio.get_running_loop())
    feeds = _loops.get(loop) or _loops.setdefault(loop, _Feeds())
    feed = feeds.by_run.get(run_id) or feeds.by_run.setdefault(run_id, _Feed(run_id))
    watcher = Watcher()
    feed.watchers.add(watcher)
    try:
        yield feed, watcher
    finally:
        feed.watchers.discard(watcher)
        if not feed.watchers:
            del feeds.by_run[run_id]
            if not feeds.by_run:
                del _loops[loop]
                feeds.close()
            await feed.close()
