"""Break everything at random while runs are watched, then check that nothing was lost.

`python -m tests.faults.checker` starts runs all the time, with watchers on every transport that drop their connections
and come back, and meanwhile kills worker children, workers, the web server, the scheduler and Redis, restarts
PostgreSQL, and loses and doubles messages. At the end every run must have ended, with one outcome for each job, events
1 … N, the same for every watcher, and a summary that equals one computed anew. `--seed` repeats the choices, not the
timing.
"""

import argparse
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config import processes
from config.valkey import start_valkey
from tests.servers import Postgres, private_folder, restartable_postgres
from tests.stack import RunningStack, running_stack

LONGEST_RECOVERY_SECONDS = 120.0


@dataclass
class Site:
    """Everything that can be broken."""

    stack: RunningStack
    postgres: Postgres | None
    folder: Path
    redis_port: int
    redis: processes.Child
    faults: Counter[str] = field(default_factory=Counter)

    def restart_redis(self) -> None:
        """Kill Redis and start it again, empty: it keeps nothing on disk."""
        processes.end([self.redis], grace_seconds=0)
        self.redis, _ = start_valkey(self.folder, port=self.redis_port)


@contextmanager
def site(database: str) -> Generator[Site]:
    """A stack of two workers with two processes each, on servers of its own."""
    with ExitStack() as servers:
        folder = servers.enter_context(private_folder())
        postgres = servers.enter_context(restartable_postgres()) if database == "postgres" else None
        database_url = postgres.url if postgres else f"sqlite:///{folder / 'candlestream.sqlite3'}"
        port = processes.free_port()
        redis, redis_url = start_valkey(folder, port=port)
        environment = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "CANDLESTREAM_HOME": str(folder)}
        os.environ.update({**environment, "SINGLE_USER": "1", "EXTRA_APPS": "workers.tests.counting"})
        os.environ.setdefault("LOG_LEVEL", "WARNING")
        os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
        prepared = RunningStack(folder, {**os.environ}, 0)
        prepared.manage("migrate", "-v", "0")
        stack = servers.enter_context(
            running_stack(folder, database_url=database_url, redis_url=redis_url, workers=2, slots=2)
        )
        found = Site(stack, postgres, folder, port, redis)
        try:
            yield found
        finally:
            processes.end([found.redis], grace_seconds=0)


def faults_of(site: Site, dice: random.Random) -> dict[str, Callable[[], None]]:
    """Every way to break the site, by name."""
    from redis import Redis

    stack = site.stack

    def kill_child() -> None:
        children = processes_below(dice.choice(stack.workers).process.pid)
        if children:
            os.kill(dice.choice(children), signal.SIGKILL)

    def kill_worker() -> None:
        worker = dice.choice(stack.workers)
        stack.kill(worker)
        stack.workers.remove(worker)
        stack.start_worker(slots=2)

    def kill_web() -> None:
        stack.kill(stack.web)
        stack.start_web()

    def kill_scheduler() -> None:
        stack.kill(stack.scheduler)
        stack.start_scheduler()

    def wipe_redis() -> None:
        Redis.from_url(stack.environment["REDIS_URL"]).flushall()

    faults = {
        "worker child killed": kill_child,
        "worker killed": kill_worker,
        "web server killed": kill_web,
        "scheduler killed": kill_scheduler,
        "Redis wiped": wipe_redis,
        "Redis killed": site.restart_redis,
    }
    if site.postgres:
        faults["PostgreSQL restarted"] = site.postgres.restart
    return faults


def processes_below(pid: int) -> list[int]:
    """Children of a process."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in listed.read_text().split()] if listed.exists() else []


def main(arguments: list[str]) -> int:
    """Break, check, and say what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--database", choices=["postgres", "sqlite"], default="postgres")
    options = parser.parse_args(arguments)
    if os.environ.get("END_WITH_PARENT"):
        processes.end_with_parent()
    with site(options.database) as found:
        import django

        django.setup()
        from tests.faults.driver import Driver

        driver = Driver(found, random.Random(options.seed))
        _break_for(options.seconds, found, driver, random.Random(options.seed))
        report = driver.finish(LONGEST_RECOVERY_SECONDS)
    print(f"seed {options.seed}, {options.seconds:g} s on {options.database}")
    for name, count in [*sorted(found.faults.items()), *report.items()]:
        print(f"{count:8,}  {name}")
    return 0


def _break_for(seconds: float, site: Site, driver: Any, dice: random.Random) -> None:
    faults = faults_of(site, dice)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        driver.start_run()
        time.sleep(dice.uniform(0.3, 1.5))
        name = dice.choice(sorted(faults))
        faults[name]()
        site.faults[name] += 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
