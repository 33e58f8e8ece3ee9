"""From the board to Redis, four times a second: only what is new, and all of it after Redis was away."""

import logging
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from redis.exceptions import RedisError

from market_data.prices.activity import Activity
from market_data.prices.lease import ReplacedError
from market_data.prices.state import HISTORY_POINTS, Price
from market_data.prices.tuning import Tuning
from market_data.prices.writing import Writer

logger = logging.getLogger(__name__)
PERIOD_SECONDS = 0.25
BEAT_SECONDS = 1.0


class Publisher:
    """Collects news between two writes; nothing of it grows while Redis is away."""

    def __init__(
        self,
        writer: Writer,
        activity: Activity,
        tuning: Tuning,
        status: Callable[[], dict[str, Any]],
        *,
        prices: Mapping[str, Price],
        histories: Mapping[str, Sequence[tuple[int, float]]],
    ) -> None:
        self._writer, self._activity, self._tuning, self._status = writer, activity, tuning, status
        self._prices = dict(prices)
        self._histories = {
            symbol: deque(points, maxlen=HISTORY_POINTS) for symbol, points in histories.items()
        }
        self._new: dict[str, Price] = {}
        self._untold: dict[str, Price] = {}
        """New ones that a write that failed should have told of."""
        self._point_at: dict[str, float] = {}
        self._beat_at = float("-inf")
        self._anew = True

    def put(self, price: Price) -> None:
        """A price to show."""
        self._prices[price.symbol] = self._new[price.symbol] = price

    def hurry(self) -> None:
        """Write the status with the next write: it has changed."""
        self._beat_at = float("-inf")

    async def flush(self) -> None:
        """Write what is new.

        Raises
        ------
        ReplacedError
            If another feed leads by now.
        """
        points = self._take_points()
        prices, entries = self._new, self._activity.unsent
        beats = time.monotonic() - self._beat_at >= BEAT_SECONDS
        if not (prices or entries or beats):
            return
        self._new, self._activity.unsent = {}, []
        if beats:
            self._beat_at = time.monotonic()  # not after the write: `hurry` may be called meanwhile
        try:
            if self._anew:
                written = await self._writer.restore(
                    prices=self._prices.values(),
                    points=self._histories,
                    activity=list(self._activity.kept),
                    new_prices=(self._untold | prices).values(),
                    new_activity=entries,
                    status=self._status(),
                )
            else:
                status = self._status() if beats else None
                written = await self._writer.write(
                    prices=prices.values(), points=points, activity=entries, status=status
                )
        except (RedisError, OSError) as error:
            if not self._anew:
                logger.warning("prices can't be written: %s", error)
            self._activity.unsent = entries + self._activity.unsent
            self._untold |= prices
            self._anew = True  # nobody knows what Redis still has when it is back
            self.hurry()
            return
        if not written:
            raise ReplacedError("another feed leads")
        self._anew = False
        self._untold = {}

    def _take_points(self) -> dict[str, tuple[int, float]]:
        """The new prices that become points of the history."""
        now = time.monotonic()
        points: dict[str, tuple[int, float]] = {}
        for symbol, price in self._new.items():
            if now - self._point_at.get(symbol, float("-inf")) >= self._tuning.point_seconds:
                self._point_at[symbol] = now
                points[symbol] = (price.exchange_time_ms, price.price)
                self._histories.setdefault(symbol, deque(maxlen=HISTORY_POINTS)).append(points[symbol])
        return points
