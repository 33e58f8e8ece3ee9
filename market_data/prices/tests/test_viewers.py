"""What viewers get: the newest, at most once per their interval, however slow they are and whatever dies."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, suppress
from itertools import count, pairwise
from typing import Any

import orjson
import pytest
from django.conf import settings as django_settings
from redis import Redis
from redis.exceptions import RedisError

from market_data.prices import hub, picture, state, viewers
from market_data.prices.tests.conftest import LONG_SECONDS
from market_data.prices.tests.price_maker import make_price
from market_data.prices.viewers import Viewer
from market_data.prices.wanted import InvalidWantedError, Wanted
from market_data.prices.writing import Writer
from tests.servers import private_valkey
from workers.cancelling import cancel

pytestmark = pytest.mark.usefixtures("patient")
BEFORE = 5000.0
"""Higher than any price that counts up to in a test."""
SYMBOLS = tuple(f"C{number:02d}USDT" for number in range(48))
LIVE = {
    "leader": "host:1",
    "source": "binance",
    "role": "primary",
    "since_ms": 1,
    "is_replay": False,
    "sources": [],
}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def feed_status(**fields: Any) -> dict[str, Any]:
    return {**LIVE, "beat_ms": now_ms(), **fields}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is waited for in tests comes soon."""
    monkeypatch.setattr(hub, "CHECK_SECONDS", 0.05)
    monkeypatch.setattr(viewers, "URGENT_SECONDS", 0.05)


@asynccontextmanager
async def viewing(*symbols: str, interval: int = 1, **more: Any) -> AsyncGenerator[Viewer]:
    wanted = Wanted(frozenset(symbols) or None, interval, **more)
    async with hub.watching(wanted, owner_id=1) as viewer:
        yield viewer


async def message(viewer: Viewer, *, seconds: float = 30.0) -> dict[str, Any]:
    async with asyncio.timeout(seconds):
        return orjson.loads(await viewer.next_message())


async def matching(viewer: Viewer, is_it: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
    """The first message for which something holds."""
    async with asyncio.timeout(30):
        while not is_it(found := await message(viewer)):
            pass
    return found


async def known(viewer: Viewer, symbol: str, price: float) -> None:
    """Wait until the process has heard of a price; its viewers may have been sent it or not."""
    async with asyncio.timeout(30):
        while viewer._picture.rows[symbol].price.price != price:
            await asyncio.sleep(0.01)


def prices_in(message: dict[str, Any]) -> dict[str, float]:
    return {price["symbol"]: price["price"] for price in message["prices"]}


async def test_the_first_message_has_all_that_is_wanted_with_source_and_age(writer: Writer):
    old = make_price("ETHUSDT", 7.0, received_time_ms=now_ms() - 60_000)
    entries = [
        {"id": 1, "at_ms": 1, "kind": "large_move", "symbol": "BTCUSDT"},
        {"id": 2, "at_ms": 2, "kind": "outage"},
    ]
    await writer.write(
        prices=[make_price(), old, make_price("XRPUSDT")], activity=entries, status=feed_status()
    )
    async with viewing("BTCUSDT", "ETHUSDT") as viewer:
        first = await message(viewer)
    assert (first["type"], prices_in(first)) == ("snapshot", {"BTCUSDT": 100.0, "ETHUSDT": 7.0})
    by_symbol = {price["symbol"]: price for price in first["prices"]}
    assert not by_symbol["BTCUSDT"]["stale"]
    assert by_symbol["BTCUSDT"]["age_ms"] < 30_000
    assert by_symbol["ETHUSDT"]["stale"]
    assert by_symbol["ETHUSDT"]["age_ms"] >= 60_000
    assert (by_symbol["ETHUSDT"]["source"], by_symbol["ETHUSDT"]["role"]) == ("binance", "primary")
    assert [entry["id"] for entry in first["activity"]] == [1, 2]
    assert (first["status"]["state"], first["status"]["source"]) == ("live", "binance")
    assert "leader" not in first["status"]


async def test_each_symbol_comes_at_most_once_per_interval_and_then_the_newest(writer: Writer):
    await writer.write(prices=[make_price(price=0.0)], status=feed_status())
    async with viewing("BTCUSDT") as viewer:
        await message(viewer)
        sent_at, newest = [viewer._sent_at], [0.0]
        writing = asyncio.create_task(_write_prices(writer))
        for _ in range(2):
            newest.append(prices_in(await message(viewer))["BTCUSDT"])
            sent_at.append(viewer._sent_at)
        await cancel([writing])
    assert all(later - earlier >= 1.0 for earlier, later in pairwise(sent_at))
    assert all(later - earlier >= 3 for earlier, later in pairwise(newest)), "not the next, but the newest"


async def _write_prices(writer: Writer) -> None:
    """A price that counts up, twenty times a second, until cancelled."""
    for number in count(1):
        with suppress(RedisError):  # the first write after a restart meets a connection that is gone
            await writer.write(prices=[make_price(price=float(number))])
        await asyncio.sleep(0.05)


async def test_a_viewer_that_does_not_read_gets_one_message_with_the_newest_afterwards(writer: Writer):
    await writer.write(prices=[make_price(symbol) for symbol in SYMBOLS], status=feed_status())
    async with viewing() as viewer:
        await message(viewer)
        for number in range(30):
            await writer.write(prices=[make_price(symbol, float(number)) for symbol in SYMBOLS])
        await known(viewer, SYMBOLS[-1], 29.0)
        assert prices_in(await message(viewer)) == dict.fromkeys(SYMBOLS, 29.0)
        assert viewer._changed == set()


async def test_only_what_changed_is_sent_again(writer: Writer):
    await writer.write(prices=[make_price(), make_price("ETHUSDT")], status=feed_status())
    async with viewing() as viewer:
        await message(viewer)
        await writer.write(prices=[make_price("ETHUSDT", 8.0)])
        update = await message(viewer)
    assert (update["type"], prices_in(update), update["status"]) == ("update", {"ETHUSDT": 8.0}, None)


async def test_a_paused_viewer_gets_no_prices_and_catches_up_at_once(writer: Writer):
    await writer.write(prices=[make_price()], status=feed_status())
    async with viewing("BTCUSDT", interval=30) as viewer:
        await message(viewer)
        viewer.pause()
        for number in (1.0, 2.0):
            await writer.write(
                prices=[make_price(price=number)], activity=[{"id": int(number), "kind": "recovered"}]
            )
        await known(viewer, "BTCUSDT", 2.0)
        with pytest.raises(TimeoutError):
            await message(viewer, seconds=0.3)
        viewer.resume()
        caught_up = await message(viewer)
    assert prices_in(caught_up) == {"BTCUSDT": 2.0}
    assert [entry["id"] for entry in caught_up["activity"]] == [1, 2]


async def test_a_paused_viewer_hears_of_a_dead_feed_when_it_goes_on_and_of_alerts_at_once(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
):
    await writer.write(prices=[make_price()], status=feed_status())
    async with viewing(interval=30) as viewer:
        await message(viewer)
        viewer.pause()
        monkeypatch.setattr(picture, "SILENT_SECONDS", 0)
        monkeypatch.setattr(state, "STALE_SECONDS", 0)
        with pytest.raises(TimeoutError):
            await message(viewer, seconds=0.5)
        await asyncio.to_thread(state.announce, {"alerts": [{"owner_id": 1, "id": "a"}]})
        told = await message(viewer)
        assert (told["alerts"], told["prices"], told["status"]) == ([{"id": "a"}], [], None)
        viewer.resume()
        caught_up = await message(viewer)
    assert (caught_up["status"]["state"], caught_up["prices"][0]["stale"]) == ("silent", True)


async def test_a_viewer_that_watches_something_else_begins_with_all_of_it(writer: Writer):
    await writer.write(prices=[make_price(), make_price("ETHUSDT", 7.0)], status=feed_status())
    async with viewing("BTCUSDT", interval=30) as viewer:
        await message(viewer)
        viewer.watch(Wanted(frozenset({"ETHUSDT"}), 1))
        again = await message(viewer)
        assert (again["type"], prices_in(again)) == ("snapshot", {"ETHUSDT": 7.0})
        with pytest.raises(InvalidWantedError, match="no live prices of NOSUCH"):
            viewer.watch(Wanted(frozenset({"NOSUCH"})))
        assert viewer.wanted.symbols == {"ETHUSDT"}


async def test_prices_of_another_source_than_the_wanted_one_are_left_out(writer: Writer):
    sources = [{"name": "binance"}, {"name": "ccxt:kraken"}]
    await writer.write(prices=[make_price()], status=feed_status(sources=sources))
    async with viewing(source="ccxt:kraken") as viewer:
        assert (await message(viewer))["prices"] == []
        await writer.write(prices=[make_price(price=1.0)])
        await writer.write(prices=[make_price("ETHUSDT", 2.0, source="ccxt:kraken", role="secondary")])
        assert prices_in(await matching(viewer, lambda one: one["prices"])) == {"ETHUSDT": 2.0}


async def test_a_feed_that_died_is_told_of_and_its_prices_turn_stale(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
):
    await writer.write(prices=[make_price()], status=feed_status())
    async with viewing("BTCUSDT", interval=30) as viewer:
        assert (await message(viewer))["status"]["state"] == "live"
        monkeypatch.setattr(picture, "SILENT_SECONDS", 0.4)
        monkeypatch.setattr(state, "STALE_SECONDS", 0.6)
        silent = await matching(viewer, lambda one: one["status"])
        assert silent["status"]["state"] == "silent"
        stale = silent if silent["prices"] else await matching(viewer, lambda one: one["prices"])
        assert (stale["prices"][0]["stale"], stale["prices"][0]["age_ms"] >= 600) == (True, True)
        monkeypatch.setattr(picture, "SILENT_SECONDS", LONG_SECONDS)
        monkeypatch.setattr(state, "STALE_SECONDS", LONG_SECONDS)
        await writer.write(prices=[make_price()], status=feed_status())
        assert (await matching(viewer, lambda one: one["status"]))["status"]["state"] == "live"


async def test_a_feed_without_a_working_source_is_stale_but_not_silent(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
):
    await writer.write(prices=[make_price()], status=feed_status())
    async with viewing() as viewer:
        await message(viewer)
        monkeypatch.setattr(state, "STALE_SECONDS", 0)
        assert (await matching(viewer, lambda one: one["status"]))["status"]["state"] == "stale"


async def test_where_there_never_was_a_feed_a_viewer_is_told_so_and_then_gets_the_first_price(writer: Writer):
    async with viewing("BTCUSDT") as viewer:
        first = await message(viewer)
        assert (first["prices"], first["status"]["state"]) == ([], "none")
        await writer.write(prices=[make_price()], status=feed_status())
        later = await matching(viewer, lambda one: one["prices"])
    assert prices_in(later) == {"BTCUSDT": 100.0}


async def test_a_change_of_the_source_does_not_wait_for_the_interval(writer: Writer):
    await writer.write(prices=[make_price()], status=feed_status())
    async with viewing(interval=30) as viewer:
        await message(viewer)
        await writer.write(
            prices=[make_price(price=1.0)], status=feed_status(source="coingecko", role="tertiary")
        )
        update = await message(viewer)
    assert (update["status"]["source"], update["status"]["role"], update["prices"]) == (
        "coingecko",
        "tertiary",
        [],
    )


async def test_a_fired_alert_reaches_its_owners_viewers_only(writer: Writer):
    await writer.write(prices=[make_price()], status=feed_status())
    async with viewing(interval=30) as own, hub.watching(Wanted(), owner_id=2) as foreign:
        await message(own)
        await message(foreign)
        await asyncio.to_thread(state.announce, {"alerts": [{"owner_id": 1, "id": "a"}]})
        assert (await message(own))["alerts"] == [{"id": "a"}]
        with pytest.raises(TimeoutError):
            await message(foreign, seconds=0.3)


async def test_a_quiet_connection_is_kept_alive_without_prices(
    writer: Writer, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(viewers, "KEEP_ALIVE_SECONDS", 0.3)
    await writer.write(prices=[make_price()], status=feed_status())
    async with viewing(interval=30) as viewer:
        await message(viewer)
        await writer.write(prices=[make_price(price=1.0)])
        quiet = await message(viewer)
    assert (quiet["type"], quiet["prices"], quiet["alerts"]) == ("update", [], [])
    assert quiet["at_ms"] > 0


async def test_a_message_that_cannot_be_read_costs_nothing_but_itself(writer: Writer):
    await writer.write(prices=[make_price(price=BEFORE)], status=feed_status())
    async with viewing() as viewer:
        await message(viewer)
        await asyncio.to_thread(state.announce, {"prices": [{"colour": "green"}]})
        await asyncio.to_thread(state.announce, {"alerts": ["nothing"]})
        writing = asyncio.create_task(_write_prices(writer))
        assert prices_in(await matching(viewer, lambda one: one["prices"]))["BTCUSDT"] < BEFORE
        await cancel([writing])


async def test_any_number_of_viewers_cost_one_subscription_that_ends_with_the_last(writer: Writer):
    await writer.write(prices=[make_price()], status=feed_status())
    async with AsyncExitStack() as stack:
        watching = [await stack.enter_async_context(viewing()) for _ in range(50)]
        assert [prices_in(await message(viewer)) for viewer in watching] == [{"BTCUSDT": 100.0}] * 50
        assert len(hub._hubs) == 1
        assert _subscribers() == 1
    assert hub._hubs == {}
    async with asyncio.timeout(30):
        while _subscribers():
            await asyncio.sleep(0.02)


def _subscribers() -> int:
    with Redis.from_url(django_settings.REDIS_URL) as server:
        return server.pubsub_numsub(state.key("live"))[0][1]


async def test_a_redis_that_dies_and_comes_back_empty_costs_a_viewer_nothing_but_time(settings, monkeypatch):
    with ExitStack() as first:
        url = settings.REDIS_URL = first.enter_context(private_valkey())
        async with Writer(term=1) as writer:
            await writer.write(prices=[make_price(price=BEFORE)], status=feed_status())
            async with viewing() as viewer:
                await message(viewer)
                monkeypatch.setattr(picture, "SILENT_SECONDS", 0.5)
                await asyncio.to_thread(first.close)
                assert (await matching(viewer, lambda one: one["status"]))["status"]["state"] == "silent"
                with private_valkey(port=int(url.rpartition(":")[2].removesuffix("/0"))):
                    writing = asyncio.create_task(_write_prices(writer))
                    assert prices_in(await matching(viewer, lambda one: one["prices"]))["BTCUSDT"] < BEFORE
                    await cancel([writing])
