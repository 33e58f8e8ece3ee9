"""A leading feed is suspended, as by a host that is paused, and goes on after another one has taken over."""

import os
import signal

import pytest
from django.db import transaction

from config.processes import Child
from market_data.models import CandleSeries
from market_data.prices.models import FeedLease
from market_data.prices.replay.exchange import LocalExchange
from market_data.prices.tests.feeding import assert_never_doubled, listening, until
from market_data.prices.threads import DatabaseThread
from tests.prices.feeds import (
    SYMBOLS,
    assert_complete,
    feed_of,
    leader,
    seconds_until_shown,
    until_candles_grow,
    until_logged,
)
from tests.stack import RunningStack

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(400)]


def suspend(feed: Child) -> None:
    """Stop a process while it holds no lock: nobody could write while one that is suspended does."""
    with transaction.atomic():
        list(CandleSeries.objects.select_for_update())
        os.kill(feed.process.pid, signal.SIGSTOP)


async def test_a_suspended_leader_that_goes_on_writes_nothing_and_steps_down(
    stack: RunningStack, exchange: LocalExchange, database: DatabaseThread
):
    async with listening() as published:
        stack.start_prices("one")
        stack.start_prices("two")
        await until(leader, seconds=120)
        await until_candles_grow(12, database)
        for turn in (1, 2):  # the one that was suspended first leads again, when the other is
            before = leader()
            suspended = feed_of(stack, before)
            await database.run(lambda feed=suspended: suspend(feed))
            print(f"takeover from a suspended leader in {await seconds_until_shown(published):.2f} s")
            after, term = leader(), await database.run(current_term)
            assert after not in (None, before)
            await until_candles_grow(8, database)
            published.leaders.clear()
            os.kill(suspended.process.pid, signal.SIGCONT)
            await until_logged(suspended, "leads no more")
            await until_candles_grow(3, database)
            assert set(published.leaders) == {after}, "one that was replaced has written"
            assert (leader(), await database.run(current_term)) == (after, term)
            assert log_of(suspended).count("leads, term") == 1, turn
    stack.end()
    for symbol in SYMBOLS:
        assert_never_doubled(published.of(symbol))
    await database.run(assert_complete(exchange.market))


def current_term() -> int:
    return FeedLease.objects.get().term


def log_of(feed: Child) -> str:
    assert feed.log is not None
    return feed.log.read_text()
