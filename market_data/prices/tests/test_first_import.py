"""A replay of made-up coins, from the first import on one of what is stored, without a restart."""

import json

import pytest
from asgiref.sync import sync_to_async

from market_data import store
from market_data.prices import feed, hub, picture, state
from market_data.prices.following import MAJORS
from market_data.prices.tests.feeding import QUICK, running_feed, until
from market_data.prices.wanted import of_query
from market_data.tests.candle_maker import make_candles

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(60)]
BTC, LINK, NEW = "BTCUSDT", "LINKUSDT", "NEWUSDT"


@pytest.fixture(autouse=True)
def quick_replay(settings, monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    settings.PRICE_SOURCES, settings.PRICE_SYMBOLS = ["replay"], ["top:48"]
    settings.PRICE_FEED, settings.CANDLE_FILES_DIR = QUICK, tmp_path
    monkeypatch.setattr(feed, "LOOK_SECONDS", 0.2)


async def import_candles(*symbols: str) -> None:
    for symbol in symbols:
        await sync_to_async(store.write_candles)(
            symbol=symbol, source="files", interval="1h", candles=make_candles(50)
        )


async def test_what_is_imported_takes_the_place_of_made_up_coins():
    stored = make_candles(50)
    async with running_feed():
        await until(lambda: set(state.latest()) == set(MAJORS))
        assert state.latest()[BTC].price > 2 * stored.high.max(), "so far away that it would be doubted"
        await import_candles(BTC, NEW)
        await until(lambda: set(state.latest()) == {BTC, NEW})
        assert {price.source for price in state.latest().values()} == {"replay"}
        for price in state.latest().values():
            assert stored.low.min() <= price.price <= stored.high.max()
        assert max(price for _, price in state.history(BTC)) <= stored.high.max()


async def test_what_is_imported_later_is_followed_too():
    await import_candles(BTC)
    async with running_feed():
        await until(lambda: set(state.latest()) == {BTC})
        await import_candles(LINK)
        await until(lambda: set(state.latest()) == {BTC, LINK})


async def test_a_viewer_is_told_that_made_up_coins_are_gone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hub, "READ_EVERY_SECONDS", 0.2)
    monkeypatch.setattr(picture, "FORGET_SECONDS", 1.0)
    async with running_feed():
        await until(lambda: set(state.latest()) == set(MAJORS))
        async with hub.watching(of_query("interval=1"), owner_id=1) as viewer:
            first = json.loads(await viewer.next_message())
            assert (first["type"], len(first["prices"])) == ("snapshot", len(MAJORS))
            await import_candles(NEW)
            while (message := json.loads(await viewer.next_message()))["type"] != "snapshot":
                pass
            assert [price["symbol"] for price in message["prices"]] == [NEW]
