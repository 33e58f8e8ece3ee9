"""A site of real processes with several users, shared by the tests of this folder that need a real server."""

import json
import os
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers import fresh_database, private_folder, private_valkey
from tests.stack import ROOT, RunningStack, running_stack

SETTINGS = {
    "SINGLE_USER": "0",
    "EXTRA_APPS": "workers.tests.counting",
    "SLOW_CLIENT_SECONDS": "3",
    "CONNECTIONS_PER_USER": "50",
    "WEBHOOKS_ALLOW_PRIVATE": "1",
}


@dataclass
class Site:
    """The processes, and what is in their database."""

    stack: RunningStack
    redis_url: str
    tokens: dict[str, str]
    password: str
    long: str
    live: list[str] = field(default_factory=list[str])

    def headers(self, user: str = "owner") -> dict[str, str]:
        """What makes a request a user's."""
        return {"Authorization": f"Bearer {self.tokens[user]}"}

    def client(self, user: str = "owner") -> httpx.Client:
        """An HTTP client of a user."""
        return httpx.Client(base_url=self.stack.url, headers=self.headers(user), timeout=30)

    def paused_run(self) -> str:
        """A run of 20 jobs that nobody else uses; `resume` lets it go on."""
        return self.live.pop()

    def resume(self, run_id: str) -> None:
        """Let a run go on."""
        with self.client() as client:
            client.post(f"/api/runs/{run_id}/resume/").raise_for_status()

    def log_of(self, name: str) -> str:
        """What one of the processes has logged."""
        return (self.stack.folder / f"{name}.log").read_text()


@pytest.fixture(scope="package")
def site() -> Iterator[Site]:
    """Web, scheduler and one worker, for several users."""
    with private_folder() as folder, fresh_database() as database_url, private_valkey() as redis_url:
        urls = {"database_url": database_url, "redis_url": redis_url}
        found = _populate(folder, **urls)
        with running_stack(folder, **urls, workers=1, slots=1, **SETTINGS) as stack:
            yield Site(stack, redis_url, **found)


def _populate(folder: Path, *, database_url: str, redis_url: str) -> dict[str, Any]:
    environment = {
        **os.environ,
        **SETTINGS,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "CANDLESTREAM_HOME": str(folder),
    }
    command = [sys.executable, "-m", "tests.security.populate"]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@contextmanager
def nothing_went_wrong(site: Site) -> Generator[None]:
    """Assert that the web server neither failed nor answered with a 500 in between, and still answers."""
    before = len(site.log_of("web"))
    yield
    said = site.log_of("web")[before:]
    assert "Traceback" not in said, said[-4000:]
    assert site.stack.web is not None
    assert not site.stack.web.has_ended
    assert httpx.get(f"{site.stack.url}/api/health/", timeout=30).status_code == 200
