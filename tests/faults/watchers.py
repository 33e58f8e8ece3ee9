"""Watchers of a run over every transport, in threads of their own. Each comes back by itself when it is cut off."""

import random
import threading
import time
from typing import Any
from uuid import UUID, uuid4

import httpx
import orjson
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from tests.stack import RunningStack

LAST = {"complete", "error"}
AGAIN_SECONDS = 0.1
DROPS = 0.02
"""Share of the events after which a restless watcher drops its connection."""


class Watcher:
    """Follows a run over WebSocket; drops the connection whenever its count of events is in `drop_at`.

    It also comes back by itself when the server goes away, from the event after the last it saw.
    """

    def __init__(
        self,
        stack: RunningStack,
        run_id: Any,
        *,
        drop_at: tuple[int, ...] = (),
        headers: dict[str, str] | None = None,
        late_seconds: float = 0.0,
    ) -> None:
        self.texts: list[str] = []
        self.connections = 0
        self._url = f"{stack.websocket_url}/ws/runs/{run_id}/"
        self._drop_at = set(drop_at)
        self._headers = headers
        self._late_seconds = late_seconds
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def wait(self, seconds: float = 60) -> list[str]:
        """Wait for the run's last event; the texts of all that were seen until the server closed the connection."""
        assert self._ended.wait(seconds), f"saw {len(self.texts)} events and no last one after {seconds} s"
        self._thread.join(5)
        return self.texts

    def _follow(self) -> None:
        time.sleep(self._late_seconds)
        while not self._ended.is_set():
            try:
                self._follow_once()
            except (OSError, WebSocketException):
                self._ended.wait(AGAIN_SECONDS)

    def _follow_once(self) -> None:
        with connect(
            f"{self._url}?after={len(self.texts)}", compression=None, additional_headers=self._headers
        ) as socket:
            self.connections += 1
            for text in socket:
                self.texts.append(str(text))
                if orjson.loads(text)["type"] in LAST:
                    self._ended.set()
                if len(self.texts) in self._drop_at:
                    self._drop_at.discard(len(self.texts))
                    return


class HttpWatcher:
    """Follows a run by server-sent events, and drops its connection at random."""

    def __init__(self, url: str, run_id: UUID | None, dice: random.Random) -> None:
        self.texts: list[str] = []
        self.connections = 0
        self.run_id: UUID | None = run_id
        self._url = url
        self._dice = dice
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> list[str]:
        """Wait for the last event; the texts of all that were seen until the server ended the stream."""
        assert self._ended.wait(seconds), f"saw {len(self.texts)} events and no last one after {seconds} s"
        self._thread.join(5)
        return self.texts

    def _follow(self) -> None:
        with httpx.Client(base_url=self._url, timeout=35) as client:
            while not self._ended.is_set():
                try:
                    self._next(client)
                except httpx.HTTPError:
                    time.sleep(AGAIN_SECONDS)

    def _next(self, client: httpx.Client) -> None:
        headers = {"Last-Event-ID": str(len(self.texts))} if self.texts else {}
        with client.stream("GET", f"/api/runs/{self.run_id}/stream/", headers=headers) as answer:
            self._read(answer)

    def _read(self, answer: httpx.Response) -> None:
        if answer.status_code != 200:
            time.sleep(AGAIN_SECONDS)
            return
        self.connections += 1
        for line in answer.iter_lines():
            if line.startswith("data: "):
                self._take(line.removeprefix("data: "))
                if not self._ended.is_set() and self._dice.random() < DROPS:
                    return

    def _take(self, text: str) -> None:
        self.texts.append(text)
        if orjson.loads(text)["type"] in LAST:
            self._ended.set()


class Poller(HttpWatcher):
    """Follows a run by long polls."""

    def _next(self, client: httpx.Client) -> None:
        query = {"after": len(self.texts), "wait": 2}
        answer = client.get(f"/api/runs/{self.run_id}/events/", params=query)
        if answer.status_code != 200:
            time.sleep(AGAIN_SECONDS)
            return
        self.connections += 1
        for event in answer.json()["events"]:
            self._take(orjson.dumps(event).decode())


class Starter(HttpWatcher):
    """Starts a run and follows it in one response, sent again with the same key until there is an answer."""

    def __init__(self, url: str, path: str, body: dict[str, Any], dice: random.Random) -> None:
        self._path = path
        self._body = body
        self._key = str(uuid4())
        super().__init__(url, None, dice)

    def _next(self, client: httpx.Client) -> None:
        if self.run_id is not None:
            super()._next(client)
            return
        headers = {"Idempotency-Key": self._key}
        with client.stream("POST", self._path, json=self._body, headers=headers) as answer:
            assert not 400 <= answer.status_code < 500, answer.read()
            if answer.status_code == 200:
                self.run_id = UUID(answer.headers["Location"].split("/")[-2])
            self._read(answer)
