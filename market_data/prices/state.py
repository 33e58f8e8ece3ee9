"""The prices in Redis: what is there, and how it is read. Only a leading feed writes it (`writing.py`).

Everything has a bound, and nothing here is the only copy of anything: a wiped Redis is filled again by the
feed's next ticks. A feed that died leaves its last prices with their times, so that a viewer sees their age.

==================  =======================================================================================
`latest`            hash, symbol → JSON of a `Price`
`history:SYMBOL`    list, newest first, at most `HISTORY_POINTS` JSON points `[exchange time in ms, price]`
`feed`              JSON: the leader, the source in use and the state of each source; see `sources/health.py`
`activity`          list, newest first, at most `ACTIVITY_ENTRIES` JSON entries; see `activity.py`
`term`              the term of the leader that wrote last: one with a lower term can't write any more
`live`              channel: JSON `{"prices": [Price…], "activity": [entry…], "status": {…}}`, each key only
                    when it has news; at most four messages a second
==================  =======================================================================================
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable
from dataclasses import asdict, dataclass, fields
from functools import cache
from typing import Any

import orjson
import redis
from django.conf import settings
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import RedisError

from market_data.errors import MarketDataError

HISTORY_POINTS = 100
ACTIVITY_ENTRIES = 200
STALE_SECONDS = 10.0
"""A price that was received longer ago is shown as stale."""
TIMEOUT_SECONDS = 2.0
RECONNECT_SECONDS = 0.5


class StateUnavailableError(MarketDataError):
    """Redis does not answer."""


@dataclass(frozen=True, slots=True)
class Price:
    """The newest price of a symbol.

    Attributes
    ----------
    source, role
        Who said so, such as `binance` or `ccxt:kraken`, and whether that is the `primary`, `secondary` or
        `tertiary` source.
    exchange_time_ms, received_time_ms
        When it was the price by the exchange's clock, and when the feed got it by its own; no price is said to be
        of a later time than it was got.
    change_24h
        As a fraction, from the source's real data of the last 24 hours; None where it gives none.
    volume_24h_quote
        Traded value of the last 24 hours in quote currency.
    is_replay
        From stored candles that are played again: no price of today's market.
    """

    symbol: str
    price: float
    source: str
    role: str
    exchange_time_ms: int
    received_time_ms: int
    change_24h: float | None = None
    high_24h: float | None = None
    low_24h: float | None = None
    volume_24h_quote: float | None = None
    is_replay: bool = False

    def as_json(self) -> dict[str, Any]:
        """The price as viewers get it."""
        return asdict(self)

    def age_ms(self, now_ms: int | None = None) -> int:
        """Milliseconds since the feed received it, never negative."""
        now_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
        return max(now_ms - self.received_time_ms, 0)

    def is_stale(self, now_ms: int | None = None) -> bool:
        """Whether it is too old to pass for the price of now."""
        return self.age_ms(now_ms) > STALE_SECONDS * 1000


_FIELDS = frozenset(field.name for field in fields(Price))


def price_of(entry: dict[str, Any]) -> Price:
    """The price that `as_json` was made from; what a newer feed may have added is left out."""
    return Price(**{name: value for name, value in entry.items() if name in _FIELDS})


def key(name: str) -> str:
    """The full name of a Redis key or channel."""
    return f"{settings.CHANNEL_PREFIX}:prices:{name}"


def latest(symbols: Iterable[str] | None = None) -> dict[str, Price]:
    """The newest price of each symbol; None means all there are. A symbol without one is left out.

    Raises
    ------
    StateUnavailableError
        If Redis does not answer, as with all readers here.
    """
    if symbols is None:
        found = list(_read(lambda server: server.hgetall(key("latest"))).values())
    elif wanted := list(symbols):
        found = _read(lambda server: server.hmget(key("latest"), wanted))
    else:
        found = []
    prices = [price_of(orjson.loads(entry)) for entry in found if entry is not None]
    return {price.symbol: price for price in prices}


def history(symbol: str) -> list[tuple[int, float]]:
    """The last points of a symbol, oldest first: exchange time in ms and price."""
    points = _read(lambda server: server.lrange(key(f"history:{symbol}"), 0, HISTORY_POINTS - 1))
    return [(int(at), float(price)) for at, price in map(orjson.loads, reversed(points))]


def status() -> dict[str, Any] | None:
    """What the leading feed last said of itself; None when there was none since Redis began."""
    found = _read(lambda server: server.get(key("feed")))
    return None if found is None else orjson.loads(found)


def activity(after_id: int = 0) -> list[dict[str, Any]]:
    """What happened, oldest first: the entries with a higher id of those that are kept."""
    entries = _read(lambda server: server.lrange(key("activity"), 0, ACTIVITY_ENTRIES - 1))
    return [entry for entry in map(orjson.loads, reversed(entries)) if entry["id"] > after_id]


def announce(news: dict[str, Any]) -> None:
    """Tell the live channel of something that is stored elsewhere, such as alerts that fired."""
    _read(lambda server: server.publish(key("live"), orjson.dumps(news)))


async def alatest(symbols: Iterable[str] | None = None) -> dict[str, Price]:
    """`latest` without blocking the event loop."""
    return await asyncio.to_thread(latest, symbols)


async def ahistory(symbol: str) -> list[tuple[int, float]]:
    """`history` without blocking the event loop."""
    return await asyncio.to_thread(history, symbol)


async def astatus() -> dict[str, Any] | None:
    """`status` without blocking the event loop."""
    return await asyncio.to_thread(status)


async def aactivity(after_id: int = 0) -> list[dict[str, Any]]:
    """`activity` without blocking the event loop."""
    return await asyncio.to_thread(activity, after_id)


async def subscribe() -> AsyncGenerator[dict[str, Any] | None]:
    """The live channel's messages for as long as they are wanted, whatever happens to Redis.

    Yields None after each connection, the first included: what was said before it is lost, so read the state
    then; the messages that follow are newer. Close the generator (`aclosing`) to give the connection back.
    """
    while True:
        client = AsyncRedis.from_url(
            settings.REDIS_URL,
            socket_connect_timeout=TIMEOUT_SECONDS,
            health_check_interval=5,
            socket_keepalive=True,
        )
        try:
            async with client, client.pubsub() as channel:
                await channel.subscribe(key("live"))
                async for message in channel.listen():
                    # The answer to subscribing: from here on nothing is missed.
                    yield orjson.loads(message["data"]) if message["type"] == "message" else None
        except (RedisError, OSError):
            await asyncio.sleep(RECONNECT_SECONDS)


@cache
def _server(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url, socket_timeout=TIMEOUT_SECONDS, socket_connect_timeout=TIMEOUT_SECONDS, health_check_interval=10
    )


def _read(ask: Callable[[redis.Redis], Any]) -> Any:
    try:
        return ask(_server(settings.REDIS_URL))
    except (RedisError, OSError) as error:
        raise StateUnavailableError(f"Prices can't be read, Redis does not answer: {error}") from error
