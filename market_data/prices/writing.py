"""What the leading feed writes to Redis: in one step, and only while nobody has taken over from it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import orjson
from django.conf import settings
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from market_data.prices.state import ACTIVITY_ENTRIES, HISTORY_POINTS, TIMEOUT_SECONDS, Price, key

# A leader that was stopped for a while does not know yet that another one leads: its term tells Redis.
_WRITE = """
local POINTS, ENTRIES = tonumber(ARGV[6]) - 1, tonumber(ARGV[7]) - 1
local last = tonumber(redis.call('GET', KEYS[1]) or '0')
local term = tonumber(ARGV[1])
if last > term then return 0 end
if last < term then redis.call('SET', KEYS[1], ARGV[1]) end
if ARGV[8] == '1' then redis.call('DEL', KEYS[2], KEYS[4], unpack(KEYS, 7)) end
local at = 8
local function take() at = at + 1; return ARGV[at] end
for _ = 1, tonumber(ARGV[2]) do redis.call('HSET', KEYS[2], take(), take()) end
for _ = 1, tonumber(ARGV[3]) do
  local points = KEYS[5] .. take()
  redis.call('LPUSH', points, take())
  redis.call('LTRIM', points, 0, POINTS)
end
for _ = 1, tonumber(ARGV[4]) do redis.call('LPUSH', KEYS[4], take()) end
redis.call('LTRIM', KEYS[4], 0, ENTRIES)
if ARGV[5] ~= '' then redis.call('SET', KEYS[3], ARGV[5]) end
redis.call('PUBLISH', KEYS[6], take())
return 1
"""
_FORGET = """
for _, symbol in ipairs(redis.call('HKEYS', KEYS[1])) do
  local wanted = false
  for _, one in ipairs(ARGV) do wanted = wanted or one == symbol end
  if not wanted then redis.call('HDEL', KEYS[1], symbol); redis.call('DEL', KEYS[2] .. symbol) end
end
"""


class Writer:
    """Writes the state in the name of one term of leadership. Use with `async with`.

    Methods raise `redis.RedisError` or `OSError` when Redis does not answer; nothing is written then, or all.
    """

    def __init__(self, term: int) -> None:
        self._term = term
        self._client: Any = AsyncRedis.from_url(
            settings.REDIS_URL,
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
            # A write that fails must be seen to: the server that answers the next time may be an empty one.
            retry=Retry(NoBackoff(), 0),
        )
        self._write = self._client.register_script(_WRITE)
        self._forget = self._client.register_script(_FORGET)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def write(
        self,
        *,
        prices: Iterable[Price] = (),
        points: Mapping[str, tuple[int, float]] | None = None,
        activity: Iterable[dict[str, Any]] = (),
        status: dict[str, Any] | None = None,
    ) -> bool:
        """Store the news and tell the live channel; False, and nothing is written, if a later term has begun.

        Parameters
        ----------
        prices
            The newest price of symbols that have a new one.
        points
            By symbol: what its history begins with from now on, exchange time in ms and price.
        activity
            Entries with rising ids, oldest first.
        status
            What the feed says of itself.
        """
        bodies = [price.as_json() for price in prices]
        entries = list(activity)
        news = {"prices": bodies, "activity": entries, "status": status}
        pairs = [(symbol, point) for symbol, point in (points or {}).items()]
        return await self._send(bodies, pairs, entries, status, news)

    async def restore(
        self,
        *,
        prices: Iterable[Price],
        points: Mapping[str, Sequence[tuple[int, float]]],
        activity: Sequence[dict[str, Any]],
        new_prices: Iterable[Price] = (),
        new_activity: Sequence[dict[str, Any]] = (),
        status: dict[str, Any],
    ) -> bool:
        """Put everything in the place of what is there, as after Redis was away; like `write` otherwise.

        `points` are each symbol's whole history, oldest first. The channel is told of `new_prices` and `new_activity`
        only: the rest has been said, by this leader or the one before.
        """
        bodies = [price.as_json() for price in prices]
        pairs = [(symbol, point) for symbol, history in points.items() for point in history]
        news = {
            "prices": [price.as_json() for price in new_prices],
            "activity": list(new_activity),
            "status": status,
        }
        return await self._send(bodies, pairs, activity, status, news, anew=list(points))

    async def _send(
        self,
        bodies: Sequence[dict[str, Any]],
        points: Sequence[tuple[str, tuple[int, float]]],
        entries: Sequence[dict[str, Any]],
        status: dict[str, Any] | None,
        news: dict[str, Any],
        anew: Sequence[str] | None = None,
    ) -> bool:
        arguments: list[Any] = [self._term, len(bodies), len(points), len(entries)]
        arguments += [b"" if status is None else orjson.dumps(status), HISTORY_POINTS, ACTIVITY_ENTRIES]
        arguments.append(int(anew is not None))
        for body in bodies:
            arguments += [body["symbol"], orjson.dumps(body)]
        for symbol, point in points:
            arguments += [symbol, orjson.dumps(point)]
        arguments += [orjson.dumps(entry) for entry in entries]
        arguments.append(orjson.dumps({name: value for name, value in news.items() if value}))
        names = ["term", "latest", "feed", "activity", "history:", "live"]
        names += [f"history:{symbol}" for symbol in anew or ()]
        return bool(await self._write(keys=[key(name) for name in names], args=arguments))

    async def forget_others(self, symbols: Iterable[str]) -> None:
        """Drop what is kept of symbols that are no longer followed."""
        await self._forget(keys=[key("latest"), key("history:")], args=list(symbols))
