"""A kind of run without finance, a user, and a broker that only remembers."""

from typing import Any
from uuid import UUID

import orjson
import pytest
from django.contrib.auth.models import User

from workers import handlers, window
from workers.clock import database_now
from workers.models import Event, Job, Run, Worker
from workers.runs import RunOptions, create_run
from workers.tests.broker import Published, keep_messages
from workers.tests.counting.handler import CountingHandler, counting_spec

handlers.register(CountingHandler())


@pytest.fixture(autouse=True)
def slots_counted_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test see the slots that another one counted."""
    monkeypatch.setattr(window, "SLOTS_KEPT_SECONDS", 0.0)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> Published:
    """Keeps the messages that would go to the broker."""
    return keep_messages(monkeypatch)


@pytest.fixture
def owner(transactional_db: None) -> Any:
    return User.objects.create_user("trader")


@pytest.fixture
def count(owner: Any, published: Published) -> Any:
    """Create a run of kind `count`."""

    def create(jobs: int, *, options: RunOptions | None = None, **more: Any) -> Run:
        return create_run(owner=owner, kind="count", spec=counting_spec(jobs, **more), options=options)

    return create


@pytest.fixture
def live_worker(transactional_db: None) -> Worker:
    """A worker whose heartbeat is fresh; its pool is process 111."""
    now = database_now()
    return Worker.objects.create(host="host", pid=100, slots=2, pool_pids=[111], started_at=now, seen_at=now)


def log_of(run: Run) -> list[dict[str, Any]]:
    """The stored events of a run; asserts that they are numbered 1 … N without a gap."""
    bodies = [
        orjson.loads(body)
        for body in Event.objects.filter(run=run).order_by("seq").values_list("body", flat=True)
    ]
    assert [body["seq"] for body in bodies] == list(range(1, len(bodies) + 1))
    run.refresh_from_db()
    assert run.last_seq == len(bodies)
    return bodies


def statuses(run_id: UUID) -> list[str]:
    """Statuses of a run's jobs, in order of position."""
    return list(Job.objects.filter(run_id=run_id).order_by("position").values_list("status", flat=True))
