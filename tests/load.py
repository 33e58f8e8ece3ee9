"""Many runs at once, each watched over every transport, to look at a server's memory and speed."""

import asyncio
import itertools
import time
from array import array
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
from websockets.asyncio.client import connect

POLL_EVERY_SECONDS = 1.0
LAST = {"complete", "error"}
STARTS_AT_ONCE = 4


@dataclass
class Seen:
    """What all watchers have seen.

    Attributes
    ----------
    latency_ms : dict
        By transport: from the moment an event was written, just before its commit, to its arrival. What was
        written before a watcher came does not count.
    results : int
        Results of all runs, each counted once.
    events : int
        Events that arrived, at all watchers together.
    lost : int
        Events that did not arrive, or came twice or out of order.
    """

    latency_ms: dict[str, "array[float]"] = field(default_factory=lambda: defaultdict(lambda: array("d")))
    results: int = 0
    events: int = 0
    lost: int = 0


class Load:
    """Starts runs of one request and watches each; `body` gets another `variant` every time, so nothing is reused."""

    def __init__(self, url: str, websocket_url: str, body: dict[str, Any]) -> None:
        self.seen = Seen()
        self._websocket_url = websocket_url
        self._body = body
        self._variants = itertools.count(1)
        self._starting = asyncio.Semaphore(STARTS_AT_ONCE)
        # An idle connection is given up before the server does that: a request might just be under way then.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=2.0)
        self._client = httpx.AsyncClient(base_url=url, limits=limits, timeout=60)

    async def __aenter__(self) -> "Load":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def keep(self, watched: Sequence[Sequence[str]], seconds: float) -> None:
        """Have as many runs under way all the time as there are lists of transports; stop what is left at the end."""
        until = time.monotonic() + seconds
        await asyncio.gather(*(self._keep_one(transports, until) for transports in watched))

    async def once(self, watched: Sequence[Sequence[str]]) -> None:
        """Start a run for each list of transports, and wait for the end of all."""
        await asyncio.gather(*(self._keep_one(transports, None) for transports in watched))

    async def _keep_one(self, transports: Sequence[str], until: float | None) -> None:
        while until is None or time.monotonic() < until:
            run = await self._start()
            watchers = asyncio.gather(
                *(self._watch(run, name, counts=number == 0) for number, name in enumerate(transports))
            )
            if until is None:
                await watchers
                return
            try:
                async with asyncio.timeout(max(until - time.monotonic(), 0.0)):
                    await asyncio.shield(watchers)
            except TimeoutError:
                await self._client.post(f"/api/runs/{run}/stop/")
                await watchers

    async def _start(self) -> str:
        parameters = {**self._body["parameters"], "variant": next(self._variants)}
        async with self._starting:
            answer = await self._client.post("/api/backtests/", json={**self._body, "parameters": parameters})
        return answer.raise_for_status().json()["id"]

    async def _watch(self, run: str, transport: str, *, counts: bool) -> None:
        seq, came_at = 0, 0.0
        async for event in getattr(self, f"_{transport}")(run):
            came_at = came_at or time.time()
            self.seen.events += 1
            self.seen.lost += event["seq"] != seq + 1
            seq = event["seq"]
            if event["type"] == "result":
                written = datetime.fromisoformat(event["at"]).timestamp()
                if written > came_at:
                    self.seen.latency_ms[transport].append((time.time() - written) * 1000)
                self.seen.results += counts
            if event["type"] in LAST:
                return
        self.seen.lost += 1  # the last event never came

    async def _websocket(self, run: str) -> AsyncIterator[dict[str, Any]]:
        address = f"{self._websocket_url}/ws/runs/{run}/"
        async with connect(address, compression=None, open_timeout=60) as socket:
            async for text in socket:
                yield orjson.loads(text)

    async def _sse(self, run: str) -> AsyncIterator[dict[str, Any]]:
        async with self._client.stream("GET", f"/api/runs/{run}/stream/") as answer:
            async for line in answer.aiter_lines():
                if line.startswith("data: "):
                    yield orjson.loads(line.removeprefix("data: "))

    async def _poll(self, run: str) -> AsyncIterator[dict[str, Any]]:
        seq, ended = 0, False
        while not ended:
            answer = await self._client.get(f"/api/runs/{run}/events/", params={"after": seq})
            page = answer.raise_for_status().json()
            for event in page["events"]:
                yield event
                seq = event["seq"]
            ended = page["ended"] and seq >= page["last_seq"]
            await asyncio.sleep(POLL_EVERY_SECONDS)


def watched_by(runs: int, watchers: int) -> list[list[str]]:
    """Transports for each run: of ten watchers six use WebSockets, three server-sent events and one polls."""
    mix = itertools.cycle(
        [
            "websocket",
            "sse",
            "websocket",
            "websocket",
            "sse",
            "websocket",
            "poll",
            "websocket",
            "sse",
            "websocket",
        ]
    )
    lists: list[list[str]] = [[] for _ in range(runs)]
    for number in range(watchers):
        lists[number % runs].append(next(mix))
    return lists


@dataclass
class Memory:
    """Resident memory of a process while something else goes on."""

    pid: int
    every_seconds: float = 1.0
    mb: list[float] = field(default_factory=list)

    async def watch(self) -> None:
        """Take a sample every so often, until cancelled."""
        while True:
            self.mb.append(resident_mb(self.pid))
            await asyncio.sleep(self.every_seconds)

    def growth_mb(self) -> float:
        """Median of the last fifth of the samples less that of the second; in the first, pools and caches fill."""
        fifth = max(len(self.mb) // 5, 1)
        late, early = sorted(self.mb[-fifth:]), sorted(self.mb[fifth : 2 * fifth])
        return late[len(late) // 2] - early[len(early) // 2]


def resident_mb(pid: int) -> float:
    """Memory of a process that is in RAM now."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)
