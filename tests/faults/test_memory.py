"""The web server's memory stays flat while many clients watch many runs, and none of them loses an event."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import pytest
from django.db import connection

from backtests.strategies.registry import MODULES_VARIABLE
from backtests.tests.runs.conftest import wavy_candles
from market_data.store import write_candles
from tests import paced_strategy
from tests.load import Load, Memory, watched_by
from tests.stack import RunningStack

RUNS, WATCHERS, SYMBOLS = 10, 100, 60
EVERY_MS = 40.0
"""Of each of the four worker processes: 100 results and 1,000 deliveries a second."""
SECONDS = 60.0
MOST_GROWTH_MB = 15.0
"""All that is sent in this time, kept once, would be about 50."""


@pytest.fixture
def paced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the stack that is started afterwards know the strategy that takes its time."""
    monkeypatch.setenv(MODULES_VARIABLE, paced_strategy.MODULE)


@pytest.mark.timeout(400)
@pytest.mark.postgres
@pytest.mark.skipif(connection.vendor != "postgresql", reason="takes a minute; the pass on PostgreSQL has it")
@pytest.mark.usefixtures("paced")
def test_memory_stays_flat_while_many_clients_watch_many_runs(stack: RunningStack) -> None:
    for number in range(SYMBOLS):
        candles = wavy_candles(200, phase=number)
        write_candles(symbol=f"C{number:02}USDT", source="test", interval="1h", candles=candles)
    memory, load = asyncio.run(_watch(stack, watched_by(RUNS, WATCHERS)))
    assert load.seen.lost == 0
    assert load.seen.results > 500, "too little happened to prove anything"
    assert memory.growth_mb() < MOST_GROWTH_MB, [round(mb) for mb in memory.mb]


async def _watch(stack: RunningStack, watched: Sequence[Sequence[str]]) -> tuple[Memory, Load]:
    assert stack.web is not None, "the stack has a web server"
    memory = Memory(stack.web.process.pid)
    sampling = asyncio.create_task(memory.watch())
    body = {"strategy": "paced_rsi", "parameters": {"every_ms": EVERY_MS}}
    async with Load(stack.url, stack.websocket_url, body) as load:
        await load.keep(watched, SECONDS)
    sampling.cancel()
    with suppress(asyncio.CancelledError):
        await sampling
    return memory, load
