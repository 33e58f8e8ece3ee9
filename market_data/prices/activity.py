"""What is worth telling viewers beside prices: entries of the activity feed.

Every entry has `id` (rising, also over a change of the leader), `at_ms` and `kind`; the rest depends on it:

=================  =====================================================================================
`source_change`    `source` (None: none left), `role`, `before`, `reason`
`outage`           `reason`: no source works
`recovered`        `source`
`quarantined`      `symbol`, `source`, `reason`: a price that was not shown
`large_move`       `symbol`, `price`, `change` (fraction), `seconds`
`high_24h`         `symbol`, `price`; `low_24h` likewise
`delisted`         `symbol`, `source`
=================  =====================================================================================
"""

import time
from collections import deque
from collections.abc import Iterable
from typing import Any

from market_data.prices.sources.protocol import now_ms
from market_data.prices.state import ACTIVITY_ENTRIES, Price
from market_data.prices.tuning import Tuning

QUIET_SECONDS = 600.0
"""Between two entries of one kind for one symbol, unless a kind needs less."""


class Activity:
    """Collects entries, and keeps the last ones."""

    def __init__(self, tuning: Tuning, kept: Iterable[dict[str, Any]] = ()) -> None:
        self.kept: deque[dict[str, Any]] = deque(kept, maxlen=ACTIVITY_ENTRIES)
        self.unsent: list[dict[str, Any]] = []
        self._tuning = tuning
        self._last_id = max((int(entry["id"]) for entry in self.kept), default=0)
        self._quiet_until: dict[tuple[str, str], float] = {}
        self._recent: dict[str, deque[tuple[float, float, str]]] = {}

    def add(self, kind: str, **fields: Any) -> None:
        """Add an entry."""
        self._last_id = max(self._last_id + 1, now_ms())
        entry = {"id": self._last_id, "at_ms": now_ms(), "kind": kind, **fields}
        self.kept.append(entry)
        self.unsent.append(entry)
        del self.unsent[:-ACTIVITY_ENTRIES]

    def notice(self, before: Price | None, price: Price) -> None:
        """Add what a new price of a symbol is worth."""
        self._notice_move(price)
        if before is None or before.source != price.source:
            return
        if _is_above(price.high_24h, before.high_24h):
            self._add_now_and_then("high_24h", price)
        if _is_above(before.low_24h, price.low_24h):
            self._add_now_and_then("low_24h", price)

    def _notice_move(self, price: Price) -> None:
        now = time.monotonic()
        recent = self._recent.setdefault(price.symbol, deque(maxlen=1000))
        while recent and recent[0][0] < now - self._tuning.large_move_seconds:
            recent.popleft()
        # Two sources never agree exactly: what one says is compared with what it said itself.
        own = [(at, then) for at, then, source in recent if source == price.source]
        at, then = max(own, key=lambda one: abs(price.price / one[1] - 1), default=(now, price.price))
        change = price.price / then - 1
        if abs(change) >= self._tuning.large_move:
            recent.clear()
            seconds = round(now - at, 1)
            self.add("large_move", symbol=price.symbol, price=price.price, change=change, seconds=seconds)
        recent.append((now, price.price, price.source))

    def _add_now_and_then(self, kind: str, price: Price) -> None:
        now = time.monotonic()
        if self._quiet_until.get((kind, price.symbol), 0.0) <= now:
            self._quiet_until[kind, price.symbol] = now + QUIET_SECONDS
            self.add(kind, symbol=price.symbol, price=price.price)


def _is_above(value: float | None, other: float | None) -> bool:
    return value is not None and other is not None and value > other
