"""How far a series that is kept current is complete, and when what it lacks is fetched."""

import time
from dataclasses import dataclass

FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS = 5.0, 600.0


@dataclass(slots=True)
class Kept:
    """How far one series is known to be complete."""

    last_open_ms: int | None
    behind_since: float | None = None
    retry_at: float = 0.0
    failures: int = 0

    def should_be_fetched(self, complete_ms: int, patience_seconds: float) -> bool:
        """Whether it has lacked the candle that opened at `complete_ms`, or one before, for too long."""
        now = time.monotonic()
        if self.last_open_ms is None or self.last_open_ms >= complete_ms:
            self.behind_since = None
            return False
        if self.behind_since is None:
            self.behind_since = now
        return now - self.behind_since >= patience_seconds and now >= self.retry_at

    def plan_retry(self, complete_ms: int) -> None:
        """After an attempt: a candle that is not there yet, or never will be, is not asked for all the time."""
        if self.last_open_ms is not None and self.last_open_ms >= complete_ms:
            self.failures, self.retry_at = 0, 0.0
            return
        wait = min(FIRST_RETRY_SECONDS * 2**self.failures, LONGEST_RETRY_SECONDS)
        self.failures, self.retry_at = min(self.failures + 1, 10), time.monotonic() + wait
