"""Live prices to many viewers: `python -m benchmarks.prices`; `--seconds 600` for the memory of ten minutes.

A real feed listens to a local exchange that sends 48 tickers a second; viewers are WebSockets with an interval of one
second. A price counts from when the feed has it, or from when its viewer may have the next message, whichever is
later: that is what the server adds beyond the interval that the viewer has chosen. The exchange counts what it is
asked, with one viewer and with all.
"""

import argparse
import asyncio
import os
import statistics
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import django
import orjson
import psutil
import websockets

from benchmarks.report import Table, save
from tests.servers import private_folder

os.environ.setdefault("SINGLE_USER", "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from tests.price_market import PriceMarket, price_market  # noqa: E402 -- models can be imported only now

VIEWERS, SYMBOLS, INTERVAL_SECONDS = 500, 48, 1
SECONDS, SETTLE_SECONDS = 30.0, 5.0
ONE_VIEWER_SECONDS = 60.0
"""At most, however long all are watched: four requests of a source that stands by."""
CONNECTING_AT_ONCE = 50
SAMPLE_SECONDS = 1.0


@dataclass
class Seen:
    """What the viewers got, and what the web process and the feed cost.

    Attributes
    ----------
    waits_ms
        Of each price that a viewer got: how long it took beyond the viewer's interval.
    ages_ms
        Of the same: since the feed had it.
    """

    waits_ms: list[float] = field(default_factory=list[float])
    ages_ms: list[float] = field(default_factory=list[float])
    messages: int = 0
    memory_mb: list[float] = field(default_factory=list[float])
    feed_memory_mb: list[float] = field(default_factory=list[float])
    cpu_percent: list[float] = field(default_factory=list[float])


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, default=VIEWERS)
    parser.add_argument("--symbols", type=int, default=SYMBOLS)
    parser.add_argument("--deaf", type=int, default=0, help="so many more viewers that read nothing")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    options = parser.parse_args()
    prices = {f"C{number:03d}USDT": 1.0 + number for number in range(options.symbols)}
    with private_folder() as folder, price_market(folder, prices, tick_seconds=1.0) as market:
        market.stack.start_prices()
        figures = asyncio.run(_measure(market, options.viewers, options.deaf, options.seconds))
    _report(options.viewers, options.symbols, options.seconds, figures)


async def _measure(market: PriceMarket, viewers: int, deaf: int, seconds: float) -> dict[str, Any]:
    await _first_prices(market)
    figures: dict[str, Any] = {}
    for name, count in (("one", 1), ("all", viewers)):
        seen = Seen()
        async with _watching(market, count, seen, deaf=0 if count == 1 else deaf):
            await asyncio.sleep(SETTLE_SECONDS)
            seen.waits_ms.clear()
            seen.ages_ms.clear()
            requests, messages = market.requests(), seen.messages
            begun = time.monotonic()
            await _sample(market, seen, min(seconds, ONE_VIEWER_SECONDS) if count == 1 else seconds)
            minutes = (time.monotonic() - begun) / 60
            figures[name] = _figures(seen) | {
                "requests_per_minute": (market.requests() - requests) / minutes,
                "messages_per_second": (seen.messages - messages) / minutes / 60,
            }
    return figures


async def _first_prices(market: PriceMarket) -> None:
    """Wait until the feed shows every symbol."""
    async with websockets.connect(f"{market.stack.websocket_url}/ws/prices/?interval=1") as socket:
        known: set[str] = set()
        while known < market.exchange.fixed.prices.keys():
            known |= {price["symbol"] for price in orjson.loads(await socket.recv())["prices"]}


@asynccontextmanager
async def _watching(market: PriceMarket, count: int, seen: Seen, *, deaf: int) -> AsyncGenerator[None]:
    """So many viewers, each of which reads as fast as it can, and some that never read."""
    address = f"{market.stack.websocket_url}/ws/prices/?interval={INTERVAL_SECONDS}"
    room = asyncio.Semaphore(CONNECTING_AT_ONCE)
    async with AsyncExitStack() as stack:

        async def connect(**options: Any) -> websockets.ClientConnection:
            async with room:
                connecting = websockets.connect(address, compression=None, open_timeout=60, **options)
                return await stack.enter_async_context(connecting)

        # With a queue of one message the client stops to read from its socket at the second.
        await asyncio.gather(
            *(connect(max_queue=1, ping_interval=None, close_timeout=0) for _ in range(deaf))
        )
        sockets = await asyncio.gather(*(connect() for _ in range(count)))
        reading = [asyncio.create_task(_read(socket, seen)) for socket in sockets]
        try:
            yield
        finally:
            for task in reading:
                task.cancel()
            await asyncio.gather(*reading, return_exceptions=True)


async def _read(socket: websockets.ClientConnection, seen: Seen) -> None:
    free_ms = 0.0
    async for text in socket:
        now_ms = time.time() * 1000
        prices = orjson.loads(text)["prices"]
        seen.messages += 1
        for price in prices:
            seen.ages_ms.append(now_ms - price["received_time_ms"])
            seen.waits_ms.append(now_ms - max(price["received_time_ms"], free_ms))
        if prices:
            free_ms = now_ms + INTERVAL_SECONDS * 1000


async def _sample(market: PriceMarket, seen: Seen, seconds: float) -> None:
    """Note memory and CPU time every second, and keep the figures of waiting bounded."""
    assert market.stack.web is not None, "the stack has a web server"
    process = psutil.Process(market.stack.web.process.pid)
    feed = psutil.Process(market.stack.feeds[-1].process.pid)
    before, begun = sum(process.cpu_times()[:2]), time.monotonic()
    while time.monotonic() - begun < seconds:
        at = time.monotonic()
        await asyncio.sleep(SAMPLE_SECONDS)
        now = sum(process.cpu_times()[:2])
        seen.cpu_percent.append(100 * (now - before) / (time.monotonic() - at))
        seen.memory_mb.append(process.memory_info().rss / 1e6)
        seen.feed_memory_mb.append(feed.memory_info().rss / 1e6)
        before = now
        for figures in (seen.waits_ms, seen.ages_ms):
            del figures[:-2_000_000]


def _figures(seen: Seen) -> dict[str, Any]:
    return {
        "wait_ms": _percentiles(seen.waits_ms),
        "age_ms": _percentiles(seen.ages_ms),
        "cpu_percent": statistics.mean(seen.cpu_percent),
        "memory_mb": _over_time(seen.memory_mb),
        "feed_memory_mb": _over_time(seen.feed_memory_mb),
        "memory_mb_over_time": seen.memory_mb[:: max(len(seen.memory_mb) // 60, 1)],
    }


def _over_time(values: list[float]) -> dict[str, float]:
    tenth = max(len(values) // 10, 1)
    first, last = statistics.mean(values[:tenth]), statistics.mean(values[-tenth:])
    return {"first": first, "last": last, "most": max(values)}


def _percentiles(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {name: ordered[int(share * (len(ordered) - 1))] for name, share in (("p50", 0.5), ("p99", 0.99))}


def _report(viewers: int, symbols: int, seconds: float, figures: dict[str, Any]) -> None:
    table = Table(
        f"{symbols} symbols, every second, for {seconds:g} s", ["", "1 viewer", f"{viewers} viewers"]
    )

    def add(name: str, *path: str) -> None:
        row: list[float] = []
        for one in ("one", "all"):
            value = figures[one]
            for part in path:
                value = value[part]
            row.append(value)
        table.add(name, *row)

    add("receive → viewer beyond its interval, p50 ms", "wait_ms", "p50")
    add("the same, p99 ms", "wait_ms", "p99")
    add("receive → viewer with its interval, p99 ms", "age_ms", "p99")
    add("messages a second", "messages_per_second")
    add("requests to the exchange a minute", "requests_per_minute")
    add("web process, % of a core", "cpu_percent")
    add("web process, MB at first", "memory_mb", "first")
    add("web process, MB at last", "memory_mb", "last")
    add("web process, MB at most", "memory_mb", "most")
    add("feed, MB at first", "feed_memory_mb", "first")
    add("feed, MB at last", "feed_memory_mb", "last")
    table.print()
    save(Path("prices.json"), {"viewers": viewers, "symbols": symbols, "seconds": seconds, **figures})


if __name__ == "__main__":
    main()
