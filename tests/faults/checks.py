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


OUTCOMES = {"result": Job.Status.SUCCEEDED, "failure": Job.Status.FAILED}


def check(run: Run) -> list[str]:
    """Assert that an ended run is whole; its events as stored."""
    run.refresh_from_db()
    assert run.has_ended
    stored = list(Event.objects.filter(run=run).order_by("seq").values_list("body", flat=True))
    events = [orjson.loads(text) for text in stored]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert run.last_seq == len(events)
    assert events[0]["type"] == "start"
    assert [event["type"] for event in events if event["type"] in ("complete", "error")] == [
        events[-1]["type"]
    ]
    _check_outcomes(run, [event for event in events if event["type"] in OUTCOMES])
    return stored


def _check_outcomes(run: Run, outcomes: list[dict[str, Any]]) -> None:
    """Assert that each job has one outcome at most, the one that was told, and that every counter is right."""
    counts = Counter(event["key"] for event in outcomes)
    assert set(counts.values()) <= {1}, f"more than one outcome: {counts.most_common(3)}"
    jobs = dict(Job.objects.filter(run=run).values_list("key", "status"))
    told = {event["key"]: OUTCOMES[event["type"]] for event in outcomes}
    assert told == {key: status for key, status in jobs.items() if status in OUTCOMES.values()}
    statuses = Counter(jobs.values())
    counters = {"succeeded": run.succeeded, "failed": run.failed, "cancelled": run.cancelled}
    assert statuses == {status: count for status, count in counters.items() if count}
    assert sum(statuses.values()) == run.total
    assert [event["progress"]["completed"] for event in outcomes] == list(range(1, len(outcomes) + 1))
    assert run.hits == sum(bool(event.get("hit")) for event in outcomes)
    if run.reason == Run.Reason.MAX_HITS:
        assert (run.hits, outcomes[-1].get("hit")) == (run.max_hits, True)
    if run.reason == Run.Reason.MAX_FAILURES:
        assert (run.failed, outcomes[-1]["type"]) == (run.max_failures, "failure")
    assert run.in_flight == 0
