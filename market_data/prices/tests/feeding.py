"""A feed in the test's own event loop, and what it has published."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing, asynccontextmanager
from itertools import pairwise
from typing import Any

from market_data.prices import state
from market_data.prices.feed import Feed
from market_data.prices.state import Price
from workers.cancelling import cancel

QUICK = {
    "poll_seconds": 0.2,
    "standby_seconds": 0.6,
    "healthy_seconds": 0.8,
    "first_wait_seconds": 0.2,
    "longest_wait_seconds": 1.0,
    "point_seconds": 0.0,
    "candle_patience_seconds": 0.5,
}
"""Waits that a test has time for; how soon a fault is noticed is as in the product."""
SECONDS = 60.0


class Published:
    """Everything that went over the live channel."""

    def __init__(self) -> None:
        self.prices: list[Price] = []
        self.activity: list[dict[str, Any]] = []
        self.leaders: list[str] = []
        """Who said how the feed is, once a second."""
        self.right: dict[str, set[float]] = {}
        """By symbol, the prices that may be shown: what each source says while it is well."""
        self.clocks_are_off = False
        """Whether exchange times say nothing about the order."""

    async def listen(self, ready: asyncio.Event) -> None:
        """Keep what comes."""
        async with aclosing(state.subscribe()) as messages:
            async for message in messages:
                ready.set()
                for entry in (message or {}).get("prices", ()):
                    self.prices.append(state.price_of(entry))
                self.activity += (message or {}).get("activity", ())
                if status := (message or {}).get("status"):
                    self.leaders.append(status["leader"])

    def of(self, symbol: str) -> list[Price]:
        """The prices of a symbol in the order in which they came."""
        return [price for price in self.prices if price.symbol == symbol]

    def kinds(self) -> list[str]:
        """What happened."""
        return [entry["kind"] for entry in self.activity]

    def source_changes(self) -> list[tuple[str, str]]:
        """Each new source in use, with the one before."""
        changes = [entry for entry in self.activity if entry["kind"] == "source_change"]
        return [(entry["source"], entry["before"]) for entry in changes]

    async def entry(self, kind: str) -> dict[str, Any]:
        """The last entry of a kind, as soon as there is one: what is stored is heard of a little later."""
        await until(lambda: kind in self.kinds(), kind)
        return [entry for entry in self.activity if entry["kind"] == kind][-1]


@asynccontextmanager
async def listening() -> AsyncGenerator[Published]:
    """Keep what is published."""
    published, ready = Published(), asyncio.Event()
    task = asyncio.create_task(published.listen(ready))
    await ready.wait()
    try:
        yield published
    finally:
        await cancel([task])


@asynccontextmanager
async def running_feed() -> AsyncGenerator["asyncio.Task[None]"]:
    """A feed as settings say."""
    stopped = asyncio.Event()
    feed = asyncio.create_task(Feed().run(stopped))
    try:
        yield feed
    finally:
        stopped.set()
        await feed


async def until(true: Callable[[], Any], what: str = "", seconds: float = SECONDS) -> Any:
    """Wait until something is true, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, (
            f"{what or 'it'} did not come true: {state.status()}, {state.latest()}"
        )
        await asyncio.sleep(0.02)
    return found


async def until_shown(symbol: str, price: float, source: str, role: str, newer_than_ms: int = 0) -> Price:
    """Wait until a symbol has this price from this source, received just now; returns it."""

    def is_shown() -> Price | None:
        found = state.latest([symbol]).get(symbol)
        if found is None or found.exchange_time_ms <= newer_than_ms:
            return None
        return found if (found.price, found.source, found.role) == (price, source, role) else None

    found = await until(is_shown, f"{symbol} at {price} from {source}")
    assert isinstance(found, Price)
    assert not found.is_stale(), f"{found.age_ms()} ms old"
    return found


def assert_never_doubled(prices: Iterable[Price]) -> None:
    """Every price is newer than the one before, by the exchanges' clocks."""
    times = [price.exchange_time_ms for price in prices]
    assert all(before < after for before, after in pairwise(times)), times
