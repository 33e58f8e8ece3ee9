"""What a leader says when it begins, and after Redis was away: everything is stored, only news are told."""

from contextlib import aclosing
from typing import Any

import pytest

from market_data.prices import state
from market_data.prices.activity import Activity
from market_data.prices.lease import ReplacedError
from market_data.prices.publishing import Publisher
from market_data.prices.state import Price, subscribe
from market_data.prices.tests.price_maker import make_price
from market_data.prices.tuning import Tuning
from market_data.prices.writing import Writer

OLD = make_price("ETHUSDT", 7.0)


def publisher(writer: Writer, *before: Price) -> Publisher:
    """A leader's, after one that has shown some prices."""
    tuning = Tuning(point_seconds=0)
    return Publisher(
        writer,
        Activity(tuning),
        tuning,
        lambda: {"leader": "one"},
        prices={price.symbol: price for price in before},
        histories={price.symbol: [(price.exchange_time_ms, price.price)] for price in before},
    )


def told(message: dict[str, Any] | None) -> list[tuple[str, float]]:
    return [(price["symbol"], price["price"]) for price in (message or {}).get("prices", ())]


async def test_a_new_leader_stores_the_prices_of_the_one_before_and_tells_of_its_own(writer: Writer):
    leading = publisher(writer, OLD)
    leading.put(make_price(price=1.0))
    async with aclosing(subscribe()) as live:
        assert await anext(live) is None
        await leading.flush()
        assert told(await anext(live)) == [("BTCUSDT", 1.0)], "a price that was told of is not told of again"
    assert set(state.latest()) == {"BTCUSDT", "ETHUSDT"}


async def test_what_a_write_that_failed_did_not_tell_is_told_with_the_next(settings, writer: Writer):
    there, settings.REDIS_URL = settings.REDIS_URL, "redis://127.0.0.1:1/0"
    async with Writer(term=1) as away:
        leading = publisher(away, OLD)
        for number in (1.0, 2.0):
            leading.put(make_price(price=number))
            await leading.flush()
        leading.put(make_price("XRPUSDT", 3.0))
        settings.REDIS_URL, leading._writer = there, writer
        async with aclosing(subscribe()) as live:
            assert await anext(live) is None
            await leading.flush()
            assert told(await anext(live)) == [("BTCUSDT", 2.0), ("XRPUSDT", 3.0)]
            leading.put(make_price(price=4.0))
            await leading.flush()
            assert told(await anext(live)) == [("BTCUSDT", 4.0)]
    assert [price for _, price in state.history("BTCUSDT")] == [1.0, 2.0, 4.0]


async def test_a_leader_that_was_replaced_is_told_so(writer: Writer):
    async with Writer(term=2) as successor:
        await successor.write(status={"leader": "two"})
    with pytest.raises(ReplacedError):
        await publisher(writer).flush()


async def test_a_status_that_changes_during_a_write_is_told_with_the_next(writer: Writer, monkeypatch):
    leading = publisher(writer)
    await leading.flush()
    send = writer.write

    async def slow(**news: Any) -> bool:
        leading.hurry()
        return await send(**news)

    leading.put(make_price(price=1.0))
    leading.hurry()
    with monkeypatch.context() as during:
        during.setattr(writer, "write", slow)
        await leading.flush()
    leading.put(make_price(price=2.0))
    async with aclosing(subscribe()) as live:
        assert await anext(live) is None
        await leading.flush()
        assert (await anext(live) or {})["status"] == {"leader": "one"}
