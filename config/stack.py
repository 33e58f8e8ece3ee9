"""The servers of an embedded Candlestream: Valkey, web, worker and scheduler as child processes."""

import os
import sys
import time
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import NoReturn

from config import processes
from config.home import Home
from config.processes import Child, ChildError
from config.valkey import start_valkey

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_SOURCE = "files"
"""The source under which the candles of a user's folder are known."""
DOWNLOAD_SLOTS = 2
"""Downloads and imports at once; one of each, or two downloads, which mostly wait."""


class StackError(Exception):
    """The servers can't be started; the message says what to do."""


class Stack:
    """The servers of one embedded Candlestream, from start to end."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.port = 0
        self.children: list[Child] = []
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "CANDLESTREAM_HOME": str(home.folder),
            "SECRET_KEY": os.environ.get("SECRET_KEY") or home.secret_key(),
            "SINGLE_USER": "1",
            "STATIC_ROOT": str(home.static),
            "PYTHONUNBUFFERED": "1",
        }

    @property
    def url(self) -> str:
        """Address of the page."""
        return f"http://127.0.0.1:{self.port}/"

    def prepare(self, data: Path | None) -> None:
        """Start the broker, and see to a market to work on.

        Raises
        ------
        StackError
            If the market can't be loaded; why has been shown by then.
        """
        self._start_broker()
        folder = [] if data is None else [str(data.resolve())]
        preparation = self.attach("prepare", "-m", "config.prepare", *folder)
        try:
            if self.watch(preparation) != 0:
                raise StackError("The database or its market could not be prepared.")
        finally:
            processes.end([preparation])

    def start(self, port: int) -> None:
        """Start what serves and works; `wait_until_ready` says when it does."""
        self.port = port
        self._start(
            "web", "-m", "uvicorn", "config.asgi:application", "--host", "127.0.0.1", "--port", port,
            "--ws", "websockets-sansio", "--ws-per-message-deflate", "false", "--ws-max-size", 65536, "--no-access-log",
            "--timeout-graceful-shutdown", 2,
        )  # fmt: skip
        self._start_worker("worker", "first,jobs", usable_cores())
        self._start("scheduler", "manage.py", "scheduler")

    def start_prices(self) -> None:
        """Start live prices: what the store has, played again, unless `PRICE_SOURCES` names real sources.

        Nobody asked this machine to call an exchange, and it may have no network; see
        `docs/decisions/replayed-prices.md`.
        """
        if "PRICE_SOURCES" not in self.environment:
            self.environment = {"PRICE_SOURCES": "replay", "PRICE_INTERVALS": "5m", **self.environment}
        self._start("prices", "manage.py", "price_feed")

    def start_downloader(self) -> None:
        """Start what downloads and imports; afterwards, for nobody waits for it when the page opens."""
        self._start_worker("downloader", "downloads", DOWNLOAD_SLOTS)

    def _start_worker(self, name: str, queues: str, slots: int) -> None:
        self._start(
            name, "-m", "celery", "-A", "config", "worker", "--queues", queues, "--pool", "prefork",
            "--concurrency", slots, "--hostname", f"{name}@%h", "--loglevel", "INFO",
            "--without-gossip", "--without-mingle",
        )  # fmt: skip

    def _start_broker(self) -> None:
        if "REDIS_URL" in self.environment:
            return
        server, url = start_valkey(self.home.folder, log=self.home.log("valkey"))
        self._keep(server)
        self.environment["REDIS_URL"] = url

    def _start(self, name: str, *arguments: str | int) -> None:
        command = [sys.executable, *(str(argument) for argument in arguments)]
        log = self.home.log(name)
        self._keep(processes.start(name, command, log=log, env=self.environment, cwd=BASE_DIR))

    def _keep(self, child: Child) -> None:
        self.children.append(child)
        self.home.remember(self.children)

    def attach(self, name: str, *arguments: str) -> Child:
        """Start a Python program that speaks to the user itself."""
        command = [sys.executable, *arguments]
        return processes.start(name, command, env=self.environment, cwd=BASE_DIR, attached=True)

    def watch(self, client: Child) -> int:
        """Wait for a client's end and return its exit code.

        Raises
        ------
        ChildError
            If a server ends first.
        """
        while not client.has_ended:
            self.check()
            time.sleep(0.05)
        return client.process.returncode

    def serve(self) -> NoReturn:
        """Keep serving until a signal or the end of a server."""
        while True:
            self.check()
            time.sleep(0.2)

    def check(self) -> None:
        """Raise `ChildError` if a server has ended."""
        for child in self.children:
            if child.has_ended:
                raise ChildError(child, f"ended unexpectedly with code {child.process.returncode}")

    def wait_until_ready(self) -> None:
        """Wait until the web server answers and the worker takes jobs."""
        by_name = {child.name: child for child in self.children}
        worker = by_name["worker"]
        processes.wait_until(lambda: _answers(self.port), by_name["web"], seconds=60)
        processes.wait_until(lambda: " ready." in worker.last_lines(200), worker, seconds=60)
        self.check()
        self.home.announce(self.url)

    def end(self) -> None:
        """End all servers: those that use the broker first."""
        processes.end([child for child in self.children if child.name != "valkey"], grace_seconds=5)
        processes.end([child for child in self.children if child.name == "valkey"], grace_seconds=1)
        self.children.clear()


def usable_cores() -> int:
    """Cores that this process may use, which in a container can be fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/api/health/")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
