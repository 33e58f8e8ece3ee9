"""Processor time by program: where a benchmark's time goes, read from Linux's /proc."""

import os
from collections import Counter
from pathlib import Path

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_PROGRAMS = {
    "uvicorn": "web",
    "celery": "Celery's parent",
    "scheduler": "scheduler",
    "valkey": "Valkey",
    "postgres": "PostgreSQL",
}


def by_program() -> Counter[str]:
    """Milliseconds that this process and all its descendants have used, those that have ended included."""
    processes = dict(filter(None, map(_stat, Path("/proc").glob("[0-9]*"))))
    used_ms: Counter[str] = Counter()
    for pid, (parent, used) in processes.items():
        if _descends(pid, processes):
            used_ms[_program(pid, parent)] += used
    return used_ms


def _stat(folder: Path) -> "tuple[int, tuple[int, int]] | None":
    """A process's parent and its milliseconds; None for what is no process, or has just ended."""
    try:
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    ticks = sum(map(int, fields[11:15]))  # its own, and those of children that it has waited for
    return int(folder.name), (int(fields[1]), 1000 * ticks // _TICKS_PER_SECOND)


def _descends(pid: int, processes: "dict[int, tuple[int, int]]") -> bool:
    while pid != os.getpid() and pid in processes:
        pid = processes[pid][0]
    return pid == os.getpid()


def _program(pid: int, parent: int) -> str:
    if pid == os.getpid():
        return "client"
    words = _command(pid)
    if "celery" in words and "celery" in _command(parent):
        return "worker children"
    return next((name for word, name in _PROGRAMS.items() if word in words), "others")


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
