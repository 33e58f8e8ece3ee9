"""The picture of the market that one process has, and the messages in which viewers get it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from market_data.prices.state import ACTIVITY_ENTRIES, Price

SILENT_SECONDS = 5.0
"""A feed that has not said anything for so long is not there."""
ACTIVITY_SHOWN = 50
FORGET_SECONDS = 60.0
"""A symbol that is not stored any more may be there again in a moment: the feed begins anew."""

FeedState = Literal["live", "stale", "silent", "none"]


@dataclass(slots=True)
class _Row:
    price: Price
    body: bytes
    """JSON up to where the age stands, which differs from message to message."""
    stale: bool


class Picture:
    """The newest price of each symbol, what happened, and how the feed is."""

    def __init__(self) -> None:
        self.rows: dict[str, _Row] = {}
        self.activity: list[dict[str, Any]] = []
        self.status: dict[str, Any] = _status_of(None, "none")
        self._feed: dict[str, Any] | None = None
        self._heard_ms = 0

    @property
    def symbols(self) -> set[str]:
        """Every symbol that has a price."""
        return set(self.rows)

    @property
    def sources(self) -> set[str]:
        """The names of the feed's sources."""
        return {source["name"] for source in self.status["sources"]}

    @property
    def last_activity_id(self) -> int:
        """The id of the newest entry; -1 if there is none."""
        return self.activity[-1]["id"] if self.activity else -1

    def put(self, prices: Iterable[Price], now_ms: int, *, stored: bool = False) -> set[str]:
        """Keep prices; the symbols that have a new one. A `stored` price never replaces a younger one."""
        new: set[str] = set()
        for price in prices:
            before = self.rows.get(price.symbol)
            if stored and before and before.price.received_time_ms >= price.received_time_ms:
                continue
            body = orjson.dumps(price.as_json())[:-1]
            self.rows[price.symbol] = _Row(price, body, price.is_stale(now_ms))
            new.add(price.symbol)
        return new

    def forget_gone(self, stored: set[str], now_ms: int) -> bool:
        """Drop symbols that the feed follows no longer; whether there were any."""
        oldest_ms = now_ms - FORGET_SECONDS * 1000
        others = {symbol: row for symbol, row in self.rows.items() if stored and symbol not in stored}
        gone = [symbol for symbol, row in others.items() if row.price.received_time_ms < oldest_ms]
        for symbol in gone:
            del self.rows[symbol]
        return bool(gone)

    def add_activity(self, entries: Iterable[dict[str, Any]]) -> None:
        """Keep the newest of what happened."""
        last = self.last_activity_id
        self.activity += [entry for entry in entries if entry["id"] > last]
        del self.activity[:-ACTIVITY_ENTRIES]

    def hear(self, feed: dict[str, Any] | None, now_ms: int) -> None:
        """Note that the feed lives, and what it says of itself if it does."""
        self._heard_ms = now_ms
        self._feed = feed or self._feed

    def recall(self, feed: dict[str, Any] | None) -> None:
        """Note what the feed said of itself some time ago."""
        if feed is not None:
            self._feed = feed
            self._heard_ms = max(self._heard_ms, int(feed.get("beat_ms") or 0))

    def turned_stale(self, now_ms: int) -> set[str]:
        """Symbols whose price has become too old since this was last asked."""
        turned = {symbol for symbol, row in self.rows.items() if not row.stale and row.price.is_stale(now_ms)}
        for symbol in turned:
            self.rows[symbol].stale = True
        return turned

    def update_status(self, now_ms: int) -> bool:
        """Say anew how the feed is; whether that has changed."""
        status = _status_of(self._feed, self._state(now_ms))
        has_changed = status != self.status
        self.status = status
        return has_changed

    def _state(self, now_ms: int) -> FeedState:
        if self._feed is None and not self.rows:
            return "none"
        if now_ms - self._heard_ms > SILENT_SECONDS * 1000:
            return "silent"
        return "stale" if all(row.price.is_stale(now_ms) for row in self.rows.values()) else "live"

    def message(
        self,
        kind: Literal["snapshot", "update"],
        now_ms: int,
        *,
        symbols: Iterable[str],
        activity: list[dict[str, Any]],
        status: bool,
        alerts: Iterable[dict[str, Any]] = (),
    ) -> str:
        """What a viewer is sent: JSON, put together from pieces that all viewers share."""
        rest = {"activity": activity, "status": self.status if status else None, "alerts": list(alerts)}
        head = b'{"type":"%s","at_ms":%d,"prices":[' % (kind.encode(), now_ms)
        prices = b",".join(self._pieces(symbols, now_ms))
        return (head + prices + b"]," + orjson.dumps(rest)[1:]).decode()

    def _pieces(self, symbols: Iterable[str], now_ms: int) -> Iterable[bytes]:
        for symbol in symbols:
            if row := self.rows.get(symbol):
                stale = b"true" if row.price.is_stale(now_ms) else b"false"
                yield b'%s,"age_ms":%d,"stale":%s}' % (row.body, row.price.age_ms(now_ms), stale)

    def recent(self, is_wanted: Callable[[dict[str, Any]], bool], after_id: int = -1) -> list[dict[str, Any]]:
        """The latest entries with a higher id, oldest first."""
        found = [entry for entry in self.activity if entry["id"] > after_id and is_wanted(entry)]
        return found[-ACTIVITY_SHOWN:]


def _status_of(feed: dict[str, Any] | None, state: FeedState) -> dict[str, Any]:
    """How the feed is, for viewers: without the names of hosts."""
    known = feed or {}
    return {
        "state": state,
        "source": known.get("source"),
        "role": known.get("role"),
        "since_ms": known.get("since_ms"),
        "is_replay": bool(known.get("is_replay")),
        "sources": known.get("sources") or [],
    }
