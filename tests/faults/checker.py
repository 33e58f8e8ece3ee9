"""Break everything at random while runs are watched, then check that nothing was lost.

`python -m tests.faults.checker` starts runs of every kind all the time, with watchers on every transport that drop
their connections and come back; pauses, resumes, stops, reorders and retries them; and meanwhile kills worker children,
workers, the web server, the scheduler and Redis (which comes back with or without its data), suspends workers, restarts
PostgreSQL, and loses, doubles and delays messages. At the end every run must have ended, with one outcome for each job,
events 1 … N, the same for every watcher, nothing after the last, and a summary that equals one computed anew. `--seed`
repeats the choices, not the timing.
"""

import argparse
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config import processes
from config.valkey import start_valkey
from tests.servers import Postgres, private_folder, restartable_postgres
from tests.stack import RunningStack, running_stack

LONGEST_RECOVERY_SECONDS = 120.0
SUSPENDED_SECONDS = 6.0, 9.0
RESTS_SECONDS = {"web server killed": 8.0, "worker suspended until it counted as dead": 12.0}
"""A fault is not repeated sooner: what takes seconds to come back would do nothing in between."""


@dataclass
class Site:
    """Everything that can be broken."""

    stack: RunningStack
    postgres: Postgres | None
    folder: Path
    redis_port: int
    redis: processes.Child
    faults: Counter[str] = field(default_factory=Counter)

    def restart_redis(self, *, with_data: bool) -> None:
        """Kill Redis and start it again, with what it held a moment before or empty."""
        from redis import Redis

        dump = self.folder / "dump.rdb"
        if with_data:
            Redis.from_url(self.stack.environment["REDIS_URL"]).save()
        processes.end([self.redis], grace_seconds=0)
        if not with_data:
            dump.unlink(missing_ok=True)
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
        os.environ["CANDLESTREAM_STRATEGIES"] = "tests.paced_strategy"
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
        while not (children := processes_below(dice.choice(stack.workers).process.pid)):
            restart_ended_workers(site)
            time.sleep(0.1)  # one that has just been started has no children yet
        os.kill(dice.choice(children), signal.SIGKILL)

    def kill_worker() -> None:
        worker = dice.choice(stack.workers)
        stack.kill(worker)
        stack.workers.remove(worker)
        stack.start_worker(slots=2)

    def suspend_worker() -> None:
        group = dice.choice(stack.workers).process.pid
        os.killpg(group, signal.SIGSTOP)
        threading.Timer(dice.uniform(*SUSPENDED_SECONDS), wake, (group,)).start()

    def wake(group: int) -> None:
        with suppress(ProcessLookupError):  # it has been killed meanwhile
            os.killpg(group, signal.SIGCONT)

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
        "worker suspended until it counted as dead": suspend_worker,
        "web server killed": kill_web,
        "scheduler killed": kill_scheduler,
        "Redis wiped": wipe_redis,
        "Redis killed, with its data": lambda: site.restart_redis(with_data=True),
        "Redis killed, without its data": lambda: site.restart_redis(with_data=False),
    }
    if site.postgres:
        faults["PostgreSQL restarted"] = site.postgres.restart
    return faults


def restart_ended_workers(site: Site) -> None:
    """Do what whoever supervises workers does: Celery ends one whose pool loses a process while it starts."""
    for worker in [worker for worker in site.stack.workers if worker.has_ended]:
        site.stack.workers.remove(worker)
        site.stack.start_worker(slots=2)
        site.faults["worker that had ended by itself restarted"] += 1


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
        from tests.faults.bad_post import BadPost
        from tests.faults.driver import Driver

        driver = Driver(found.stack, random.Random(options.seed))
        post = BadPost(found.stack.environment["REDIS_URL"], random.Random(options.seed))
        _break_for(options.seconds, found, driver, random.Random(options.seed))
        post.stop()
        with said_by_all(found.stack):
            checked = driver.finish(LONGEST_RECOVERY_SECONDS, lambda: restart_ended_workers(found))
    print(f"seed {options.seed}, {options.seconds:g} s on {options.database}")
    _report("Faults", found.faults + post.done)
    _report("Control", driver.operator.done)
    _report("Checked", checked)
    return 0


@contextmanager
def said_by_all(stack: RunningStack) -> Generator[None]:
    """Print the end of every process's log when something is wrong: the logs are gone with the site."""
    try:
        yield
    except AssertionError:
        for child in (stack.web, stack.scheduler, *stack.workers):
            if child is not None:
                print(f"--- {child.name}", child.last_lines(40), sep="\n")
        raise


def _report(title: str, counts: Counter[str]) -> None:
    print(title)
    for name, count in sorted(counts.items()):
        print(f"{count:8,}  {name}")


def _break_for(seconds: float, site: Site, driver: Any, dice: random.Random) -> None:
    faults = faults_of(site, dice)
    until = time.monotonic() + seconds
    rest_until: dict[str, float] = {}
    while time.monotonic() < until:
        driver.start_run()
        time.sleep(dice.uniform(0.3, 1.5))
        restart_ended_workers(site)
        name = dice.choice([name for name in sorted(faults) if rest_until.get(name, 0.0) < time.monotonic()])
        faults[name]()
        site.faults[name] += 1
        rest_until[name] = time.monotonic() + RESTS_SECONDS.get(name, 0.0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
