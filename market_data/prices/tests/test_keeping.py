"""Closed candles on their way into the store."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from asgiref.sync import sync_to_async

from market_data import store
from market_data.candles import Candles
from market_data.intervals import HOUR_MS
from market_data.models import CandleSeries
from market_data.prices import keeping, kept
from market_data.prices.keeping import CandleKeeper
from market_data.prices.lease import ReplacedError
from market_data.prices.replay.exchange import LocalExchange
from market_data.prices.replay.market import ReplayMarket
from market_data.prices.replay.rest import open_replay_exchange
from market_data.prices.sources.protocol import ClosedCandle
from market_data.prices.threads import DatabaseThread
from market_data.tests.candle_maker import START_MS, make_candles, same

pytestmark = pytest.mark.django_db(transaction=True)
MARKET = ReplayMarket({"BTCUSDT": make_candles(500), "ETHUSDT": make_candles(500, seed=2)})
STORED = 5
CLOSED = 12


def at(hour: int) -> int:
    return START_MS + hour * HOUR_MS


def candle(hour: int, **changes: Any) -> ClosedCandle:
    """The market's candle of an hour as the stream tells of it."""
    one = MARKET.candles("BTCUSDT", "1h", at(hour), at(hour + 1), at(hour + 1))
    values = {name: float(getattr(one, name)[0]) for name in ("open", "high", "low", "close", "volume")}
    return replace(ClosedCandle("BTCUSDT", "1h", at(hour), **values), **changes)


class Lead:
    """Who leads, which a test says."""

    lost = False

    def confirm(self) -> None:
        if self.lost:
            raise ReplacedError


@pytest.fixture
def lead() -> Lead:
    return Lead()


class Clock:
    """The exchange's time, which a test sets."""

    def __init__(self) -> None:
        self.now_ms = at(STORED) + 60_000

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def exchange(clock: Clock, settings, tmp_path) -> AsyncIterator[LocalExchange]:
    settings.CANDLE_FILES_DIR = tmp_path
    exchange = LocalExchange(MARKET, clock=clock)
    async with exchange.serving():
        yield exchange


@pytest.fixture
async def waiting(
    exchange: LocalExchange, lead: Lead, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[CandleKeeper]:
    """Keeps `binance` current, of which the first five candles are stored; prices have been near 100."""
    monkeypatch.setattr(kept, "FIRST_RETRY_SECONDS", 0.1)
    monkeypatch.setattr(keeping, "RELOAD_SECONDS", 0.2)
    await sync_to_async(write)("binance")
    thread = DatabaseThread("test-candles")

    def open_exchange() -> Any:
        opened = open_replay_exchange(exchange.url)
        opened.name, opened.is_replay = "binance", False
        return opened

    keeper = CandleKeeper(
        "binance",
        ["BTCUSDT", "ETHUSDT"],
        ["1h"],
        thread=thread,
        open_exchange=open_exchange,
        is_plausible=lambda symbol, price: 50 < price < 200,
        is_replay=False,
        confirm=lead.confirm,
        patience_seconds=0.3,
    )
    await keeper.load()
    yield keeper
    thread.end()


@pytest.fixture
async def keeper(waiting: CandleKeeper) -> AsyncIterator[CandleKeeper]:
    """The same at work."""
    running = asyncio.create_task(waiting.run())
    yield waiting
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def write(source: str, **options: Any) -> None:
    candles = MARKET.candles("BTCUSDT", "1h", at(0), at(STORED), at(STORED))
    store.write_candles(symbol="BTCUSDT", source=source, interval="1h", candles=candles, **options)


def series(source: str = "binance") -> CandleSeries:
    return CandleSeries.objects.get(source=source, cryptocurrency__symbol="BTCUSDT")


async def until_stored(hours: int) -> None:
    """Wait until the series ends with the candle before that hour; all of them are the market's."""
    found = await sync_to_async(series)()
    deadline = time.monotonic() + 30
    while found.last_open_ms != at(hours - 1) and time.monotonic() < deadline:
        await asyncio.sleep(0.05)
        found = await sync_to_async(series)()
    loaded = await sync_to_async(store.load_candles)(found, 0, 1 << 62)
    assert same(loaded, MARKET.candles("BTCUSDT", "1h", at(0), at(hours), at(hours)))


async def test_a_candle_that_closes_is_appended_and_the_version_rises(keeper: CandleKeeper):
    before = (await sync_to_async(series)()).version
    keeper.put(candle(STORED))
    await until_stored(STORED + 1)
    assert (await sync_to_async(series)()).version == before + 1


async def test_doubled_late_and_shuffled_candles_change_nothing(keeper: CandleKeeper):
    for hour in (STORED + 1, STORED, 2, STORED, STORED + 2):
        keeper.put(candle(hour))
    await until_stored(STORED + 3)
    version = (await sync_to_async(series)()).version
    keeper.put(candle(STORED, close=candle(STORED).high))
    await asyncio.sleep(0.5)
    assert (await sync_to_async(series)()).version == version


@pytest.mark.parametrize(
    "nonsense",
    [
        {"close": 9000.0, "high": 9000.0},
        {"close": 0.0},
        {"low": 150.0},
        {"volume": -1.0},
        {"close": float("nan")},
        {"open_time_ms": at(STORED) + 1},
    ],
    ids=str,
)
async def test_a_candle_that_cannot_be_is_not_stored_but_the_right_one_fetched(
    keeper: CandleKeeper, clock: Clock, nonsense: dict[str, float]
):
    keeper.put(candle(STORED, **nonsense))
    await asyncio.sleep(0.5)
    await until_stored(STORED)
    clock.now_ms = at(STORED + 1) + 1000
    keeper.tell_time(clock.now_ms)
    await until_stored(STORED + 1)


async def test_what_was_missed_is_fetched_and_nothing_that_still_grows(keeper: CandleKeeper, clock: Clock):
    clock.now_ms = at(CLOSED) + 1_800_000
    keeper.put(candle(CLOSED - 1))  # leaves a gap
    keeper.tell_time(clock.now_ms)
    await until_stored(CLOSED)


async def test_an_exchange_whose_clock_is_ahead_does_not_get_a_growing_candle_stored(
    keeper: CandleKeeper, clock: Clock
):
    clock.now_ms = at(CLOSED + 1) + 1000
    keeper.tell_time(at(CLOSED) + 1000)
    await until_stored(CLOSED)


class LeapingMarket(ReplayMarket):
    """The market, but for some hours whose prices are a hundred times too high."""

    def __init__(self, *hours: int) -> None:
        super().__init__({"BTCUSDT": make_candles(500), "ETHUSDT": make_candles(500, seed=2)})
        self._wrong_ms = [at(hour) for hour in hours]

    def candles(self, symbol: str, interval: str, start_ms: int, end_ms: int, at_ms: int) -> Candles:
        found = super().candles(symbol, interval, start_ms, end_ms, at_ms)
        wrong = np.isin(found.open_time_ms, self._wrong_ms)
        for prices in (found.open, found.high, found.low, found.close):
            prices[wrong] *= 100
        return found


@pytest.mark.parametrize(
    "hours", [(7,), range(STORED, CLOSED)], ids=["one leaps", "all are far from the price"]
)
async def test_candles_that_no_market_has_are_refused_until_they_are_right(
    keeper: CandleKeeper, clock: Clock, exchange: LocalExchange, hours: Sequence[int]
):
    exchange.market = LeapingMarket(*hours)
    clock.now_ms = at(CLOSED) + 1000
    keeper.tell_time(clock.now_ms)
    await asyncio.sleep(1.0)
    await until_stored(STORED)
    exchange.market = MARKET
    await until_stored(CLOSED)


async def test_only_series_that_came_by_a_download_are_kept_current(keeper: CandleKeeper):
    await sync_to_async(write)("files")
    assert keeper.keys() == [("BTCUSDT", "1h")]
    keeper.put(candle(STORED))
    keeper.put(replace(candle(STORED), symbol="ETHUSDT"))
    await until_stored(STORED + 1)
    assert (await sync_to_async(series)("files")).candle_count == STORED
    assert await sync_to_async(CandleSeries.objects.count)() == 2


async def test_a_feed_that_was_replaced_stores_no_candle(waiting: CandleKeeper, lead: Lead, clock: Clock):
    lead.lost = True
    waiting.put(candle(STORED))
    with pytest.raises(ReplacedError):
        await waiting.run()
    clock.now_ms = at(CLOSED) + 1000
    waiting.tell_time(clock.now_ms)
    with pytest.raises(ReplacedError):
        await waiting.run()
    await until_stored(STORED)


async def test_a_series_that_was_deleted_is_not_begun_again(keeper: CandleKeeper, clock: Clock):
    await CandleSeries.objects.all().adelete()
    keeper.put(candle(STORED))
    clock.now_ms = at(CLOSED) + 1000
    keeper.tell_time(clock.now_ms)
    async with asyncio.timeout(30):
        while keeper.keys():
            await asyncio.sleep(0.05)
    keeper.put(candle(CLOSED))
    await asyncio.sleep(0.5)
    assert not await CandleSeries.objects.aexists()


async def test_a_candle_leaves_no_hole_in_a_series_that_is_just_downloaded_anew(keeper: CandleKeeper):
    await CandleSeries.objects.all().adelete()
    first = MARKET.candles("BTCUSDT", "1h", at(0), at(2), at(2))
    await sync_to_async(store.write_candles)(symbol="BTCUSDT", source="binance", interval="1h", candles=first)
    keeper.put(candle(STORED))
    await asyncio.sleep(0.5)
    await until_stored(2)


async def test_a_series_that_is_downloaded_while_the_feed_runs_is_kept_current(
    keeper: CandleKeeper, clock: Clock
):
    candles = MARKET.candles("ETHUSDT", "1h", at(0), at(STORED), at(STORED))
    await sync_to_async(store.write_candles)(
        symbol="ETHUSDT", source="binance", interval="1h", candles=candles
    )
    clock.now_ms = at(CLOSED) + 1000
    keeper.tell_time(clock.now_ms)
    await until_stored(CLOSED)
    async with asyncio.timeout(30):
        while not await CandleSeries.objects.filter(
            cryptocurrency__symbol="ETHUSDT", last_open_ms=at(CLOSED - 1)
        ).aexists():
            await asyncio.sleep(0.05)


async def test_a_replay_makes_series_of_its_own_marked_as_generated(exchange: LocalExchange):
    thread = DatabaseThread("test-candles")
    keeper = CandleKeeper(
        "replay",
        ["BTCUSDT"],
        ["1h"],
        thread=thread,
        open_exchange=lambda: open_replay_exchange(exchange.url),
        is_plausible=lambda symbol, price: True,
        is_replay=True,
        confirm=lambda: None,
        patience_seconds=0.3,
    )
    await keeper.load()
    running = asyncio.create_task(keeper.run())
    keeper.put(candle(STORED))
    async with asyncio.timeout(30):
        while not await CandleSeries.objects.filter(source="replay").aexists():
            await asyncio.sleep(0.05)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    thread.end()
    made = await sync_to_async(series)("replay")
    assert (made.generated, made.candle_count, made.first_open_ms) == (True, 1, at(STORED))
