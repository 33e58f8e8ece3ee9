"""Stacks of real processes on the suite's database."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kombu.pools
import pytest
from celery import current_app
from django.contrib.auth.models import User

from tests.servers import private_folder, private_valkey
from tests.stack import RunningStack, running_stack, suite_database_url
from workers import handlers
from workers.tests.counting.handler import CountingHandler

handlers.register(CountingHandler())


@pytest.fixture
def folder() -> Iterator[Path]:
    with private_folder() as path:
        yield path


@pytest.fixture
def broker_url(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A Valkey server that a test may wipe or kill; this process publishes to it too."""
    with private_valkey() as url:
        monkeypatch.setenv("CELERY_BROKER_URL", url)
        _forget_connections()
        yield url
    _forget_connections()


def _forget_connections() -> None:
    app: Any = current_app
    app.pool.force_close_all()
    app.amqp._producer_pool = None
    app._pool = None
    kombu.pools.reset()


@pytest.fixture
def stack(transactional_db: None, folder: Path, broker_url: str) -> Iterator[RunningStack]:
    """Web, scheduler and two workers with two processes each; runs of kind `count` are known to all."""
    with running_stack(
        folder,
        database_url=suite_database_url(),
        redis_url=broker_url,
        workers=2,
        slots=2,
        EXTRA_APPS="workers.tests.counting",
    ) as running:
        yield running


@pytest.fixture
def owner(transactional_db: None) -> Any:
    return User.objects.create_user("trader")
