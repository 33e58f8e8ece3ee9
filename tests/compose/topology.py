"""docker-compose.yml's services as local processes: its command lines and environment, other addresses."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg2
import yaml

from config import processes
from config.processes import Child

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOT_ENV = {"POSTGRES_PASSWORD": "a-password", "SECRET_KEY": "only-for-tests-" * 5, "PRICE_SOURCES": "replay"}
"""What an operator who has no network writes into `.env`."""
INTERPOLATION = re.compile(r"\$\{(\w+)(?::?([-?])([^}]*))?\}")

NGINX_MAIN = """
daemon off;
{user}
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
    include /etc/nginx/mime.types;
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


def interpolated(text: str, variables: dict[str, str]) -> str:
    """A value of the compose file with its `${NAME:-default}` filled in, as docker compose does it."""

    def value(match: re.Match[str]) -> str:
        name, operator, default = match.groups()
        if variables.get(name):
            return variables[name]
        assert operator != "?", f"{name} must be set"
        return default or ""

    return INTERPOLATION.sub(value, text).replace("$$", "$")


class Topology:
    """The services of one site, on ports and folders of their own."""

    def __init__(self, folder: Path, *, database_url: str, redis_url: str) -> None:
        self.folder = folder
        self.web_port = processes.free_port()
        self.site_port = processes.free_port()
        self.children: list[Child] = []
        self.elsewhere = {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "CANDLE_FILES_DIR": str(folder / "candles"),
            "UVICORN_HOST": "127.0.0.1",
            "UVICORN_PORT": str(self.web_port),
            # what the image sets
            "CANDLESTREAM_HOME": str(folder),
            "STATIC_ROOT": str(folder / "www" / "static"),
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(folder),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }

    @property
    def url(self) -> str:
        """Where nginx listens."""
        return f"http://127.0.0.1:{self.site_port}"

    def environment(self, service: str) -> dict[str, str]:
        """What the compose file gives a service, and nothing of the machine's own."""
        given = COMPOSE["services"][service]["environment"]
        own = {name: interpolated(value, DOT_ENV) for name, value in given.items()}
        return {**own, **self.elsewhere}

    def command(self, service: str) -> list[str]:
        """The command line of a service."""
        return shlex.split(interpolated(COMPOSE["services"][service]["command"], DOT_ENV))

    def start(self, service: str, name: str | None = None) -> Child:
        """Start one container's worth of a service."""
        words = self.command(service)
        if service in ("worker", "downloader"):
            words += ["--hostname", f"celery@{name}"]  # a container has a host name of its own
        return self._start(name or service, words, self.environment(service))

    def _start(self, name: str, words: list[str], environment: dict[str, str]) -> Child:
        log = self.folder / f"{name}.log"
        child = processes.start(name, words, log=log, env=environment, cwd=ROOT)
        self.children.append(child)
        return child

    def run(self, *words: str, service: str = "web") -> str:
        """Run a command in a service's environment to its end, as `docker compose run` does; its output."""
        done = subprocess.run(
            words,
            env=self.environment(service),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start_nginx(self) -> Child:
        """Start nginx with the shipped configuration."""
        return start_nginx(self.folder, site_port=self.site_port, web_port=self.web_port, keep=self.children)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows straight from the database."""
        connection = psycopg2.connect(self.elsewhere["DATABASE_URL"])
        try:
            cursor = connection.cursor()
            cursor.execute(statement)
            return cursor.fetchall()
        finally:
            connection.close()

    def end(self) -> None:
        """End everything, at once: nothing of it is needed any more."""
        processes.end(self.children, grace_seconds=0)


def start_nginx(folder: Path, *, site_port: int, web_port: int, keep: list[Child]) -> Child:
    """Start nginx with the shipped template, filled in as the image's entry point does it."""
    values = {
        "LISTEN": f"127.0.0.1:{site_port}",
        "WEB_ADDRESS": f"127.0.0.1:{web_port}",
        "WWW_FOLDER": str(folder / "www"),
    }
    site = (ROOT / "deploy" / "nginx.conf.template").read_text()
    for name, value in values.items():
        site = site.replace(f"${{{name}}}", value)
    (folder / "site.conf").write_text(site)
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(NGINX_MAIN.format(folder=folder, user=user))
    nginx = processes.start(
        "nginx",
        ["/usr/sbin/nginx", "-p", folder, "-c", folder / "nginx.conf", "-e", "stderr"],
        log=folder / "nginx.log",
        death_signal=15,  # the fast shutdown, which ends its workers too
    )
    keep.append(nginx)
    processes.wait_until(lambda: not processes.port_is_free(site_port), nginx)
    return nginx
