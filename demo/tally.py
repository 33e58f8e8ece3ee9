"""What is known of a run so far, built from its events alone."""

from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Any

Json = dict[str, Any]


@dataclass
class Tally:
    """Counts, averages and the last progress of a run."""

    progress: Json = field(default_factory=dict)
    results: list[Json] = field(default_factory=list)
    failures: list[Json] = field(default_factory=list)
    last: Json | None = None

    def add(self, event: Json) -> None:
        """Take in the next event."""
        self.progress = event["progress"]
        if event["type"] == "result":
            self.results.append(event)
        elif event["type"] == "failure":
            self.failures.append(event)
        elif event["type"] in {"complete", "error"}:
            self.last = event

    def values(self, metric: str) -> list[float]:
        """A metric of all results that have one."""
        found = [event["result"]["metrics"].get(metric) for event in self.results]
        return [value for value in found if value is not None]

    def median(self, metric: str) -> float | None:
        """The middle value of a metric, which one coin's 100-fold rise does not move."""
        values = self.values(metric)
        return median(values) if values else None

    def mean(self, metric: str) -> float | None:
        """The average of a metric."""
        values = self.values(metric)
        return fmean(values) if values else None

    @property
    def positive_count(self) -> int:
        """Results that made money."""
        return sum(value > 0 for value in self.values("total_return"))

    @property
    def reused_count(self) -> int:
        """Results that were known from an earlier run."""
        return sum(event["cached"] for event in self.results)

    @property
    def generated(self) -> bool:
        """Whether any result is of made-up candles."""
        return any(event["result"].get("generated") for event in self.results)

    @property
    def is_completed(self) -> bool:
        """Whether the run came to its own end."""
        return self.last is not None and self.last.get("status") == "completed"

    def ranked(self) -> list[Json]:
        """Results from the best return to the worst."""
        known = [event for event in self.results if event["result"]["metrics"]["total_return"] is not None]
        return sorted(known, key=lambda event: event["result"]["metrics"]["total_return"], reverse=True)

    def warned(self) -> list[tuple[str, Json]]:
        """Every warning with its symbol."""
        return [
            (event["key"], warning)
            for event in self.results
            for warning in event["result"].get("warnings") or ()
        ]
