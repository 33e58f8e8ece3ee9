"""An exchange of the tests' own in a thread, and a stack whose feed listens to it."""

import asyncio
import json
import os
import random
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from market_data.prices.tests.local_exchange import BadExchange, FixedMarket
from tests.servers import private_valkey
from tests.stack import RunningStack, running_stack

STILL = {"BTCUSDT": 40_000.0, "ETHUSDT": 2500.0}
"""Prices that only a test changes; the others walk."""
WALKING = {
    "SOLUSDT": 98.4, "XRPUSDT": 0.6123, "BNBUSDT": 310.5, "DOGEUSDT": 0.08123, "ADAUSDT": 0.5312, "TRXUSDT": 0.1043,
    "LINKUSDT": 14.62, "DOTUSDT": 7.214, "LTCUSDT": 71.3, "UNIUSDT": 6.18,
}  # fmt: skip
STEP_SECONDS = 0.2


@dataclass
class PriceMarket:
    """A running stack without workers, and the exchange that its feed is to listen to."""

    exchange: BadExchange
    stack: RunningStack

    def requests(self) -> int:
        """REST requests and connections that the exchange has had."""
        return sum(self.exchange.requests.values())


@contextmanager
def running_exchange(prices: dict[str, float], tick_seconds: float) -> Generator[BadExchange]:
    """A local exchange that speaks the protocols of Binance, Kraken and CoinGecko, in a thread of its own."""
    exchange = BadExchange(FixedMarket(prices), tick_seconds=tick_seconds)
    started, stopped = threading.Event(), threading.Event()

    async def serve() -> None:
        async with exchange.serving():
            started.set()
            while not stopped.is_set():
                _walk(exchange.fixed)
                await asyncio.sleep(STEP_SECONDS)

    thread = threading.Thread(target=asyncio.run, args=(serve(),), name="exchange")
    thread.start()
    try:
        assert started.wait(10), "the exchange did not start"
        yield exchange
    finally:
        stopped.set()
        thread.join()


def _walk(market: FixedMarket) -> None:
    for symbol in market.prices.keys() - STILL:
        market.prices[symbol] = round(market.prices[symbol] * random.uniform(0.9985, 1.0015), 5)


@contextmanager
def price_market(
    folder: Path, prices: dict[str, float], *, tick_seconds: float = 0.1, **variables: str
) -> Generator[PriceMarket]:
    """Exchange, Redis, database and web server; `stack.start_prices` starts the feed."""
    with ExitStack() as resources:
        exchange = resources.enter_context(running_exchange(prices, tick_seconds))
        given: dict[str, Any] = {
            "database_url": f"sqlite:///{folder / 'candlestream.sqlite3'}",
            "redis_url": resources.enter_context(private_valkey()),
            "PRICE_SOURCES": "binance,ccxt:kraken",
            "PRICE_SYMBOLS": ",".join(prices),
            "EXCHANGE_URLS": json.dumps(exchange.urls),
            **variables,
        }
        prepared = RunningStack(folder, {**os.environ, "DATABASE_URL": given["database_url"]}, 0)
        prepared.environment |= {"CANDLESTREAM_HOME": str(folder), "SINGLE_USER": "1"}
        prepared.manage("migrate", "-v", "0")
        yield PriceMarket(exchange, resources.enter_context(running_stack(folder, workers=0, **given)))
