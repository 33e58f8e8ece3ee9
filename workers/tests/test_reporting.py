"""What a job tells of itself while it is executed."""

from collections.abc import Callable
from typing import Any

import pytest

from workers import control, execution, handlers, reporting
from workers.models import Job, Run
from workers.tests.broker import Published
from workers.tests.conftest import log_of, statuses


@pytest.fixture
def executing(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], None]:
    """Let jobs of kind `count` do something else, and report as often as they like."""
    monkeypatch.setattr(reporting, "LEAST_SECONDS", 0.0)

    def do(work: Callable[[], Any]) -> None:
        monkeypatch.setattr(handlers.find("count"), "execute", lambda spec, key: work() or int(key))

    return do


def test_watchers_hear_how_far_a_job_is(count: Any, published: Published, executing: Any) -> None:
    def work() -> None:
        for share in (0.001, 0.25, 0.255, 0.5):
            reporting.report(share, step="reading")

    executing(work)
    run = count(1)
    published.execute_all()
    told = [event for event in log_of(run) if event["type"] == "progress"]
    assert [(event["key"], event["change"], event["share"], event["step"]) for event in told] == [
        ("0", "advance", 0.25, "reading"),
        ("0", "advance", 0.5, "reading"),
    ]
    assert told[0]["status"] == "running"
    assert statuses(run.pk) == [Job.Status.SUCCEEDED]


def test_a_job_tells_of_itself_once_a_second(
    count: Any, published: Published, executing: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(reporting, "LEAST_SECONDS", 1000.0)
    executing(lambda: reporting.report(0.5))
    run = count(1)
    published.execute_all()
    assert [event["type"] for event in log_of(run)] == ["start", "result", "complete"]


def test_a_job_of_a_run_that_was_stopped_ends_early(count: Any, published: Published, executing: Any) -> None:
    reached: list[str] = []

    def work() -> None:
        control.stop_run(run_id=Run.objects.get().pk)
        reporting.report(0.0)
        reached.append("the end")

    executing(work)
    run = count(1)
    published.execute_all()
    assert reached == []
    assert [event["type"] for event in log_of(run)] == ["start", "complete"]
    assert statuses(run.pk) == [Job.Status.CANCELLED]


def test_a_job_that_another_process_has_taken_over_ends_early(
    count: Any, published: Published, executing: Any
) -> None:
    def work() -> None:
        Job.objects.update(attempt=2)
        reporting.report(0.5)

    executing(work)
    run = count(1)
    execution.execute_job(job_id=published.pop(0))
    assert statuses(run.pk) == [Job.Status.RUNNING]
    assert [event["type"] for event in log_of(run)] == ["start"]


def test_outside_a_job_nobody_hears(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "LEAST_SECONDS", 0.0)
    reporting.report(0.5)
