"""A new run while a hundred others are under way: `python -m benchmarks.fairness`.

How long does it wait for its first result, and for its last, compared with its fair share of the workers: the time in
which each of the runs under way would get as many results as the new one.
"""

import argparse
import asyncio
import itertools
import time
from pathlib import Path
from typing import Any

import httpx
import orjson
import websockets

from benchmarks.report import Table, save
from benchmarks.site import site_with_market
from tests import paced_strategy
from tests.stack import RunningStack

YEARS = 0.1
VARIANTS = itertools.count(1)
STARTS_AT_ONCE = 4


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["postgres", "sqlite"], default="postgres")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--symbols", type=int, default=211)
    parser.add_argument("--new-symbols", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with site_with_market(
        options.database,
        symbols=options.symbols,
        years=YEARS,
        CANDLESTREAM_STRATEGIES=paced_strategy.MODULE,
    ) as stack:
        rounds = [asyncio.run(_round(stack, options)) for _ in range(options.rounds)]
    table = Table(
        f"A run of {options.new_symbols} among {options.runs} of {options.symbols} on {options.database}",
        ["round", "first result ms", "last result ms", "× fair share", "others at its end"],
    )
    for number, figures in enumerate(rounds, start=1):
        table.add(
            str(number), *(figures[name] for name in ("first_ms", "last_ms", "of_fair_share", "under_way"))
        )
    table.print()
    save(Path(f"fairness-{options.database}.json"), {**vars(options), "rounds": rounds})


async def _round(stack: RunningStack, options: argparse.Namespace) -> dict[str, float]:
    async with httpx.AsyncClient(base_url=stack.url, timeout=120) as client:
        crypto = (await client.get("/api/cryptocurrencies/")).raise_for_status().json()
        symbols = [each["symbol"] for each in crypto[: options.new_symbols]]
        room = asyncio.Semaphore(STARTS_AT_ONCE)

        async def start() -> dict[str, Any]:
            async with room:
                return await _post(client)

        others = await asyncio.gather(*(start() for _ in range(options.runs)))
        before, started = await _completed(client), time.perf_counter()
        new = await _post(client, symbols=symbols)
        times = await _result_times(stack, new)
        last_seconds = times[-1] - started
        after = await _completed(client)
        under_way = await _under_way(client)
        for run in others:
            await client.post(f"/api/runs/{run['id']}/stop/")
    # All results that were computed meanwhile, shared out evenly among the runs, are what the new one could claim.
    fair_seconds = len(symbols) * (options.runs + 1) / ((after - before) / last_seconds)
    return {
        "first_ms": (times[0] - started) * 1000,
        "last_ms": last_seconds * 1000,
        "of_fair_share": last_seconds / fair_seconds,
        "under_way": under_way,
    }


async def _post(client: httpx.AsyncClient, **more: Any) -> dict[str, Any]:
    body = {"strategy": "paced_rsi", "parameters": {"variant": next(VARIANTS)}, **more}
    return (await client.post("/api/backtests/", json=body)).raise_for_status().json()


async def _result_times(stack: RunningStack, run: dict[str, Any]) -> list[float]:
    """When each result of a run arrived."""
    async with websockets.connect(
        stack.websocket_url + run["links"]["websocket"], compression=None
    ) as socket:
        return [time.perf_counter() async for text in socket if orjson.loads(text)["type"] == "result"]


async def _completed(client: httpx.AsyncClient) -> int:
    """Results of all runs there are."""
    answer = await client.get("/api/runs/", params={"page_size": 1000})
    return sum(run["progress"]["completed"] for run in answer.raise_for_status().json()["results"])


async def _under_way(client: httpx.AsyncClient) -> int:
    answer = await client.get("/api/runs/", params={"status": "active", "page_size": 1})
    return answer.raise_for_status().json()["count"]


if __name__ == "__main__":
    main()
