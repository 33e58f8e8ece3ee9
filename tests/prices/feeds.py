"""A fast exchange, two price feeds as processes, and what must be true of them whatever happens.

The exchange's clock runs sixty times as fast: a minute's candle closes every second.
"""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings as django_settings

from config import processes
from config.valkey import start_valkey
from market_data import store
from market_data.intervals import MINUTE_MS
from market_data.models import CandleSeries
from market_data.prices import state
from market_data.prices.replay.exchange import LocalExchange
from market_data.prices.replay.market import ReplayMarket
from market_data.prices.tests.feeding import Published, until
from market_data.prices.tests.local_exchange import sped_up
from market_data.prices.threads import DatabaseThread
from market_data.tests.candle_maker import START_MS, make_candles
from market_data.tests.test_kills import assert_consistent, stored
from tests.stack import RunningStack

SYMBOLS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
FACTOR = 60
FIRST_MS = START_MS + 1000 * MINUTE_MS
FEED = '{"clock_tolerance_seconds": 1e12, "candle_patience_seconds": 1, "point_seconds": 0}'


class Valkey:
    """A server that can be killed and comes back empty on its port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._child, self.url = start_valkey(folder)

    def kill(self) -> None:
        """At once."""
        self._child.kill()
        self._child.process.wait()

    def start_again(self) -> None:
        """On the same port, empty."""
        port = int(self.url.rpartition(":")[2].removesuffix("/0"))
        self._child, _ = start_valkey(self._folder, port=port)

    def end(self) -> None:
        """For good."""
        processes.end([self._child], grace_seconds=1)


def fast_exchange() -> LocalExchange:
    """An exchange on its own fast clock."""
    market = ReplayMarket({symbol: make_candles(3000, seed=number) for number, symbol in enumerate(SYMBOLS)})
    return LocalExchange(market, clock=sped_up(FIRST_MS + 20 * MINUTE_MS, FACTOR), tick_seconds=0.1)


def feed_variables(exchange: LocalExchange) -> dict[str, str]:
    """The environment of a feed that listens to it."""
    urls = {"binance": exchange.url, "binance-stream": exchange.url.replace("http", "ws")}
    return {
        "CHANNEL_PREFIX": django_settings.CHANNEL_PREFIX,
        "EXCHANGE_URLS": json.dumps(urls),
        "PRICE_SOURCES": "binance",
        "PRICE_SYMBOLS": ",".join(SYMBOLS),
        "PRICE_INTERVALS": "1m",
        "PRICE_FEED": FEED,
    }


def write_past(market: ReplayMarket) -> None:
    """Store what was downloaded a while ago: the feed has to fetch the minutes since."""
    end_ms = FIRST_MS + 10 * MINUTE_MS
    for symbol in SYMBOLS:
        candles = market.candles(symbol, "1m", FIRST_MS, end_ms, end_ms)
        store.write_candles(symbol=symbol, source="binance", interval="1m", candles=candles)


def leader() -> str | None:
    """Who leads, as it says itself."""
    try:
        status = state.status()
    except state.StateUnavailableError:
        return None
    return status["leader"] if status else None


def feed_of(stack: RunningStack, name: str | None) -> processes.Child:
    """The process with the name of a leader."""
    assert name is not None, "nobody leads"
    return next(child for child in stack.feeds if name.endswith(f":{child.process.pid}"))


def last_opens() -> list[int]:
    """Where each series ends."""
    series = CandleSeries.objects.filter(source="binance").values_list("last_open_ms", flat=True)
    return [last or 0 for last in series]


async def until_candles_grow(count: int, database: DatabaseThread) -> None:
    """Wait until every series has some more candles."""
    goal = min(await database.run(last_opens)) + count * MINUTE_MS
    deadline = time.monotonic() + 120
    while min(await database.run(last_opens)) < goal:
        assert time.monotonic() < deadline, "no candles came"
        await asyncio.sleep(0.1)


async def seconds_until_shown(published: Published) -> float:
    """How long it takes until there are new prices of all symbols."""
    began, began_ms = time.monotonic(), time.time_ns() // 1_000_000

    def all_are_shown() -> bool:
        new = {price.symbol for price in published.prices if price.received_time_ms > began_ms}
        return new == set(SYMBOLS)

    await until(all_are_shown, "new prices of all symbols", seconds=120)
    return time.monotonic() - began


async def until_logged(child: processes.Child, words: str, times: int = 1) -> None:
    """Wait until a process has said something so many times."""
    log = child.log
    assert log is not None
    await until(lambda: log.read_text().count(words) >= times, f"{words!r} from {child.name}", seconds=120)


def assert_complete(market: ReplayMarket) -> Callable[[], None]:
    """What is stored is, byte for byte, what is stored of the same candles when nothing goes wrong."""

    def look() -> None:
        counts = [(last - FIRST_MS) // MINUTE_MS + 1 for last in last_opens()]
        assert assert_consistent("binance") == sum(counts), "no candle is missing"
        for symbol in SYMBOLS:
            series = CandleSeries.objects.get(source="binance", cryptocurrency__symbol=symbol)
            end_ms = (series.last_open_ms or 0) + MINUTE_MS
            candles = market.candles(symbol, "1m", FIRST_MS, end_ms, end_ms)
            store.write_candles(symbol=symbol, source="undisturbed", interval="1m", candles=candles)
        assert stored("binance") == stored("undisturbed")

    return look
