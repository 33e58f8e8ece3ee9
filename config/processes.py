"""Child processes that end with their parent, whatever ends it: Ctrl-C, a signal, a crash or SIGKILL."""

import contextlib
import ctypes
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PORTS = range(20_000, 32_000)
"""Below those that systems give to outgoing connections, so that none takes one before its server does."""
_libc: ctypes.CDLL | None = ctypes.CDLL(None) if sys.platform == "linux" else None


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

    def kill(self) -> None:
        """End the process and everything it started, at once."""
        self.process.kill()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)  # no such group when the process was attached

    def last_lines(self, count: int = 20) -> str:
        """The end of the process's log, for a message about what went wrong."""
        if self.log is None or not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])


def end_with_parent(number: int = signal.SIGTERM) -> None:
    """Ask the kernel to send this process a signal when its parent dies; nothing where only Linux can."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)


@contextlib.contextmanager
def _signals_held() -> Generator[set[int]]:
    """Let signals that end this process wait: Python drops what their handlers raise in the middle of a fork."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING_SIGNALS)
    try:
        yield {int(number) for number in before}
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _tied_to_this_process(number: int, blocked: set[int]) -> Callable[[], None]:
    """What a child does between fork and exec; the parent may have died before the kernel was told."""
    parent = os.getpid()

    def tie() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
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
    attached: bool = False,
    death_signal: int = signal.SIGKILL,
) -> Child:
    """Start a process that gets `death_signal` when the calling *thread* ends: call it from the main thread.

    It leads a group of its own and its output goes to the end of `log`, or to nowhere; an `attached` one
    stays in this process's group and writes where this process does.
    """
    output = log.open("ab") if log else None
    process: subprocess.Popen[bytes] | None = None
    try:
        with _signals_held() as blocked:
            process = subprocess.Popen(  # noqa: S603 - the callers' own commands
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=None if attached else output or subprocess.DEVNULL,
                stderr=None if attached else subprocess.STDOUT,
                env=dict(env) if env is not None else None,
                cwd=cwd,
                user=user,
                group="nogroup" if user == "nobody" else None,
                extra_groups=[] if user else None,
                start_new_session=not attached,
                preexec_fn=_tied_to_this_process(death_signal, blocked),  # noqa: PLW1509 - only the child can ask
            )
    except BaseException:
        if process is not None:  # a signal has waited for it: the caller will not know that it is there
            process.kill()
            process.wait()
        raise
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
        child.kill()
        child.process.wait()


def identity(pid: int) -> str | None:
    """What tells a process from a later one with the same number: boot and start time; None if it is gone."""
    if sys.platform != "linux":
        return _identity_by_ps(pid)
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return None
    state, started_ticks = fields[0], fields[19]
    return None if state == "Z" else f"{boot} {started_ticks}"


def _identity_by_ps(pid: int) -> str | None:
    command = ["/bin/ps", "-p", str(pid), "-o", "lstart="]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
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
    return next(port for port in random.sample(PORTS, len(PORTS)) if port_is_free(port, host))


def wait_until(
    ready: Callable[[], bool], child: Child, *, seconds: float = 60.0, poll_seconds: float = 0.05
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
    if child.has_ended:
        raise ChildError(child, "ended while something else answered in its place")


class ChildError(Exception):
    """A child process did not do what it was started for; the message ends with its log's last lines."""

    def __init__(self, child: Child, what: str) -> None:
        lines = child.last_lines()
        super().__init__(f"{child.name} {what}" + (f"; the end of {child.log}:\n{lines}" if lines else ""))
