"""Which source is in use: the best healthy one, and back to a better one only after it has proved itself."""

import time
from collections.abc import Sequence

from market_data.prices.sources.supervision import CONNECTING, Supervised
from market_data.prices.tuning import Tuning

FIRST_CHOICE_SECONDS = 2.0
"""How long a better source that has not answered yet is waited for when a feed begins to lead."""


class Selection:
    """The rank of the source in use, and who steps in for what that one lacks.

    Attributes
    ----------
    main
        None while no source works.
    """

    def __init__(self, sources: Sequence[Supervised], tuning: Tuning) -> None:
        self.main: int | None = None
        self._sources, self._tuning = tuple(sources), tuning
        self._begun_at = time.monotonic()

    @property
    def allowed(self) -> list[int]:
        """Ranks whose prices may be shown, best first."""
        if self.main is None:
            return []
        return [one.rank for one in self._sources if one.rank >= self.main and one.is_healthy]

    def update(self) -> bool:
        """Choose again; whether another source is in use than before."""
        before = self.main
        healthy = [one.rank for one in self._sources if one.is_healthy]
        if before is None or before not in healthy:
            self.main = healthy[0] if healthy and not self._waits_for_better(healthy[0]) else None
        else:
            better = (rank for rank in healthy if rank < before and self._has_proved_itself(rank))
            self.main = next(better, before)
        return self.main != before

    def _waits_for_better(self, rank: int) -> bool:
        if time.monotonic() - self._begun_at > FIRST_CHOICE_SECONDS:
            return False
        return any(one.state == CONNECTING and not one.has_failed for one in self._sources[:rank])

    def _has_proved_itself(self, rank: int) -> bool:
        source = self._sources[rank]
        return not source.has_failed or source.healthy_seconds >= self._tuning.healthy_seconds
