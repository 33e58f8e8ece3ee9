"""PostgreSQL goes away under a leading feed: prices go on, and afterwards no candle is missing."""

import asyncio
import signal
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import environ
import psutil
import pytest
from django.db import connections

from market_data.prices.state import STALE_SECONDS
from market_data.prices.tests.feeding import Published, assert_never_doubled, listening, until
from market_data.prices.threads import DatabaseThread
from tests.prices.feeds import (
    SYMBOLS,
    Valkey,
    assert_complete,
    fast_exchange,
    feed_variables,
    leader,
    seconds_until_shown,
    until_candles_grow,
    write_past,
)
from tests.servers import Postgres, restartable_postgres
from tests.stack import RunningStack, bare_stack

pytestmark = [pytest.mark.timeout(400), pytest.mark.once]  # its PostgreSQL is its own
OUTAGE_SECONDS = 10.0


@pytest.fixture
def postgres(django_db_blocker: Any) -> Iterator[Postgres]:
    """A server that the whole test uses in the place of the suite's."""
    before = connections.settings["default"]
    with restartable_postgres() as server, django_db_blocker.unblock():
        named = {**before, **environ.Env.db_url_config(server.url)}
        options = {"OPTIONS": {"connect_timeout": 2}, "CONN_MAX_AGE": 0}
        connections.settings["default"] = {**named, **options}
        try:
            yield server
        finally:
            connections.settings["default"] = before


@pytest.fixture
def stack(folder: Path, valkey: Valkey, postgres: Postgres) -> Iterator[RunningStack]:
    """A database with its tables, on which nothing runs yet."""
    running = bare_stack(folder, redis_url=valkey.url, DATABASE_URL=postgres.url)
    running.manage("migrate", "-v", "0")
    yield running
    running.end()
    for feed in running.feeds:
        print(f"--- {feed.name}\n{feed.last_lines(60)}")


@contextmanager
def restarted(server: Postgres) -> Generator[None]:
    """Shut down, every connection is closed, none can be made; then up again."""
    server.end()
    yield
    server.restart()


@contextmanager
def unreachable(server: Postgres) -> Generator[None]:
    """Frozen: connections stay, nothing is answered, as behind a network that has gone."""
    main = psutil.Process(server._child.process.pid)
    every = [main, *main.children(recursive=True)]
    for process in every:
        process.suspend()
    try:
        yield
    finally:
        for process in reversed(every):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)


async def test_without_its_database_a_feed_shows_prices_and_loses_no_candle(
    stack: RunningStack, postgres: Postgres
):
    exchange = fast_exchange()
    database = DatabaseThread("test-database")
    async with exchange.serving(), listening() as published:
        await database.run(lambda: write_past(exchange.market))
        stack.environment |= feed_variables(exchange)
        feeds = [stack.start_prices("one"), stack.start_prices("two")]
        await until(leader, seconds=120)
        await until_candles_grow(12, database)
        for outage in (unreachable, restarted):
            first = leader()
            with outage(postgres):
                longest = await longest_wait_for_prices(published, OUTAGE_SECONDS)
                print(f"{outage.__name__}: new prices of all symbols after {longest:.2f} s at most")
                assert longest < STALE_SECONDS
                assert leader() == first, "nobody can know of another one"
            await database.run(connections.close_all)  # this test's own goes with the server
            began = time.monotonic()
            await until_candles_grow(6, database)
            print(f"{outage.__name__}: candles again {time.monotonic() - began:.2f} s after it was over")
            await seconds_until_shown(published)
        assert not [feed.name for feed in feeds if feed.has_ended]
    await asyncio.to_thread(stack.end)
    for symbol in SYMBOLS:
        assert_never_doubled(published.of(symbol))
    await database.run(assert_complete(exchange.market))
    database.end()


async def longest_wait_for_prices(published: Published, seconds: float) -> float:
    """How long new prices of all symbols took at most, for as long as this looks."""
    end, longest = time.monotonic() + seconds, 0.0
    while time.monotonic() < end:
        longest = max(longest, await seconds_until_shown(published))
    return longest
