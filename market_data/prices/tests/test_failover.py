"""Three sources that misbehave in every way: the right price, the right source, the right age at each step.

ccxt's real Kraken class, a real WebSocket client and a real HTTP client against a local server.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import pairwise

import ccxt.async_support
import pytest
from asgiref.sync import sync_to_async

from market_data import store
from market_data.prices import feed, state
from market_data.prices.following import MAJORS
from market_data.prices.models import FeedLease
from market_data.prices.sources import binance
from market_data.prices.sources.coingecko import CoinGeckoSource
from market_data.prices.tests.feeding import (
    QUICK,
    Published,
    assert_never_doubled,
    listening,
    running_feed,
    until,
    until_shown,
)
from market_data.prices.tests.local_exchange import BINANCE, COINGECKO, KRAKEN, BadExchange, FixedMarket
from market_data.prices.writing import Writer
from market_data.tests.candle_maker import make_candles

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]
BTC, ETH, LINK = "BTCUSDT", "ETHUSDT", "LINKUSDT"


@pytest.fixture
async def exchange(settings, monkeypatch) -> AsyncIterator[BadExchange]:
    """The local server, which settings and sources point to."""
    monkeypatch.setattr(ccxt.async_support.Exchange, "throttle", _no_throttle)
    monkeypatch.setattr(CoinGeckoSource, "least_seconds", 0.2)
    settings.PRICE_SOURCES = ["binance", "ccxt:kraken", "coingecko"]
    settings.PRICE_SYMBOLS = [BTC, ETH]
    settings.PRICE_FEED = QUICK
    exchange = BadExchange(FixedMarket({BTC: 100.0, ETH: 50.0}))
    async with exchange.serving():
        settings.EXCHANGE_URLS = exchange.urls
        yield exchange


async def _no_throttle(*_: object, **__: object) -> None:
    """The local server bears any number of requests."""


@pytest.fixture
async def published(exchange: BadExchange) -> AsyncIterator[Published]:
    """A feed that has been showing the primary source's prices, with the others standing by."""
    async with AsyncExitStack() as stack:
        published = await stack.enter_async_context(listening())
        published.right = {BTC: {100.0, 101.0, 102.0}, ETH: {50.0, 51.0, 52.0}}
        await stack.enter_async_context(running_feed())
        await until_shown(BTC, 100.0, "binance", "primary")
        await until(lambda: states() == ["active", "standby", "standby"])
        yield published
    for symbol, right in published.right.items():
        assert {price.price for price in published.of(symbol)} <= right, "a wrong price was shown"
        if not published.clocks_are_off:
            assert_never_doubled(published.of(symbol))


def states() -> list[str]:
    status = state.status()
    return [one["state"] for one in status["sources"]] if status else []


def reason(rank: int) -> str:
    status = state.status()
    return status["sources"][rank]["reason"] if status else ""


async def fail_over(exchange: BadExchange, fault: str) -> None:
    """Break Binance, and print how long it takes until Kraken's prices are shown."""
    began, began_ms = time.monotonic(), time.time_ns() // 1_000_000
    exchange.faults[BINANCE].kind = fault
    await until_shown(BTC, 101.0, "ccxt:kraken", "secondary", newer_than_ms=began_ms)
    taken = time.monotonic() - began
    await until_shown(ETH, 51.0, "ccxt:kraken", "secondary", newer_than_ms=began_ms)
    print(f"{fault or 'clock'}: failover in {taken:.2f} s")


@pytest.mark.once
@pytest.mark.parametrize("fault", ["stall", "cut", "garbage", "refuse 429", "refuse 503"])
async def test_the_secondary_source_steps_in_and_the_primary_comes_back(
    exchange: BadExchange, published: Published, fault: str
):
    await fail_over(exchange, fault)
    status = state.status()
    assert status is not None
    assert (status["source"], status["role"]) == ("ccxt:kraken", "secondary")
    assert status["sources"][0]["reason"]
    await until(lambda: ("ccxt:kraken", "binance") in published.source_changes())
    exchange.faults[BINANCE].kind = ""
    healed_ms = time.time_ns() // 1_000_000
    await until_shown(BTC, 100.0, "binance", "primary", newer_than_ms=healed_ms)
    await until(lambda: ("binance", "ccxt:kraken") in published.source_changes())
    change = await published.entry("source_change")
    assert change["reason"] == "it works again", "the other one still works"
    assert change["at_ms"] - healed_ms >= 800, "it came back before it had proved itself"


@pytest.mark.once
async def test_a_clock_that_is_an_hour_off_makes_a_source_unusable(
    exchange: BadExchange, published: Published
):
    for hours in (1, -1):
        exchange.faults[BINANCE].clock_ms = hours * 3_600_000
        await fail_over(exchange, "")
        status = state.status()
        assert status is not None
        assert re.search(r"its clock is 3(59|60)\d s", status["sources"][0]["reason"])
        exchange.faults[BINANCE].clock_ms = 0
        await until_shown(BTC, 100.0, "binance", "primary")


@pytest.mark.once
@pytest.mark.parametrize("clock_ms", [25_000, -25_000])
async def test_a_clock_that_is_off_by_less_delays_neither_failover_nor_return(
    exchange: BadExchange, published: Published, clock_ms: int
):
    faults = exchange.faults[BINANCE]
    faults.clock_ms = clock_ms
    shown = len(published.of(BTC))
    await until(lambda: len(published.of(BTC)) > shown + 2)
    for kind, price, source in (("cut", 101.0, "ccxt:kraken"), ("", 100.0, "binance")):
        faults.kind = kind
        await until(lambda price=price: published.of(BTC)[-1].price == price, f"{price} from {source}", 10.0)
        assert published.of(BTC)[-1].source == source
    published.clocks_are_off = True


@pytest.mark.once
@pytest.mark.parametrize("factor", [0.0, -1.0, 100.0, 0.01, 1.6])
async def test_a_price_that_cannot_be_is_quarantined_and_another_sources_shown(
    exchange: BadExchange, published: Published, factor: float
):
    exchange.faults[BINANCE].factor = {BTC: factor}
    await until_shown(BTC, 101.0, "ccxt:kraken", "secondary")
    await until_shown(ETH, 50.0, "binance", "primary")
    entry = await published.entry("quarantined")
    assert (entry["symbol"], entry["source"]) == (BTC, "binance")
    assert published.kinds().count("quarantined") == 1
    exchange.faults[BINANCE].factor = {}
    await until_shown(BTC, 100.0, "binance", "primary")


async def test_a_real_move_that_another_source_confirms_is_shown(exchange: BadExchange, published: Published):
    published.right[BTC] |= {30.0, 31.0, 32.0}
    exchange.fixed.prices[BTC] = 30.0
    await until_shown(BTC, 30.0, "binance", "primary")
    assert (await published.entry("large_move"))["change"] == pytest.approx(-0.7, abs=0.01)


@pytest.mark.once
async def test_late_and_doubled_messages_change_nothing(exchange: BadExchange, published: Published):
    published.right[BTC].add(100.2)
    now_ms = time.time_ns() // 1_000_000
    late = exchange.ticker_message(BTC, now_ms - 5000, price=100.5)
    fresh = exchange.ticker_message(BTC, now_ms + 1500, price=100.2)
    exchange.extra += [late, fresh, fresh, late]
    await until(lambda: 100.2 in {price.price for price in published.of(BTC)})
    await until(lambda: published.of(BTC)[-1].price == 100.0)
    assert [price.price for price in published.of(BTC)].count(100.2) == 1
    assert 100.5 not in {price.price for price in published.of(BTC)}


@pytest.mark.once
async def test_a_symbol_that_is_delisted_is_shown_from_a_source_that_still_trades_it(
    exchange: BadExchange, published: Published, monkeypatch: pytest.MonkeyPatch
):
    exchange.delisted[BINANCE].add(ETH)
    monkeypatch.setattr(binance, "SILENT_SECONDS", 0.3)
    exchange.faults[BINANCE].kind = "cut"
    await until(lambda: states()[0] == "failed")
    exchange.faults[BINANCE].kind = ""
    assert (await published.entry("delisted"))["symbol"] == ETH
    await until_shown(BTC, 100.0, "binance", "primary")
    await until_shown(ETH, 51.0, "ccxt:kraken", "secondary")


@pytest.mark.once
async def test_the_third_source_is_used_when_the_first_two_are_gone(
    exchange: BadExchange, published: Published
):
    exchange.faults[BINANCE].kind = exchange.faults[KRAKEN].kind = "cut"
    await until_shown(BTC, 102.0, "coingecko", "tertiary")
    exchange.faults[KRAKEN].kind = ""
    await until_shown(BTC, 101.0, "ccxt:kraken", "secondary")


@pytest.mark.once
async def test_without_any_source_the_last_price_stays_and_grows_old(
    exchange: BadExchange, published: Published
):
    for protocol in (BINANCE, KRAKEN, COINGECKO):
        exchange.faults[protocol].kind = "refuse 503"
    await published.entry("outage")
    last = state.latest([BTC])[BTC]
    await asyncio.sleep(1.0)
    assert state.latest([BTC])[BTC] == last
    assert last.age_ms() >= 1000
    await until(lambda: set(states()) == {"failed"})
    status = state.status()
    assert status is not None
    assert status["source"] is None
    for protocol in (BINANCE, KRAKEN, COINGECKO):
        exchange.faults[protocol].kind = ""
    await published.entry("recovered")
    await until_shown(BTC, 100.0, "binance", "primary")


async def test_a_leader_that_was_replaced_steps_down_and_leads_again_only_in_a_later_term(
    exchange: BadExchange, published: Published
):
    term = (await FeedLease.objects.aget()).term
    async with Writer(term + 1) as successor:
        assert await successor.write(status={"leader": "another one"})
    written_ms = time.time_ns() // 1_000_000
    await until_shown(BTC, 100.0, "binance", "primary", newer_than_ms=written_ms + 200)
    assert (await FeedLease.objects.aget()).term > term + 1


@pytest.mark.once
@pytest.mark.parametrize(
    ("rank", "protocol", "status"),
    [(0, BINANCE, 429), (0, BINANCE, 418), (1, KRAKEN, 429), (2, COINGECKO, 429)],
)
async def test_a_wait_that_an_exchange_asks_for_is_kept(
    exchange: BadExchange, published: Published, rank: int, protocol: str, status: int
):
    faults, asked_at = exchange.faults[protocol], exchange.asked_at[protocol]
    faults.kind, faults.retry_after = f"refuse {status}", 2
    await until(lambda: str(status) in reason(rank))
    asked, refused_at = len(asked_at), asked_at[-1]
    faults.kind = ""
    await until(lambda: states()[rank] in ("active", "standby"))
    assert asked_at[asked] - refused_at >= 2.0
    await until_shown(BTC, 100.0, "binance", "primary")


@pytest.mark.once
async def test_a_source_that_fails_is_asked_less_and_less(exchange: BadExchange, published: Published):
    exchange.faults[KRAKEN].kind = "refuse 503"
    await until(lambda: states()[1] == "failed")
    began = len(exchange.asked_at[KRAKEN])
    await until(lambda: len(exchange.asked_at[KRAKEN]) >= began + 4)
    asked = exchange.asked_at[KRAKEN][began - 1 : began + 4]
    waits = [after - before for before, after in pairwise(asked)]
    least = [0.8 * min(QUICK["first_wait_seconds"] * 2**number, 1.0) for number in range(4)]
    assert all(wait >= seconds for wait, seconds in zip(waits, least, strict=True)), waits


async def test_symbols_that_come_to_the_store_while_a_feed_runs_are_followed(
    exchange: BadExchange, settings, monkeypatch: pytest.MonkeyPatch, tmp_path
):
    settings.PRICE_SYMBOLS, settings.CANDLE_FILES_DIR = ["top:3"], tmp_path
    monkeypatch.setattr(feed, "LOOK_SECONDS", 0.2)
    exchange.market = exchange.fixed = FixedMarket(dict.fromkeys(MAJORS, 10.0) | {BTC: 100.0, LINK: 15.0})
    async with running_feed():
        await until_shown(BTC, 100.0, "binance", "primary")
        first = (await FeedLease.objects.aget()).term
        for symbol in (BTC, LINK):
            await sync_to_async(store.write_candles)(
                symbol=symbol, source="files", interval="1h", candles=make_candles(50)
            )
        await until_shown(LINK, 15.0, "binance", "primary")
        await until_shown(BTC, 100.0, "binance", "primary")
        second = (await FeedLease.objects.aget()).term
        assert second > first
        await asyncio.sleep(1.0)
        assert (await FeedLease.objects.aget()).term == second, "nothing is new any more"
