"""A run of 211 symbols × 43,800 hourly candles against 211 tasks that do nothing: `python -m benchmarks.runs`.

Both go through the same broker to the same worker, alternating. A run is timed from the POST to its last event at a
WebSocket client; results are stored for real. `--database postgres` or `sqlite`; each on a server of its own.
"""

import argparse
import asyncio
import itertools
import os
import statistics
import time
from pathlib import Path
from typing import Any

import httpx
import orjson
import websockets
from celery import Celery
from redis import Redis

from benchmarks import processor_time
from benchmarks.report import Table, save
from benchmarks.site import site_with_market
from benchmarks.tasks import FINISHED_KEY
from tests.stack import RunningStack

SYMBOLS, YEARS, TASKS = 211, 5, 211
RSI_PERIODS = itertools.count(14)
"""Every run has parameters of its own, so that no result is reused unless a run is repeated on purpose."""


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["postgres", "sqlite"], action="append")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--symbols", type=int, default=SYMBOLS)
    parser.add_argument("--keep-serving", action="store_true", help="wait for Enter after the rounds")
    options = parser.parse_args()
    for database in options.database or ["postgres", "sqlite"]:
        with site_with_market(
            database, symbols=options.symbols, years=YEARS, EXTRA_APPS="benchmarks"
        ) as stack:
            rounds = [_round(stack) for _ in range(options.rounds + 1)][1:]
            _report(database, options.symbols, rounds)
            if options.keep_serving:
                input(f"{stack.url} {stack.environment['DATABASE_URL']} {stack.environment['REDIS_URL']} ")


def _round(stack: RunningStack) -> dict[str, float]:
    """One measurement of everything, one after the other, in milliseconds."""
    figures = {"floor": _floor(stack)}
    first, other = _body(), _body()
    for name, body in (("run", first), ("repeat", first), ("cold", other)):
        if name == "cold":
            _forget_candle_files(stack.folder)
        before = processor_time.by_program()
        figures |= {f"{name}_{key}": value for key, value in asyncio.run(_run(stack, body)).items()}
        used = processor_time.by_program() - before
        figures |= {f"{name}_cpu_{program}": used_ms for program, used_ms in used.items()}
    return figures


def _forget_candle_files(folder: Path) -> None:
    """Make the host one that has no candle files yet: those that are there move aside, emptied.

    They are not removed: for a minute afterwards ext4 would step over each removed one whenever it makes a new one.
    """
    aside = folder / f"candles-{time.monotonic_ns()}"
    (folder / "candles").rename(aside)
    for path in aside.glob("*/*"):
        os.truncate(path, 0)


def _body() -> dict[str, Any]:
    return {"strategy": "rsi", "parameters": {"period": next(RSI_PERIODS)}}


def _floor(stack: RunningStack) -> float:
    """Publish tasks that do nothing, and wait until the last one is done."""
    app = Celery(broker=stack.environment["REDIS_URL"])
    redis = Redis.from_url(stack.environment["REDIS_URL"])
    with app.connection_for_write() as connection, app.amqp.Producer(connection) as producer:
        started = time.perf_counter()
        for number in range(1, TASKS + 1):
            app.send_task(
                "benchmarks.tasks.do_nothing",
                kwargs={"is_last": number == TASKS},
                queue="jobs",
                producer=producer,
                ignore_result=True,
            )
        assert redis.blpop([FINISHED_KEY], timeout=60), "the tasks were not executed"
    return _ms_since(started)


async def _run(stack: RunningStack, body: dict[str, Any]) -> dict[str, float]:
    async with httpx.AsyncClient(base_url=stack.url) as client:
        await client.get("/api/strategies/")  # the connection is open before the clock starts
        started = time.perf_counter()
        response = await client.post("/api/backtests/", json=body)
        post_ms = _ms_since(started)
        run = response.raise_for_status().json()
        address = stack.websocket_url + run["links"]["websocket"]
        first_result_ms, count, event = 0.0, 0, {}
        async with websockets.connect(address, compression=None) as socket:
            async for message in socket:
                event = orjson.loads(message)
                if event["type"] == "result":
                    count += 1
                    first_result_ms = first_result_ms or _ms_since(started)
        total_ms = _ms_since(started)
    assert event["type"] == "complete", event
    assert count == run["progress"]["total"], f"{count} results of {run['progress']['total']}"
    return {"total": total_ms, "post": post_ms, "first_result": first_result_ms}


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000.0


def _report(database: str, symbols: int, rounds: list[dict[str, float]]) -> None:
    names = dict.fromkeys(name for each in rounds for name in each)
    median = {name: statistics.median(each.get(name, 0.0) for each in rounds) for name in names}
    table = Table(
        f"{symbols} symbols × 43,800 candles on {database}, median of {len(rounds)}", ["", "ms", "× floor"]
    )
    table.add("211 no-op tasks (the floor)", median["floor"], 1.0)
    table.add("run, POST to last event", median["run_total"], median["run_total"] / median["floor"])
    table.add("the same again, all reused", median["repeat_total"], median["repeat_total"] / median["floor"])
    table.add("without the host's candle files", median["cold_total"], median["cold_total"] / median["floor"])
    table.add("POST", median["run_post"], None)
    table.add("POST to first result", median["run_first_result"], None)
    table.add("POST of the repeated run", median["repeat_post"], None)
    table.print()
    spent = Table("Processor time of the run, by program", ["", "ms"])
    for name in sorted(names, key=lambda name: -median[name]):
        if program := name.partition("run_cpu_")[2]:
            spent.add(program, median[name])
    spent.print()
    save(Path(f"runs-{database}.json"), {"symbols": symbols, "median_ms": median, "rounds_ms": rounds})


if __name__ == "__main__":
    main()
