"""What must hold of every run at its end, whatever happened to it."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import orjson

from workers.models import Event, Job, Run


def wait_for(condition: Callable[[], Any], seconds: float, what: str) -> float:
    """Wait for a condition; the seconds it took."""
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < seconds, f"{what}: not within {seconds} s"
        time.sleep(0.02)
    return time.monotonic() - started


def wait_for_end(run: Run, seconds: float = 60) -> None:
    wait_for(lambda: Run.objects.get(pk=run.pk).has_ended, seconds, f"the end of {run}")


def wait_for_events(run: Run, count: int, seconds: float = 60) -> None:
    wait_for(lambda: Event.objects.filter(run=run).count() >= count, seconds, f"{count} events of {run}")


def check(run: Run) -> list[str]:
    """Assert that an ended run is whole; its events as stored."""
    run.refresh_from_db()
    stored = list(Event.objects.filter(run=run).order_by("seq").values_list("body", flat=True))
    events = [orjson.loads(text) for text in stored]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[0]["type"] == "start"
    assert [event["type"] for event in events if event["type"] in ("complete", "error")] == [
        events[-1]["type"]
    ]
    outcomes = Counter(event["key"] for event in events if event["type"] in ("result", "failure"))
    assert set(outcomes.values()) <= {1}, f"more than one outcome: {outcomes.most_common(3)}"
    statuses = Counter(Job.objects.filter(run=run).values_list("status", flat=True))
    assert statuses == {
        status: count
        for status, count in (
            ("succeeded", run.succeeded),
            ("failed", run.failed),
            ("cancelled", run.cancelled),
        )
        if count
    }
    assert sum(outcomes.values()) == run.succeeded + run.failed
    assert run.in_flight == 0
    return stored
