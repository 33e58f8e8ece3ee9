"""A source under supervision: opened, watched, and after a failure left alone for a while that grows."""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Any

from market_data.prices.sources.protocol import Event, Pace, Source, SourceError, now_ms
from market_data.prices.tuning import Tuning
from workers.cancelling import cancel

logger = logging.getLogger(__name__)
CONNECT_SECONDS = 15.0
"""More patience for a source that has only been called: some send a list of all markets first."""
CONNECTING, HEALTHY, FAILED = "connecting", "healthy", "failed"


class Supervised:
    """Runs one source for as long as the feed leads.

    Attributes
    ----------
    rank
        0 for the primary source.
    state
        `connecting`, `healthy` (its last words were usable) or `failed` (left alone for now).
    since_ms
        When it came into this state.
    reason
        What its last failure was; empty while it is healthy.
    doubt
        Why its last tick that was not good was not.
    has_failed
        Whether it ever failed since the feed leads.
    """

    def __init__(
        self,
        source: Source,
        rank: int,
        tuning: Tuning,
        take: Callable[["Supervised", list[Event]], bool],
        failed: Callable[["Supervised"], None],
    ) -> None:
        self.source, self.rank = source, rank
        self.pace = Pace(poll_seconds=tuning.poll_seconds, standby_seconds=tuning.standby_seconds)
        self.state, self.since_ms, self.reason = CONNECTING, now_ms(), ""
        self.doubt = ""
        self._tuning, self._take, self._failed = tuning, take, failed
        self._healthy_at = self._heard_at = self._used_at = time.monotonic()
        self.has_failed = False
        self._failures = 0
        self._attempt: asyncio.Task[None] | None = None

    @property
    def is_healthy(self) -> bool:
        """Whether its last words were usable and not long ago."""
        return self.state == HEALTHY

    @property
    def healthy_seconds(self) -> float:
        """How long it has been healthy without a break."""
        return time.monotonic() - self._healthy_at if self.is_healthy else 0.0

    def use(self, wanted: bool) -> None:
        """Have it asked at full pace, or as one that stands by."""
        if wanted and not self.pace.in_use:
            self._used_at = time.monotonic()
        self.pace.use(wanted)

    def check(self) -> None:
        """Break off a connection that has been silent for too long."""
        patience = self.source.stall_seconds + (0.0 if self.pace.in_use else self._tuning.standby_seconds)
        if self.state == CONNECTING:
            patience += CONNECT_SECONDS
        silent = time.monotonic() - max(self._heard_at, self._used_at)
        if self.state != FAILED and silent > patience and self._attempt is not None:
            doubt = f": {self.doubt}" if self.doubt else ""
            self._fail(f"said nothing new for {silent:.1f} s{doubt}")
            self._attempt.cancel()

    async def run(self, symbols: Sequence[str], candles: Callable[[], Sequence[tuple[str, str]]]) -> None:
        """Listen until cancelled, whatever happens to the source."""
        while True:
            self._enter(CONNECTING, self.reason)
            self._heard_at, self.doubt = time.monotonic(), ""
            self._attempt = asyncio.create_task(self._listen(symbols, candles()))
            try:
                await asyncio.wait([self._attempt])
            finally:
                await cancel([self._attempt])
            wait = self._outcome(self._attempt)
            await asyncio.sleep(max(wait, self._back_off()))

    async def _listen(self, symbols: Sequence[str], candles: Sequence[tuple[str, str]]) -> None:
        async with aclosing(self.source.events(symbols, candles, self.pace)) as batches:
            async for batch in batches:
                if self._take(self, batch):
                    self._heard_at = time.monotonic()
                    self._note_health()

    def _note_health(self) -> None:
        if self.state != HEALTHY:
            self._healthy_at = time.monotonic()
            self._enter(HEALTHY, "")
        elif self._failures and self.healthy_seconds > self._tuning.healthy_seconds:
            self._failures = 0

    def _outcome(self, attempt: "asyncio.Task[None]") -> float:
        """Note why an attempt ended; returns how long the source asked to be left alone."""
        if attempt.cancelled():
            return 0.0  # by `check`, which has noted why
        error = attempt.exception()
        if error is not None and not isinstance(error, SourceError):
            logger.error("%s failed in a way nobody thought of", self.source.name, exc_info=error)
        self._fail(str(error) if error else "ended")
        return error.retry_after_seconds if isinstance(error, SourceError) else 0.0

    def _fail(self, reason: str) -> None:
        self.has_failed = True
        self._failures += 1
        self._enter(FAILED, reason)
        self._failed(self)

    def _back_off(self) -> float:
        seconds = self._tuning.first_wait_seconds * 2 ** min(self._failures - 1, 10)
        return min(seconds, self._tuning.longest_wait_seconds) * random.uniform(0.8, 1.2)  # noqa: S311

    def _enter(self, state: str, reason: str) -> None:
        if (state, reason) != (self.state, self.reason):
            logger.info("%s: %s %s", self.source.name, state, reason)
        if state != self.state:
            self.since_ms = now_ms()
        self.state, self.reason = state, reason

    def as_json(self, role: str) -> dict[str, Any]:
        """The source as the status tells of it."""
        return {
            "name": self.source.name,
            "role": role,
            "state": self.state if not self.is_healthy else "active" if self.pace.in_use else "standby",
            "since_ms": self.since_ms,
            "reason": self.reason,
        }
