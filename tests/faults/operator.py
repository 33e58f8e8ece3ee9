"""Somebody who presses every button while everything breaks: pause, resume, stop, prioritise, retry."""

import random
import threading
import time
from collections import Counter
from queue import SimpleQueue
from uuid import UUID

import httpx
import orjson
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from tests.stack import RunningStack

VERBS = ["pause"] * 5 + ["resume"] * 4 + ["prioritise"] * 3 + ["stop"] * 2 + ["retry"] * 4
EVERY_SECONDS = 0.2
NEWEST = 12
ANSWER_SECONDS = 3.0
AWAY_SECONDS = 0.5


class Operator:
    """Controls the newest runs, over REST and over WebSocket, in a thread; counts the verbs that were answered."""

    def __init__(self, stack: RunningStack, dice: random.Random) -> None:
        self.done: Counter[str] = Counter()
        self.started: SimpleQueue[UUID] = SimpleQueue()
        """Runs that retry others."""
        self._runs: list[UUID] = []
        self._stack = stack
        self._dice = dice
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def add(self, run_id: UUID) -> None:
        """Let a run be controlled too."""
        self._runs.append(run_id)

    def stop(self) -> None:
        """Press nothing any more."""
        self._stopped.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._stopped.wait(self._dice.uniform(0, 2 * EVERY_SECONDS)):
            if self._runs:
                verb = self._dice.choice(VERBS)
                try:
                    self._press(self._dice.choice(self._runs[-NEWEST:]), verb)
                except (httpx.HTTPError, OSError, WebSocketException):
                    self.done["verbs without an answer"] += 1
                    self._stopped.wait(AWAY_SECONDS)

    def _press(self, run_id: UUID, verb: str) -> None:
        if verb == "prioritise" or (verb != "retry" and self._dice.random() < 0.5):
            self._say(run_id, verb)
            return
        answer = httpx.post(f"{self._stack.url}/api/runs/{run_id}/{verb}/", timeout=ANSWER_SECONDS)
        if answer.status_code == 409:
            return  # under way, or nothing of it has failed
        answer.raise_for_status()
        self.done[verb] += 1
        if verb == "retry":
            self.started.put(UUID(answer.json()["id"]))

    def _say(self, run_id: UUID, verb: str) -> None:
        """Send a command, and wait for its reply among the events; the socket of an ended run closes before."""
        keys = {"keys": [str(key) for key in range(0, 60, 7)]} if verb == "prioritise" else {}
        address = f"{self._stack.websocket_url}/ws/runs/{run_id}/"
        until = time.monotonic() + ANSWER_SECONDS
        with connect(address, compression=None, open_timeout=ANSWER_SECONDS) as socket:
            socket.send(orjson.dumps({"type": verb, **keys}).decode())
            while orjson.loads(socket.recv(timeout=max(until - time.monotonic(), 0)))["type"] != "reply":
                pass
        self.done[f"{verb} over a WebSocket"] += 1
