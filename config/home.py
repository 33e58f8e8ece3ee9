"""The folder of an embedded Candlestream: who runs in it now, and what a killed run left behind."""

import contextlib
import fcntl
import json
import os
import secrets
import signal
from collections.abc import Generator, Iterable
from pathlib import Path

from config import processes
from config.processes import Child


class HomeInUseError(Exception):
    """Another launcher works in the same folder."""


class Home:
    """Folder with the database, candle files and logs of one embedded Candlestream."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.logs = self.folder / "logs"
        self.static = self.folder / "static"
        self._owner = self.folder / "launcher.json"
        self._children = self.folder / "processes.json"

    @contextlib.contextmanager
    def claimed(self) -> Generator[None]:
        """Keep others out until the end, or until this process dies; clear what a killed run left.

        Raises
        ------
        HomeInUseError
            If another launcher holds the folder; says which process and address.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.logs.mkdir(exist_ok=True)
        self.static.mkdir(exist_ok=True)
        with (self.folder / "launcher.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # the kernel frees it, even after SIGKILL
            except BlockingIOError:
                raise HomeInUseError(self._described_owner()) from None
            self._end_leftovers()
            self.announce(None)
            try:
                yield
            finally:
                self._children.unlink(missing_ok=True)
                self._owner.unlink(missing_ok=True)

    def announce(self, url: str | None) -> None:
        """Note who holds the folder, for the message that a second launcher shows."""
        self._owner.write_text(json.dumps({"pid": os.getpid(), "url": url}))

    def _described_owner(self) -> str:
        try:
            owner = json.loads(self._owner.read_text())
        except (OSError, ValueError):
            owner = {}
        where = f" and serves {owner['url']}" if owner.get("url") else ""
        return (
            f"Candlestream already runs in {self.folder} (process {owner.get('pid', 'unknown')}{where}). "
            "End it first, or set CANDLESTREAM_HOME to another folder."
        )

    def remember(self, children: Iterable[Child]) -> None:
        """Note the running children, so that the next start can end them should this process be killed."""
        known = {child.process.pid: processes.identity(child.process.pid) for child in children}
        self._children.write_text(json.dumps(known))

    def _end_leftovers(self) -> None:
        """End what a killed launcher started, but never a process that merely got its number since."""
        with contextlib.suppress(OSError, ValueError, AttributeError):  # half-written
            for pid, identity in json.loads(self._children.read_text()).items():
                if identity is not None and processes.identity(int(pid)) == identity:
                    with contextlib.suppress(ProcessLookupError, PermissionError):
                        os.killpg(int(pid), signal.SIGKILL)
        self._children.unlink(missing_ok=True)

    def log(self, name: str) -> Path:
        """Where a process logs; what it logged in the run before is kept beside it."""
        path = self.logs / f"{name}.log"
        if path.exists():
            path.replace(self.logs / f"{name}.previous.log")
        return path

    def secret_key(self) -> str:
        """The folder's own secret, made on first use and readable by its owner only."""
        path = self.folder / "secret-key"
        if not path.exists() or not path.stat().st_size:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(48))
        return path.read_text()
