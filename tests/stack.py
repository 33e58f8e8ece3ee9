"""A whole Candlestream as processes of its own: web, workers and scheduler, each of which may be killed."""

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.db import connection

from config import processes
from config.processes import Child

ROOT = Path(__file__).resolve().parents[1]


@dataclass
class RunningStack:
    """Processes of one stack, and what they were started with."""

    folder: Path
    environment: dict[str, str]
    port: int
    web: Child | None = None
    scheduler: Child | None = None
    workers: list[Child] = field(default_factory=list)
    feeds: list[Child] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Address of the web server, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def websocket_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def start_web(self) -> None:
        """Start the web server; `wait_for_web` says when it answers."""
        self.web = self._start(
            "web", "-m", "uvicorn", "config.asgi:application", "--port", str(self.port), "--no-access-log",
            "--ws", "websockets-sansio", "--ws-per-message-deflate", "false", "--ws-max-size", "65536",
            "--timeout-graceful-shutdown", "2",
        )  # fmt: skip

    def wait_for_web(self) -> None:
        """Wait until the web server answers."""
        assert self.web is not None, "it was never started"
        processes.wait_until(self._answers, self.web, seconds=150)

    def start_scheduler(self) -> None:
        """Start the scheduler."""
        self.scheduler = self._start("scheduler", "manage.py", "scheduler")

    def start_prices(self, name: str = "prices") -> Child:
        """Start a price feed; of several one leads."""
        self.feeds.append(self._start(name, "manage.py", "price_feed"))
        return self.feeds[-1]

    def start_worker(self, *, slots: int, queues: str = "first,jobs") -> None:
        """Start a worker; `wait_for_workers` says when it takes jobs."""
        name = f"worker{len(self.workers)}"
        worker = self._start(
            name, "-m", "celery", "-A", "config", "worker", "--queues", queues, "--concurrency", str(slots),
            "--hostname", f"{name}@%h", "--loglevel", "INFO", "--without-gossip", "--without-mingle",
        )  # fmt: skip
        self.workers.append(worker)

    def wait_for_workers(self) -> None:
        """Wait until all workers take jobs."""
        for worker in self.workers:
            processes.wait_until(
                lambda worker=worker: " ready." in worker.last_lines(200), worker, seconds=150
            )

    def manage(self, *arguments: str) -> None:
        """Run a management command to its end."""
        command = self._start("-".join(["manage", *arguments[:1]]), "manage.py", *arguments)
        if command.process.wait() != 0:
            raise processes.ChildError(command, "failed")

    def kill(self, child: Child | None) -> None:
        """Kill one of the processes and all that it started, as a machine that loses its power would."""
        assert child is not None, "it was never started"
        child.kill()
        child.process.wait()

    def end(self) -> None:
        """End everything that still runs, at once: nothing of it is needed any more."""
        children = [
            child for child in (self.web, self.scheduler, *self.workers, *self.feeds) if child is not None
        ]
        processes.end(children, grace_seconds=0)

    def _start(self, name: str, *arguments: str) -> Child:
        log = self.folder / f"{name}.log"
        # What a killed process leaves behind goes with the folder.
        environment = {**self.environment, "TMPDIR": str(self.folder)}
        return processes.start(name, [sys.executable, *arguments], log=log, env=environment, cwd=ROOT)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/api/strategies/", timeout=5):
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False


@contextmanager
def running_stack(
    folder: Path, *, database_url: str, redis_url: str, workers: int = 1, slots: int = 2, **variables: str
) -> Generator[RunningStack]:
    """A stack on a migrated database; `variables` are added to its environment. Ends all its processes."""
    stack = RunningStack(
        folder, _environment(folder, database_url, redis_url, variables), processes.free_port()
    )
    try:
        for _ in range(workers):
            stack.start_worker(slots=slots)
        stack.start_scheduler()
        stack.start_web()
        stack.wait_for_web()
        stack.wait_for_workers()
        yield stack
    finally:
        stack.end()


def suite_database_url() -> str:
    """The address of the suite's test database, for processes of their own."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{settings['NAME']}"
    login = f"{settings['USER']}:{settings['PASSWORD']}" if settings["PASSWORD"] else settings["USER"]
    return f"postgres://{login}@{settings['HOST']}:{settings['PORT'] or 5432}/{settings['NAME']}"


def bare_stack(folder: Path, *, redis_url: str, **variables: str) -> RunningStack:
    """A stack on the suite's database of which nothing runs yet. End it."""
    environment = _environment(folder, suite_database_url(), redis_url, variables)
    return RunningStack(folder, environment, processes.free_port())


def _environment(folder: Path, database_url: str, redis_url: str, more: Mapping[str, str]) -> dict[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "CANDLESTREAM_HOME": str(folder),
        "SINGLE_USER": "1",
        "PYTHONUNBUFFERED": "1",
        **more,
    }
