"""A launcher in a process of its own, and everything that belongs to it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parents[2]


class Launched:
    """`python -m config.embedded …` with its output in a file."""

    def __init__(
        self, home: Path, *arguments: str, command: list[str] | None = None, **variables: str
    ) -> None:
        self.home = home
        self.output = home.parent / f"{home.name}-output.txt"
        words = command or [sys.executable, "-m", "config.embedded", *arguments]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                words,
                cwd=ROOT,
                env=_environment(home, variables),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_hear_signals,  # noqa: PLW1509 - only the child itself can
            )

    @property
    def said(self) -> str:
        """What it has written so far."""
        return self.output.read_text()

    def wait_until_said(self, words: str, seconds: float = 200) -> str:
        """Wait for words in the output and return the output."""
        wait_for(lambda: words in self.said or self.process.poll() is not None, seconds)
        assert words in self.said, self.said
        return self.said

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            print(f"--- it said\n{self.said}\n--- still there\n{processes_of(self.home)}")
        self.process.kill()
        self.process.wait()
        wait_for(lambda: not processes_of(self.home), 60)


def _hear_signals() -> None:
    """Undo what nohup and shells in the background do: a program that was started so ignores signals for ever."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)


def _environment(home: Path, variables: dict[str, str]) -> dict[str, str]:
    """The suite's environment without the servers that the suite uses itself."""
    hidden = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "STATIC_ROOT", "END_WITH_PARENT"}
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    # What a killed process leaves behind goes with the test's folder.
    return {**kept, "CANDLESTREAM_HOME": str(home), "TMPDIR": str(home.parent), **variables}


def processes_of(home: Path) -> dict[int, str]:
    """Every process that was started for a home folder, by environment or (Valkey hides its) by place."""
    mark = f"CANDLESTREAM_HOME={home}".encode()
    found: dict[int, str] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            if mark in (folder / "environ").read_bytes().split(b"\0") or (folder / "cwd").readlink() == home:
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
    return found


def wait_for(condition: Callable[[], object], seconds: float) -> None:
    """Wait until a condition holds, but no longer than that."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.05)
