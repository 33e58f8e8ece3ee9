"""A hundred runs under way and five hundred watchers: `python -m benchmarks.watchers`.

First the runs are paced to 200 results a second in all: how long does a result take from its commit to a client, and
does the web server's memory grow (`--seconds 600`)? Then they run as fast as they can: how many results a second, and
was an event lost? The clients share the machine with the servers.
"""

import argparse
import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.report import Table, save
from benchmarks.site import site_with_market
from tests import paced_strategy
from tests.load import Load, Memory, watched_by
from tests.stack import RunningStack

SLOTS = 2
YEARS = 0.1
SETTLE_SECONDS = 10.0
"""The paced part first runs so long unmeasured: all runs start at once then."""


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["postgres", "sqlite"], default="postgres")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--watchers", type=int, default=500)
    parser.add_argument("--symbols", type=int, default=211)
    parser.add_argument("--rate", type=float, default=200.0, help="results a second in all, when paced")
    parser.add_argument("--seconds", type=float, default=30.0, help="of the paced part")
    options = parser.parse_args()
    watched = watched_by(options.runs, options.watchers)
    with site_with_market(
        options.database,
        symbols=options.symbols,
        years=YEARS,
        slots=SLOTS,
        CANDLESTREAM_STRATEGIES=paced_strategy.MODULE,
    ) as stack:
        paced = asyncio.run(_paced(stack, watched, options.rate, options.seconds))
        _show_paced(options, paced)
        unpaced = asyncio.run(_unpaced(stack, watched))
        _show_unpaced(unpaced)
    save(Path(f"watchers-{options.database}.json"), {**vars(options), "paced": paced, "unpaced": unpaced})


async def _paced(
    stack: RunningStack, watched: Sequence[Sequence[str]], rate: float, seconds: float
) -> dict[str, Any]:
    assert stack.web is not None, "the site has a web server"
    async with Load(stack.url, stack.websocket_url, _body(every_ms=1000.0 * SLOTS / rate)) as load:
        keeping = asyncio.create_task(load.keep(watched, SETTLE_SECONDS + seconds))
        await asyncio.sleep(SETTLE_SECONDS)
        load.seen.latency_ms.clear()
        before, started = load.seen.results, time.perf_counter()
        memory = Memory(stack.web.process.pid)
        sampling = asyncio.create_task(memory.watch())
        await asyncio.sleep(max(seconds - 1.0, 1.0))
        rate_seen = (load.seen.results - before) / (time.perf_counter() - started)
        latency = {name: _percentiles(values) for name, values in load.seen.latency_ms.items()}
        sampling.cancel()
        with suppress(asyncio.CancelledError):
            await sampling
        await keeping
        return {
            "results_per_second": rate_seen,
            "latency_ms": latency,
            "lost": load.seen.lost,
            "web_mb_each_second": memory.mb,
            "web_mb": {"first": memory.mb[0], "last": memory.mb[-1], "growth": memory.growth_mb()},
        }


async def _unpaced(stack: RunningStack, watched: Sequence[Sequence[str]]) -> dict[str, Any]:
    async with Load(stack.url, stack.websocket_url, _body(every_ms=0.0)) as load:
        started = time.perf_counter()
        await load.once(watched)
        seconds = time.perf_counter() - started
        seen = load.seen
    return {
        "seconds": seconds,
        "results_per_second": seen.results / seconds,
        "deliveries_per_second": seen.events / seconds,
        "lost": seen.lost,
    }


def _body(every_ms: float) -> dict[str, Any]:
    return {"strategy": "paced_rsi", "parameters": {"every_ms": every_ms, "smoothing": _smoothing(every_ms)}}


def _smoothing(every_ms: float) -> str:
    """Another choice for each part, so that neither reuses results of the other."""
    return "wilder" if every_ms else "simple"


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    """Median, 99th percentile and count; none of nothing."""
    ordered = sorted(values)
    if not ordered:
        return {}
    last = len(ordered) - 1
    return {"p50": ordered[last // 2], "p99": ordered[round(last * 0.99)], "count": len(ordered)}


def _show_paced(options: argparse.Namespace, figures: dict[str, Any]) -> None:
    table = Table(
        f"{options.runs} runs and {options.watchers} watchers on {options.database}, commit to client",
        ["paced", "p50 ms", "p99 ms", "results"],
    )
    for name, latency in sorted(figures["latency_ms"].items()):
        if latency:
            table.add(name, latency["p50"], latency["p99"], latency["count"])
    table.print()
    table = Table(f"The same for {options.seconds:g} s", ["", ""])
    table.add("results a second", figures["results_per_second"])
    table.add("events lost or doubled", figures["lost"])
    for name, megabytes in figures["web_mb"].items():
        table.add(f"MB of the web server, {name}", megabytes)
    table.print()


def _show_unpaced(figures: dict[str, Any]) -> None:
    table = Table("As fast as they can", ["", ""])
    for name, figure in figures.items():
        table.add(name.replace("_", " "), figure)
    table.print()


if __name__ == "__main__":
    main()
