"""What feeds need: a Valkey server of their own, an exchange, and a thread that reads the database."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from market_data.prices.replay.exchange import LocalExchange
from market_data.prices.threads import DatabaseThread
from tests.prices.feeds import Valkey, fast_exchange, feed_variables, write_past
from tests.stack import RunningStack, bare_stack


@pytest.fixture
def valkey(folder: Path, settings) -> Iterator[Valkey]:
    server = Valkey(folder)
    settings.REDIS_URL, settings.CHANNEL_PREFIX = server.url, "killed"
    settings.CANDLE_FILES_DIR = folder / "candles"
    yield server
    server.end()


@pytest.fixture
def database(transactional_db: None) -> Iterator[DatabaseThread]:
    """A thread with a connection to the database that the feeds have."""
    thread = DatabaseThread("test-database")
    yield thread
    thread.end()


@pytest.fixture
async def exchange(valkey: Valkey, database: DatabaseThread) -> AsyncIterator[LocalExchange]:
    """An exchange on its own fast clock, and series that were downloaded from it a while ago."""
    exchange = fast_exchange()
    async with exchange.serving():
        await database.run(lambda: write_past(exchange.market))
        yield exchange


@pytest.fixture
def stack(folder: Path, valkey: Valkey, exchange: LocalExchange) -> Iterator[RunningStack]:
    """Nothing but the feeds that a test starts."""
    running = bare_stack(folder, redis_url=valkey.url, **feed_variables(exchange))
    yield running
    running.end()
    for feed in running.feeds:
        print(f"--- {feed.name}\n{feed.last_lines(40)}")
