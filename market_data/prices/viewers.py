"""A viewer: what it watches, what has changed since it was last sent something, and when it may have more.

It has no queue. It is told *which* symbols have changed; what it is sent is made when it may have it and takes it,
from the newest prices. So a slow viewer gets fewer and newer messages, and costs no memory.
"""

import asyncio
import contextlib
import time
from collections import deque
from typing import Any

from market_data.prices.picture import Picture
from market_data.prices.wanted import Wanted, check

KEEP_ALIVE_SECONDS = 10.0
"""A viewer hears something at least so often."""
URGENT_SECONDS = 1.0
"""News that do not wait for the interval (the feed's state, stale prices, alerts) are sent at most so often."""
ALERTS_KEPT = 50
NEVER = -1e9


class Viewer:
    """One who watches: what it wants, and what has changed since it was last sent something."""

    def __init__(self, picture: Picture, wanted: Wanted, owner_id: int) -> None:
        self.wanted = wanted
        self.owner_id = owner_id
        self._picture = picture
        self._changed: set[str] = set()
        self._stale: set[str] = set()
        self._alerts: deque[dict[str, Any]] = deque(maxlen=ALERTS_KEPT)
        self._activity_id = -1
        self._is_paused = False
        self._needs_all = True
        self._is_urgent = self._needs_status = False
        self._sent_at = self._spoke_at = NEVER
        self._woken = asyncio.Event()

    def watch(self, wanted: Wanted) -> None:
        """Watch something else from now on, beginning with all of it.

        Raises
        ------
        InvalidWantedError
            If a symbol or the source is not known; all stays as it was.
        """
        check(wanted, symbols=self._picture.symbols, sources=self._picture.sources)
        self.wanted = wanted
        self.begin_again()

    def begin_again(self) -> None:
        """Have all of what is watched sent once more."""
        self._needs_all = True
        self._wake()

    def pause(self) -> None:
        """Take nothing but alerts until `resume`."""
        self._is_paused = True

    def resume(self) -> None:
        """Take prices again, at once those that have changed meanwhile."""
        self._is_paused = False
        self._is_urgent = self._is_urgent or self._needs_status or bool(self._stale)
        self._sent_at = NEVER
        self._wake()

    def note(self, symbols: set[str]) -> None:
        """New prices, or new activity, are there; they wait for this viewer's interval."""
        self._changed |= symbols if self.wanted.symbols is None else symbols & self.wanted.symbols
        if not self._is_paused and time.monotonic() >= self._due_at:
            self._wake()

    def hurry(self, *, stale: set[str], status: bool) -> None:
        """Something that does not wait: prices that have become too old, or another state of the feed."""
        stale = stale if self.wanted.symbols is None else stale & self.wanted.symbols
        if stale or status:
            self._stale |= stale
            self._needs_status |= status
            self._is_urgent |= not self._is_paused
            self._wake()

    def add_alert(self, alert: dict[str, Any]) -> None:
        """One of this user's alerts has fired."""
        self._alerts.append(alert)
        self._is_urgent = True
        self._wake()

    async def next_message(self) -> str:
        """The next message, as soon as this viewer may have it: all at first, then what is new."""
        while not self._may_have(time.monotonic()):
            self._woken.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._seconds_to_wait(time.monotonic())):
                    await self._woken.wait()
        return self._take(time.monotonic())

    @property
    def _due_at(self) -> float:
        return self._sent_at + self.wanted.interval_seconds

    @property
    def _has_news(self) -> bool:
        return bool(self._changed) or self._picture.last_activity_id > self._activity_id

    def _is_due(self, now: float) -> bool:
        return not self._is_paused and now >= self._due_at

    def _may_have(self, now: float) -> bool:
        if self._needs_all or now - self._spoke_at >= KEEP_ALIVE_SECONDS:
            return True
        if self._is_urgent and now - self._spoke_at >= URGENT_SECONDS:
            return True
        return self._is_due(now) and self._has_news

    def _seconds_to_wait(self, now: float) -> float:
        times = [self._spoke_at + KEEP_ALIVE_SECONDS]
        if self._is_urgent:
            times.append(self._spoke_at + URGENT_SECONDS)
        if not self._is_paused and self._due_at > now:
            times.append(self._due_at)
        return max(min(times) - now, 0.001)

    def _take(self, now: float) -> str:
        """What this viewer may have now, as it is now."""
        kind = "snapshot" if self._needs_all else "update"
        symbols, activity = self._all() if self._needs_all else self._news(now)
        is_quiet = self._is_paused and not self._needs_all
        status = self._needs_all or (self._needs_status and not is_quiet)
        alerts = list(self._alerts)
        self._alerts.clear()
        if not is_quiet:
            self._stale.clear()
            self._needs_status = False
        self._needs_all = self._is_urgent = False
        self._spoke_at = now
        now_ms = time.time_ns() // 1_000_000
        return self._picture.message(
            kind, now_ms, symbols=symbols, activity=activity, status=status, alerts=alerts
        )

    def _all(self) -> tuple[list[str], list[dict[str, Any]]]:
        """Every symbol that is wanted, and the latest activity."""
        self._activity_id = -1
        self._changed = set(self._picture.rows if self.wanted.symbols is None else self.wanted.symbols)
        return self._changes(time.monotonic())

    def _news(self, now: float) -> tuple[list[str], list[dict[str, Any]]]:
        """What has changed, if it is time; else only what has become stale."""
        if self._is_due(now):
            return self._changes(now)
        return ([] if self._is_paused else self._symbols_among(self._stale)), []

    def _changes(self, now: float) -> tuple[list[str], list[dict[str, Any]]]:
        symbols = self._symbols_among(self._changed | self._stale)
        activity = self._picture.recent(self._is_wanted, self._activity_id)
        self._activity_id = self._picture.last_activity_id
        self._changed.clear()
        self._sent_at = now
        return symbols, activity

    def _symbols_among(self, names: set[str]) -> list[str]:
        return [name for name in self._picture.rows if name in names and self._is_from_wanted_source(name)]

    def _is_from_wanted_source(self, symbol: str) -> bool:
        return self.wanted.source in (None, self._picture.rows[symbol].price.source)

    def _is_wanted(self, entry: dict[str, Any]) -> bool:
        symbol = entry.get("symbol")
        return symbol is None or self.wanted.symbols is None or symbol in self.wanted.symbols

    def _wake(self) -> None:
        self._woken.set()
