"""The stack that the browser looks at: real processes, whose workers can be held and let go."""

import contextlib
import json
import sqlite3
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil

from config.processes import free_port
from tests.launcher.launched import Launched, processes_of, wait_for

START_SECONDS = 90
RUN_SECONDS = 60
STEP_SECONDS = 0.02
LEAST_STEP_SECONDS = 0.001


class Site(Launched):
    """A served Candlestream with a generated market."""

    def __init__(self, home: Path) -> None:
        # A port of our own: others on this machine may start a Candlestream at the same moment.
        super().__init__(home, "serve", "--port", str(free_port()))
        self._held: list[psutil.Process] = []
        said = self.wait_until_said("Serving at ", START_SECONDS)
        self.url = said.split("Serving at ")[1].split()[0].rstrip("/")

    def get(self, path: str) -> Any:
        """What the API answers."""
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.load(answer)

    def finished_run(self, **request: Any) -> str:
        """Start a run by the API, wait for its end, and return the address of its page."""
        body = json.dumps({"strategy": "rsi", **request}).encode()
        headers = {"Content-Type": "application/json"}
        post = urllib.request.Request(f"{self.url}/api/backtests/", body, headers)
        with urllib.request.urlopen(post, timeout=10) as answer:
            run = json.load(answer)
        wait_for(lambda: self.get(run["links"]["self"])["ended_at"], RUN_SECONDS)
        return run["links"]["page"]

    def workers(self) -> list[psutil.Process]:
        """The Celery worker's processes."""
        return [
            psutil.Process(pid) for pid, command in processes_of(self.home).items() if " celery " in command
        ]

    def hold_workers(self) -> None:
        """Let no job advance. Everything else, the web server included, goes on."""
        self._held = self._held or self.workers()  # looking for them takes as long as several jobs
        self._suspend_workers()
        while not self._can_write():
            self.release_workers()
            time.sleep(LEAST_STEP_SECONDS)
            self._suspend_workers()

    def _suspend_workers(self) -> None:
        for worker in self._held:
            worker.suspend()

    def release_workers(self) -> None:
        """Let the jobs advance again."""
        for worker in self._held:
            worker.resume()

    def hold_workers_in_mid_run(self, run_id: str) -> int:
        """Let the held workers go in small steps until some results exist, and not all; how many."""
        for _ in range(500):
            self.release_workers()
            time.sleep(STEP_SECONDS)
            self.hold_workers()
            progress = self.get(f"/api/runs/{run_id}/")["progress"]
            if progress["completed"]:
                assert progress["completed"] < progress["total"], "the run was over before it could be held"
                return progress["completed"]
        raise AssertionError("no result in 500 steps")

    def _can_write(self) -> bool:
        """Whether no worker is held in the middle of a transaction: everybody's commands would wait for its end."""
        with contextlib.closing(
            sqlite3.connect(self.home / "candlestream.sqlite3", timeout=0.05)
        ) as database:
            try:
                database.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return False
            return True
