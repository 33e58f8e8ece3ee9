"""Two price feeds as processes; the leader and Redis are killed in mid-stream."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from market_data.prices import state
from market_data.prices.replay.exchange import LocalExchange
from market_data.prices.tests.feeding import assert_never_doubled, listening, until
from market_data.prices.threads import DatabaseThread
from tests.prices.feeds import (
    SYMBOLS,
    Valkey,
    assert_complete,
    feed_of,
    leader,
    seconds_until_shown,
    until_candles_grow,
)
from tests.stack import RunningStack

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(400)]


async def test_killed_feeds_and_a_killed_redis_cost_seconds_and_no_candle(
    stack: RunningStack, valkey: Valkey, exchange: LocalExchange, database: DatabaseThread
):
    async with AsyncExitStack() as exits:
        published = await exits.enter_async_context(listening())
        stack.start_prices("one")
        stack.start_prices("two")
        await until(leader, seconds=120)
        await until_candles_grow(12, database)  # what was missed before the start is among them

        first = leader()
        stack.kill(feed_of(stack, first))
        print(f"takeover in {await seconds_until_shown(published):.2f} s")
        assert leader() not in (None, first)
        await until_candles_grow(3, database)

        valkey.kill()
        await asyncio.sleep(1)
        valkey.start_again()
        print(f"prices {await seconds_until_shown(published):.2f} s after Redis was back, empty")
        await until(lambda: len(state.latest()) == len(SYMBOLS))
        assert len(state.history("BTCUSDT")) > 10, "the leader remembers what Redis lost"
        assert {entry["kind"] for entry in state.activity()} >= {"source_change"}

        stack.kill(feed_of(stack, leader()))
        await asyncio.sleep(4)  # nobody hears these candles close
        stack.start_prices("three")
        print(f"prices {await seconds_until_shown(published):.2f} s after a feed was started")
        await until_candles_grow(6, database)
    stack.end()
    for symbol in SYMBOLS:
        assert_never_doubled(published.of(symbol))
    await database.run(assert_complete(exchange.market))
