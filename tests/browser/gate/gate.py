"""A gate that every job of a site passes before its work, so that a run stands still exactly where a test wants it.

Its state are files, which workers and tests share: `closed` while it is closed, `waiting/KEY` for each job that
stands before it, `let/KEY` for each that may pass all the same, and `busy/PID` for each process that is at work.
"""

import os
import shutil
import time
from pathlib import Path

LOOK_EVERY_SECONDS = 0.01


class Gate:
    """The gate of one site, by its folder; open at first."""

    def __init__(self, folder: Path) -> None:
        self._closed = folder / "closed"
        self._waiting = folder / "waiting"
        self._let = folder / "let"
        self._busy = folder / "busy"

    def close(self) -> None:
        """Stop every job that comes from now on."""
        self._waiting.mkdir(parents=True, exist_ok=True)
        self._let.mkdir(exist_ok=True)
        self._closed.touch()

    def open(self) -> None:
        """Let all jobs go, now and from now on."""
        self._closed.unlink(missing_ok=True)
        shutil.rmtree(self._let, ignore_errors=True)

    def waiting(self) -> set[str]:
        """The keys of the jobs that stand before it and may not pass."""
        return _names(self._waiting) - _names(self._let)

    def busy(self) -> set[str]:
        """The processes that are at work on a task, be it before the gate or beyond it."""
        return _names(self._busy)

    def begin(self) -> None:
        """This process takes up a task; called by workers."""
        self._busy.mkdir(parents=True, exist_ok=True)
        (self._busy / str(os.getpid())).touch()

    def end(self) -> None:
        """This process has done its task; called by workers."""
        (self._busy / str(os.getpid())).unlink(missing_ok=True)

    def let(self, key: str) -> None:
        """Let one job pass."""
        (self._let / key).touch()

    def pass_through(self, key: str) -> None:
        """Come back when the job may go on; called by workers."""
        if not self._closed.exists():
            return
        waiting = self._waiting / key
        waiting.touch()
        while self._closed.exists() and not (self._let / key).exists():
            time.sleep(LOOK_EVERY_SECONDS)
        waiting.unlink(missing_ok=True)


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.exists() else set()
