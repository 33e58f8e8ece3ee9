"""Starts runs under fire, watches them over every transport, and checks what is left of them."""

import random
import threading
import time
from typing import Any
from uuid import UUID

import httpx
import orjson
from django.db import DatabaseError, InterfaceError, connection

from tests.faults.checks import check
from tests.faults.watchers import LAST, Watcher
from workers import dispatch, handlers
from workers.access import local_user
from workers.models import Run
from workers.runs import RunOptions, create_run
from workers.tests.counting.handler import counting_spec


class HttpWatcher:
    """Follows a run by server-sent events, or by long polls, and comes back after every cut."""

    def __init__(self, url: str, run_id: UUID, *, polls: bool, dice: random.Random) -> None:
        self.texts: list[str] = []
        self._url = f"{url}/api/runs/{run_id}"
        self._next = self._poll if polls else self._stream
        self._dice = dice
        self._ended = threading.Event()
        threading.Thread(target=self._follow, daemon=True).start()

    def wait(self, seconds: float) -> list[str]:
        """Wait for the last event; the texts of all."""
        assert self._ended.wait(seconds), f"saw {len(self.texts)} events and no last one after {seconds} s"
        return self.texts

    def _follow(self) -> None:
        with httpx.Client(timeout=35) as client:
            while not self._ended.is_set():
                try:
                    self._next(client)
                except httpx.HTTPError:
                    time.sleep(0.1)

    def _poll(self, client: httpx.Client) -> None:
        answer = client.get(f"{self._url}/events/", params={"after": len(self.texts), "wait": 2})
        if answer.status_code != 200:
            time.sleep(0.1)
            return
        for event in answer.json()["events"]:
            self._take(orjson.dumps(event).decode())

    def _stream(self, client: httpx.Client) -> None:
        headers = {"Last-Event-ID": str(len(self.texts))} if self.texts else {}
        with client.stream("GET", f"{self._url}/stream/", headers=headers) as answer:
            if answer.status_code != 200:
                time.sleep(0.1)
                return
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    self._take(line.removeprefix("data: "))
                    if self._dice.random() < 0.02:
                        return  # drop the connection and come back

    def _take(self, text: str) -> None:
        self.texts.append(text)
        if orjson.loads(text)["type"] in LAST:
            self._ended.set()


class Driver:
    """Runs and their watchers."""

    def __init__(self, site: Any, dice: random.Random) -> None:
        self._stack = site.stack
        self._dice = dice
        self._runs: list[tuple[Run, list[Any]]] = []
        self._doubled = 0
        self._lost = 0
        self._publish = dispatch.publish
        dispatch.publish = self._publish_badly

    def start_run(self) -> None:
        """Start a run of a random kind; while the database is away, none."""
        jobs = self._dice.randint(5, 60)
        wrong = [str(self._dice.randrange(jobs))] if self._dice.random() < 0.3 else []
        options = RunOptions()
        if self._dice.random() < 0.3:
            options = RunOptions(hit="number >= 1", max_hits=self._dice.randint(1, jobs))
        spec = counting_spec(jobs, sleep_ms=self._dice.randint(0, 60), wrong=wrong)
        try:
            run = create_run(owner=local_user(), kind="count", spec=spec, options=options)
        except (DatabaseError, InterfaceError):
            connection.close()
            return
        self._runs.append((run, self._watchers(run)))

    def _watchers(self, run: Run) -> list[Any]:
        drops = tuple(self._dice.randint(1, run.total) for _ in range(3))
        return [
            Watcher(self._stack, run.pk),
            Watcher(self._stack, run.pk, drop_at=drops),
            HttpWatcher(self._stack.url, run.pk, polls=False, dice=self._dice),
            HttpWatcher(self._stack.url, run.pk, polls=True, dice=self._dice),
        ]

    def _publish_badly(self, job_ids: list[int], **options: Any) -> None:
        """Lose some messages, and send some twice."""
        for job_id in job_ids:
            chance = self._dice.random()
            if chance < 0.1:
                self._lost += 1
                continue
            self._publish([job_id], **options)
            if chance > 0.9:
                self._publish([job_id], **options)
                self._doubled += 1

    def finish(self, seconds: float) -> dict[str, int]:
        """Wait for the end of all runs, check each, and count what was checked."""
        seen = 0
        deadline = time.monotonic() + seconds
        for run, watchers in self._runs:
            self._wait_for_end(run, deadline)
            stored = [orjson.loads(text) for text in check(run)]
            assert run.summary == handlers.find(run.kind).summarise(run.pk)
            for watcher in watchers:
                texts = watcher.wait(max(deadline - time.monotonic(), 5.0))
                assert [orjson.loads(text) for text in texts] == stored, f"{watcher} of {run} differs"
                seen += len(texts)
        return {
            "messages lost on purpose": self._lost,
            "messages doubled on purpose": self._doubled,
            "runs": len(self._runs),
            "jobs": sum(run.total for run, _ in self._runs),
            "events stored": sum(run.last_seq for run, _ in self._runs),
            "events seen by watchers": seen,
        }

    def _wait_for_end(self, run: Run, deadline: float) -> None:
        while True:
            try:
                run.refresh_from_db()
            except (DatabaseError, InterfaceError):
                connection.close()
            if run.has_ended:
                return
            assert time.monotonic() < deadline, (
                f"{run} has not ended: {run.status}, {run.in_flight} in flight"
            )
            time.sleep(0.1)
