"""Child processes that end with their parent, whatever ends it: Ctrl-C, a signal, a crash or SIGKILL."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Child:
    """A started process, the leader of a process group of its own."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path | None

    @property
    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self.process.poll() is not None

    def signal(self, number: int) -> None:
        """Send a signal to the process and everything it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    def last_lines(self, count: int = 20) -> str:
        """The end of the process's log, for a message about what went wrong."""
        if self.log is None or not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])


def end_with_parent(number: int = signal.SIGTERM) -> None:
    """Ask the kernel to send this process a signal when its parent dies; nothing where only Linux can."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)


def _tied_to_this_process(number: int) -> Callable[[], None]:
    """What a child does between fork and exec; the parent may have died before the kernel was told."""
    parent = os.getpid()

    def tie() -> None:
        end_with_parent(number)
        if os.getppid() != parent:
            os._exit(1)

    return tie


def start(
    name: str,
    command: Sequence[str | Path],
    *,
    log: Path | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    user: str | None = None,
    death_signal: int = signal.SIGKILL,
) -> Child:
    """Start a process in a group of its own that gets `death_signal` when the calling *thread* ends.

    Call it from the main thread. Output goes to the end of `log`, or to nowhere.
    """
    output = log.open("ab") if log else None
    try:
        process = subprocess.Popen(  # noqa: S603 - the callers' own commands
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=output or subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            env=dict(env) if env is not None else None,
            cwd=cwd,
            user=user,
            group="nogroup" if user == "nobody" else None,
            extra_groups=[] if user else None,
            start_new_session=True,
            preexec_fn=_tied_to_this_process(death_signal),  # noqa: PLW1509 - only the child itself can ask
        )
    finally:
        if output:
            output.close()
    return Child(name, process, log)


def end(children: Iterable[Child], *, grace_seconds: float = 10.0, number: int = signal.SIGTERM) -> None:
    """End processes and all they started: ask together, wait together, then kill what is left."""
    group = list(children)
    for child in group:
        if not child.has_ended:
            with contextlib.suppress(ProcessLookupError):
                child.process.send_signal(number)
    deadline = time.monotonic() + grace_seconds
    for child in group:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.process.wait(max(0.0, deadline - time.monotonic()))
    for child in group:
        child.signal(signal.SIGKILL)
        child.process.wait()


def identity(pid: int) -> str | None:
    """What tells a process from a later one with the same number: start time and command; None if gone."""
    folder = Path("/proc") / str(pid)
    if not Path("/proc/self").exists():
        return _identity_by_ps(pid)
    try:
        started = (folder / "stat").read_text().rpartition(")")[2].split()[19]
        command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return None
    return f"{started} {command}" if command else None  # a zombie has no command


def _identity_by_ps(pid: int) -> str | None:
    listed = subprocess.run(  # noqa: S603
        ["/bin/ps", "-p", str(pid), "-o", "lstart=,command="], capture_output=True, text=True, check=False
    )
    return listed.stdout.strip() or None


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def wait_until(
    ready: Callable[[], bool], child: Child, *, seconds: float = 30.0, poll_seconds: float = 0.05
) -> None:
    """Wait for a child to become ready.

    Raises
    ------
    ChildError
        If it ends first or takes longer; with the end of its log.
    """
    deadline = time.monotonic() + seconds
    while not ready():
        if child.has_ended:
            raise ChildError(child, f"ended with code {child.process.returncode} while starting")
        if time.monotonic() > deadline:
            raise ChildError(child, f"was not ready after {seconds:g} s")
        time.sleep(poll_seconds)


class ChildError(Exception):
    """A child process did not do what it was started for; the message ends with its log's last lines."""

    def __init__(self, child: Child, what: str) -> None:
        lines = child.last_lines()
        super().__init__(f"{child.name} {what}" + (f"; the end of {child.log}:\n{lines}" if lines else ""))
