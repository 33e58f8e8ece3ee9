"""Watchers of a run, in threads of their own."""

import threading
from typing import Any

import orjson
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from tests.stack import RunningStack

LAST = {"complete", "error"}


class Watcher:
    """Follows a run over WebSocket; drops the connection whenever its count of events is in `drop_at`.

    It also comes back by itself when the server goes away, from the event after the last it saw.
    """

    def __init__(self, stack: RunningStack, run_id: Any, *, drop_at: tuple[int, ...] = ()) -> None:
        self.texts: list[str] = []
        self.connections = 0
        self._url = f"{stack.websocket_url}/ws/runs/{run_id}/"
        self._drop_at = set(drop_at)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def wait(self, seconds: float = 60) -> list[str]:
        """Wait for the run's last event; the texts of all that were seen."""
        assert self._ended.wait(seconds), f"saw {len(self.texts)} events and no last one after {seconds} s"
        self._thread.join(5)
        return self.texts

    def _follow(self) -> None:
        while not self._ended.is_set():
            try:
                self._follow_once()
            except (OSError, WebSocketException):
                self._ended.wait(0.1)

    def _follow_once(self) -> None:
        with connect(f"{self._url}?after={len(self.texts)}", compression=None) as socket:
            self.connections += 1
            for text in socket:
                self.texts.append(str(text))
                if orjson.loads(text)["type"] in LAST:
                    self._ended.set()
                if len(self.texts) in self._drop_at:
                    self._drop_at.discard(len(self.texts))
                    return
