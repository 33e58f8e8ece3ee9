"""The stack that the browser looks at: real processes, whose workers can be held and let go."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Collection
from pathlib import Path
from typing import Any

from config.processes import free_port
from tests.browser.gate.gate import Gate
from tests.launcher.launched import ROOT, Launched, wait_for

START_SECONDS = 150
RUN_SECONDS = 90
ANSWER_SECONDS = 60
ADD_SERIES = """
import numpy as np
from market_data.candles import Candles
from market_data.store import write_candles
bars = np.arange(2400)
price = 100 + bars / 100 + 10 * np.sin(bars / 15)
times = np.datetime64("{2}", "ms").astype(np.int64) + bars * 3_600_000
candles = Candles(times, price, price + 1, price - 1, price, np.full(2400, 5.0))
write_candles(symbol="{0}", source="{1}", interval="1h", candles=candles, generated=True)
"""


class Site(Launched):
    """A served Candlestream with a generated market."""

    def __init__(self, home: Path, **variables: str) -> None:
        self._gate = Gate(home / "gate")
        # A port of our own: others on this machine may start a Candlestream at the same moment.
        words = ("serve", "--port", str(free_port()))
        super().__init__(home, *words, command=None, EXTRA_APPS="tests.browser.gate", **variables)
        said = self.wait_until_said("Serving at ", START_SECONDS)
        self.url = said.split("Serving at ")[1].split()[0].rstrip("/")

    def get(self, path: str) -> Any:
        """What the API answers."""
        with urllib.request.urlopen(self.url + path, timeout=ANSWER_SECONDS) as answer:
            return json.load(answer)

    def start_run(self, kind: str = "backtests", **request: Any) -> dict[str, Any]:
        """Start a run by the API; the run as it answers."""
        body = json.dumps({"strategy": "rsi", **request}).encode()
        headers = {"Content-Type": "application/json"}
        post = urllib.request.Request(f"{self.url}/api/{kind}/", body, headers)
        with urllib.request.urlopen(post, timeout=ANSWER_SECONDS) as answer:
            return json.load(answer)

    def finished_run(self, kind: str = "backtests", **request: Any) -> str:
        """Start a run by the API, wait for its end, and return the address of its page."""
        run = self.start_run(kind, **request)
        self.wait_for_end(run)
        return run["links"]["page"]

    def wait_for_end(self, run: dict[str, Any]) -> None:
        """Wait until a run is over."""
        wait_for(lambda: self.get(run["links"]["self"])["ended_at"], RUN_SECONDS)

    def hold_workers(self) -> None:
        """Let no job end that begins from now on. Everything else goes on.

        What a stopped run has left behind is over first: it would stand at the gate in the name of the next run.
        """
        wait_for(lambda: not self._gate.busy(), RUN_SECONDS)
        self._gate.close()

    def release_workers(self) -> None:
        """Let the jobs go on again; those that were held have gone on when this returns."""
        self._gate.open()
        wait_for(lambda: not self.held_jobs(), RUN_SECONDS)

    def held_jobs(self) -> set[str]:
        """The symbols of jobs that workers have begun and are held at."""
        return self._gate.waiting()

    def let_jobs_end(self, run_id: str, symbols: Collection[str]) -> int:
        """Let some of the held jobs go on, and wait until they are done; how much of the run is done then."""
        completed = self._completed(run_id) + len(symbols)
        for symbol in symbols:
            self._gate.let(symbol)
        wait_for(lambda: self._completed(run_id) == completed, RUN_SECONDS)
        return completed

    def hold_workers_in_mid_run(self, run_id: str, *, count: int = 3) -> int:
        """Let the held workers go on until so many results exist, and no more; how many."""
        while (missing := count - self._completed(run_id)) > 0:
            wait_for(self.held_jobs, RUN_SECONDS)
            self.let_jobs_end(run_id, sorted(self.held_jobs())[:missing])
        return count

    def _completed(self, run_id: str) -> int:
        return self.get(f"/api/runs/{run_id}/")["progress"]["completed"]

    def add_series(self, symbol: str, source: str, *, first_day: str) -> None:
        """Give the market 100 days of made-up hourly candles of a symbol and source of its own."""
        manage(self.home, "shell", "-c", ADD_SERIES.format(symbol, source, first_day))


def manage(home: Path, *words: str) -> None:
    """Run a management command on a site's own database, whichever this suite runs on."""
    environment = {**os.environ, "CANDLESTREAM_HOME": str(home), "SINGLE_USER": "1"}
    environment.pop("DATABASE_URL", None)
    command = [sys.executable, "manage.py", *words]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
