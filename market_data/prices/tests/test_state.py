"""What is written is read, bounded, and by the latest leader only."""

import asyncio
from contextlib import aclosing

import pytest
from django.conf import settings
from redis.asyncio import Redis as AsyncRedis

from market_data.prices import state
from market_data.prices.state import StateUnavailableError, subscribe
from market_data.prices.tests.price_maker import make_price
from market_data.prices.writing import Writer
from tests.servers import private_valkey


async def test_a_price_comes_back_as_it_was_written(writer: Writer):
    price = make_price(price=0.1 + 0.2, change_24h=-0.025, high_24h=1.5, is_replay=True)
    assert await writer.write(prices=[price, make_price("ETHUSDT")])
    assert state.latest(["BTCUSDT", "NOSUCH"]) == {"BTCUSDT": price}
    assert set(await state.alatest()) == {"BTCUSDT", "ETHUSDT"}
    assert state.latest([]) == {}


async def test_a_price_that_a_newer_version_wrote_can_be_read():
    price = make_price()
    assert state.price_of({**price.as_json(), "colour": "green"}) == price


async def test_only_the_last_points_and_entries_are_kept(writer: Writer):
    for number in range(250):
        await writer.write(points={"BTCUSDT": (number, 1.0 + number)}, activity=[{"id": number + 1}])
    points, entries = await state.ahistory("BTCUSDT"), await state.aactivity()
    assert points == [(number, 1.0 + number) for number in range(150, 250)]
    assert [entry["id"] for entry in entries] == list(range(51, 251))
    assert [entry["id"] for entry in state.activity(after_id=248)] == [249, 250]
    assert state.history("ETHUSDT") == []
    async with AsyncRedis.from_url(settings.REDIS_URL) as server:
        assert await server.llen(state.key("history:BTCUSDT")) == 100
        assert await server.llen(state.key("activity")) == 200


async def test_the_status_is_there_until_there_is_a_newer_one(writer: Writer):
    assert state.status() is None
    await writer.write(status={"leader": "one"})
    await writer.write(prices=[make_price()])
    assert await state.astatus() == {"leader": "one"}


async def test_a_leader_that_was_replaced_writes_nothing(writer: Writer):
    await writer.write(prices=[make_price(price=1.0)])
    async with Writer(term=2) as successor, aclosing(subscribe()) as live:
        assert await anext(live) is None
        assert await successor.write(prices=[make_price(price=2.0)])
        assert not await writer.write(prices=[make_price(price=3.0)], points={"BTCUSDT": (1, 3.0)})
        assert await successor.write(prices=[make_price(price=4.0)])
        said = [(await anext(live) or {})["prices"][0]["price"] for _ in range(2)]
    assert said == [2.0, 4.0]
    assert state.latest()["BTCUSDT"].price == 4.0
    assert state.history("BTCUSDT") == []


async def test_symbols_that_are_no_longer_followed_are_dropped(writer: Writer):
    for symbol in ("BTCUSDT", "ETHUSDT"):
        await writer.write(prices=[make_price(symbol)], points={symbol: (1, 1.0)})
    await writer.forget_others(["ETHUSDT"])
    assert set(state.latest()) == {"ETHUSDT"}
    assert state.history("BTCUSDT") == []
    assert len(state.history("ETHUSDT")) == 1


async def test_a_subscriber_gets_the_news_and_only_what_is_new(writer: Writer):
    price = make_price()
    async with aclosing(subscribe()) as live:
        assert await anext(live) is None
        await writer.write(prices=[price])
        await writer.write(activity=[{"id": 1}], status={"leader": "one"})
        assert await anext(live) == {"prices": [price.as_json()]}
        assert await anext(live) == {"activity": [{"id": 1}], "status": {"leader": "one"}}


async def test_a_subscriber_is_told_to_read_again_after_redis_was_gone(settings):
    with private_valkey() as url:
        settings.REDIS_URL = url
        port = int(url.rpartition(":")[2].removesuffix("/0"))
        live = subscribe()
        assert await anext(live) is None
    with private_valkey(port=port):
        async with asyncio.timeout(30), aclosing(live):
            assert await anext(live) is None
            async with Writer(term=1) as writer:
                await writer.write(status={"leader": "two"})
            assert await anext(live) == {"status": {"leader": "two"}}


async def test_readers_say_when_redis_does_not_answer(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    with pytest.raises(StateUnavailableError, match="Redis does not answer"):
        state.latest()


def test_a_price_is_stale_ten_seconds_after_it_was_received():
    price = make_price(received_time_ms=50_000)
    assert (price.age_ms(60_000), price.is_stale(60_000)) == (10_000, False)
    assert price.is_stale(60_001)
    assert price.age_ms(49_000) == 0
