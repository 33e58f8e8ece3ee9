"""The local exchange: true to the protocol, and the same history whoever asks and whenever."""

import asyncio
from collections.abc import AsyncIterator

import ccxt
import httpx
import numpy as np
import pytest

from market_data import store
from market_data.candles import Candles, validate
from market_data.exchanges.connection import open_exchange
from market_data.intervals import DAY_MS, HOUR_MS, MINUTE_MS
from market_data.market import source_for
from market_data.prices.replay.exchange import LocalExchange
from market_data.prices.replay.market import ReplayMarket
from market_data.prices.replay.rest import open_replay_exchange
from market_data.prices.replay.stored import market_to_play, stored_market, stored_symbols
from market_data.prices.sources import binance
from market_data.prices.sources.protocol import ClosedCandle, Event, Pace, Tick
from market_data.prices.tests.local_exchange import sped_up
from market_data.tests.candle_maker import START_MS, make_candles, same

NOW_MS = START_MS + 400 * DAY_MS + 20_500
COUNT = 100


@pytest.fixture
def market() -> ReplayMarket:
    return ReplayMarket({"BTCUSDT": make_candles(COUNT), "ETHUSDT": make_candles(1600, seed=2)})


@pytest.fixture
async def exchange(market: ReplayMarket) -> AsyncIterator[LocalExchange]:
    exchange = LocalExchange(market, clock=lambda: NOW_MS)
    async with exchange.serving():
        yield exchange


def minutes(market: ReplayMarket, first: int, count: int) -> Candles:
    start_ms = first * MINUTE_MS
    end_ms = start_ms + count * MINUTE_MS
    return market.candles("BTCUSDT", "1m", start_ms, end_ms, end_ms)


def test_each_minute_is_a_stored_candle_forwards_and_then_backwards(market: ReplayMarket):
    stored = make_candles(COUNT)
    played = minutes(market, 2 * COUNT * 7, 2 * COUNT)
    assert played.close[:COUNT].tolist() == stored.close.tolist()
    assert played.close[COUNT:].tolist() == stored.open[::-1].tolist()
    assert played.open[COUNT:].tolist() == stored.close[::-1].tolist()
    assert np.diff(played.open_time_ms).tolist() == [MINUTE_MS] * (2 * COUNT - 1)
    validate(played)


def test_the_price_moves_within_its_minute_and_ends_at_its_close(market: ReplayMarket):
    minute = minutes(market, NOW_MS // MINUTE_MS, 1)
    start_ms = NOW_MS // MINUTE_MS * MINUTE_MS
    prices = [market.ticker("BTCUSDT", start_ms + step * 1000).price for step in range(60)]
    assert prices[0] == minute.open[0]
    assert (max(prices), min(prices)) == (minute.high[0], minute.low[0])
    assert abs(prices[-1] - minute.close[0]) < minute.high[0] - minute.low[0]
    assert {round(price, 2) for price in prices} == set(prices), "prices have the decimals of the candles"


def test_the_24_hours_are_those_of_the_candles(market: ReplayMarket):
    ticker = market.ticker("BTCUSDT", NOW_MS)
    day = minutes(market, NOW_MS // MINUTE_MS - 1439, 1439)
    assert ticker.open == day.open[0]
    assert (ticker.high, ticker.low) == (max(day.high.max(), ticker.price), min(day.low.min(), ticker.price))
    assert ticker.volume == pytest.approx(day.volume.sum())


async def test_ccxt_and_the_feeds_own_client_read_the_same_candles(
    exchange: LocalExchange, settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(ccxt.Exchange, "throttle", lambda *_args, **_options: None)
    settings.EXCHANGE_URLS = {"binance": exchange.url}
    since_ms = START_MS + 399 * DAY_MS
    pages: list[Candles] = []
    for client in (open_exchange("binance"), open_replay_exchange(exchange.url)):
        assert await asyncio.to_thread(client.now_ms) == NOW_MS
        market = await asyncio.to_thread(client.market, "BTCUSDT")
        pages.append(await asyncio.to_thread(client.page, market, "1h", since_ms))
    assert same(*pages)
    end_ms = NOW_MS + HOUR_MS
    assert same(pages[0], exchange.market.candles("BTCUSDT", "1h", since_ms, end_ms, NOW_MS))
    assert pages[0].open_time_ms[-1] == NOW_MS // HOUR_MS * HOUR_MS, "the last one still grows"


async def test_the_stream_says_prices_and_closed_candles_as_the_rest_interface_does(market: ReplayMarket):
    clock = sped_up(START_MS + 10_000, 600)
    exchange = LocalExchange(market, clock=clock, tick_seconds=0.05)
    async with exchange.serving():
        source = binance.BinanceSource(
            "replay", stream_url=exchange.url.replace("http", "ws"), is_replay=True
        )
        pace = Pace(poll_seconds=1, standby_seconds=1)
        events: list[Event] = []
        stream = source.events(["BTCUSDT"], [("BTCUSDT", "1m"), ("ETHUSDT", "5m")], pace)
        async for batch in stream:
            events += batch
            if sum(isinstance(event, ClosedCandle) for event in events) >= 14:
                break
        await stream.aclose()
    candles = [event for event in events if isinstance(event, ClosedCandle)]
    assert any(isinstance(event, Tick) and event.symbol == "BTCUSDT" for event in events)
    assert {(candle.symbol, candle.interval) for candle in candles} == {("BTCUSDT", "1m"), ("ETHUSDT", "5m")}
    for symbol, interval in (("BTCUSDT", "1m"), ("ETHUSDT", "5m")):
        told = [one for one in candles if one.symbol == symbol]
        kept = market.candles(symbol, interval, told[0].open_time_ms, told[-1].open_time_ms + 1, 1 << 60)
        assert [one.open_time_ms for one in told] == kept.open_time_ms.tolist()
        assert [(one.open, one.high, one.low, one.close, one.volume) for one in told] == list(
            zip(
                *(column.tolist() for column in (kept.open, kept.high, kept.low, kept.close, kept.volume)),
                strict=True,
            )
        )


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("ping", 200),
        ("ticker/24hr?symbol=BTCUSDT", 200),
        ("ticker/24hr?symbol=NOSUCH", 400),
        ("ticker/24hr?symbols=[", 400),
        ("klines?symbol=BTCUSDT&interval=7m", 400),
        ("klines?symbol=BTCUSDT&interval=1h&startTime=x", 400),
        ("klines?interval=1h", 400),
        ("nothing", 404),
    ],
)
async def test_requests_that_make_no_sense_are_refused(exchange: LocalExchange, path: str, status: int):
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{exchange.url}/api/v3/{path}")
    assert answer.status_code == status


@pytest.mark.django_db
def test_what_the_store_has_is_played_but_never_a_replay(settings, tmp_path):
    settings.CANDLE_FILES_DIR = tmp_path
    assert stored_market() is None
    assert len(market_to_play().symbols) == 12, "made-up coins, as long as the store is empty"
    candles = make_candles(5000)
    store.write_candles(symbol="ABCUSDT", source="files", interval="1h", candles=candles)
    for symbol in ("ABCUSDT", "XYZUSDT"):
        store.write_candles(symbol=symbol, source="replay", interval="1h", candles=candles, generated=True)
    market = market_to_play()
    assert market.symbols == stored_symbols() == ["ABCUSDT"]
    assert source_for("1d") == "files"
    assert source_for("1d", "replay") == "replay"
    start = -(-START_MS // MINUTE_MS // 8640) * 8640  # where the 4320 last candles begin again
    played = market.candles("ABCUSDT", "1m", start * MINUTE_MS, (start + 4320) * MINUTE_MS, 1 << 60)
    assert played.close.tolist() == candles.close[-4320:].tolist()
