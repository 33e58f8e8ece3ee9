"""The hub: one subscription per web process, however many watch; it keeps the picture and tells the viewers."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

from market_data.prices import state
from market_data.prices.picture import Picture
from market_data.prices.viewers import Viewer
from market_data.prices.wanted import Wanted
from workers.cancelling import cancel

logger = logging.getLogger(__name__)

CHECK_SECONDS = 0.5
"""Ages are looked at so often: a feed that died says nothing."""
READ_EVERY_SECONDS = 10.0
"""The stored state is read so often too: a message of the live channel may get lost."""
READY_SECONDS = 3.0


class Hub:
    """Hears the live channel, keeps the picture, and tells the viewers."""

    def __init__(self) -> None:
        self.picture = Picture()
        self.viewers: set[Viewer] = set()
        self._ready = asyncio.Event()
        work = (self._listen, self._check, self._read_again)
        self._tasks = [asyncio.create_task(_for_ever(one)) for one in work]

    async def ready(self) -> None:
        """Wait until the stored state has been read, but not long: without Redis viewers are told so."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READY_SECONDS):
                await self._ready.wait()

    async def close(self) -> None:
        """End listening."""
        await cancel(self._tasks)

    async def _listen(self) -> None:
        async with aclosing(state.subscribe()) as messages:
            async for message in messages:
                if message is None:
                    await self._read()
                else:
                    self._hear(message)

    def _hear(self, message: dict[str, Any]) -> None:
        now_ms = time.time_ns() // 1_000_000
        for alert in message.get("alerts", ()):
            self._tell_owner(alert)
        if not message.keys() & {"prices", "activity", "status"}:
            return
        new = self.picture.put(map(state.price_of, message.get("prices", ())), now_ms)
        self.picture.add_activity(message.get("activity", ()))
        self.picture.hear(message.get("status"), now_ms)
        self._tell(new, now_ms)

    def _tell(self, new: set[str], now_ms: int) -> None:
        status = self.picture.update_status(now_ms)
        for viewer in self.viewers:
            viewer.note(new)
            if status:
                viewer.hurry(stale=set(), status=True)

    def _tell_owner(self, alert: dict[str, Any]) -> None:
        owner_id = alert.pop("owner_id")
        for viewer in self.viewers:
            if viewer.owner_id == owner_id:
                viewer.add_alert(alert)

    async def _read(self) -> None:
        """Take over what is stored; a Redis that has been wiped takes nothing from us."""
        try:
            prices = await state.alatest()
            feed, activity = await state.astatus(), await state.aactivity()
        except state.StateUnavailableError as error:
            logger.warning("the stored prices can't be read: %s", error)
            return
        now_ms = time.time_ns() // 1_000_000
        new = self.picture.put(prices.values(), now_ms, stored=True)
        if self.picture.forget_gone(set(prices), now_ms):
            for viewer in self.viewers:
                viewer.begin_again()  # a snapshot tells what is there no longer
        self.picture.add_activity(activity)
        self.picture.recall(feed)
        self._tell(new, now_ms)
        self._ready.set()

    async def _read_again(self) -> None:
        await asyncio.sleep(READ_EVERY_SECONDS)
        await self._read()

    async def _check(self) -> None:
        await asyncio.sleep(CHECK_SECONDS)
        now_ms = time.time_ns() // 1_000_000
        stale = self.picture.turned_stale(now_ms)
        status = self.picture.update_status(now_ms)
        for viewer in self.viewers:
            viewer.hurry(stale=stale, status=status)


async def _for_ever(work: Callable[[], Awaitable[None]]) -> None:
    """Do something again and again; what goes wrong once, such as a message that can't be read, ends nothing."""
    while True:
        try:
            await work()
        except Exception:
            logger.exception("showing prices goes on after an error")
            await asyncio.sleep(CHECK_SECONDS)


_hubs: dict[int, Hub] = {}


@asynccontextmanager
async def watching(wanted: Wanted, *, owner_id: int) -> AsyncGenerator[Viewer]:
    """A viewer on this process's hub, which lives as long as anyone watches.

    Raises
    ------
    InvalidWantedError
        If a symbol or the source is not known.
    """
    loop = id(asyncio.get_running_loop())
    hub = _hubs.get(loop)
    if hub is None:
        hub = _hubs[loop] = Hub()
    viewer = Viewer(hub.picture, wanted, owner_id)
    hub.viewers.add(viewer)
    try:
        await hub.ready()
        viewer.watch(wanted)
        yield viewer
    finally:
        hub.viewers.discard(viewer)
        if not hub.viewers:
            del _hubs[loop]
            await hub.close()
