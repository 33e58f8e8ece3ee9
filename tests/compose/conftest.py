"""The site of docker-compose.yml, with a small market, started once."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from config import processes
from tests.compose.topology import Topology
from tests.servers import fresh_postgres_database, private_folder, private_valkey

NGINX = Path("/usr/sbin/nginx")


@pytest.fixture(scope="session")
def nginx_required() -> None:
    """Skip where nginx is not installed, fail where CI requires it."""
    if not NGINX.exists():
        if os.environ.get("REQUIRE_NGINX"):
            pytest.fail(f"nginx is required but there is no {NGINX}")
        pytest.skip(f"no nginx at {NGINX}")


@pytest.fixture(scope="session")
def site(nginx_required: None) -> Iterator[Topology]:
    """Everything up: migrated, a market of twelve, one web process, two workers, scheduler and nginx."""
    with private_folder() as folder, fresh_postgres_database() as database, private_valkey() as redis:
        topology = Topology(folder, database_url=database, redis_url=redis)
        try:
            topology.run(*topology.command("migrate"), service="migrate")
            topology.run("python", "manage.py", "collectstatic", "--noinput", "--verbosity", "0")
            topology.run("python", "manage.py", "generate_market", "--symbols", "12", "--years", "0.5")
            web = topology.start("web")
            workers = [topology.start("worker", f"worker{number}") for number in (1, 2)]
            workers.append(topology.start("downloader", "downloader"))
            topology.start("scheduler")
            topology.start("prices")
            topology.start_nginx()
            health = f"{topology.url}/api/health/"
            processes.wait_until(lambda: httpx.get(health).is_success, web, seconds=60)
            for worker in workers:
                processes.wait_until(
                    lambda child=worker: " ready." in child.last_lines(200), worker, seconds=60
                )
            yield topology
        finally:
            topology.end()


@pytest.fixture(scope="session")
def token(site: Topology) -> str:
    """An API token of a member of the staff."""
    make = (
        "from django.contrib.auth import get_user_model as m; m().objects.create_user('ada', is_staff=True)"
    )
    site.run("python", "manage.py", "shell", "-c", make)
    return site.run("python", "manage.py", "create_token", "ada").strip()


@pytest.fixture
def client(site: Topology, token: str) -> Iterator[httpx.Client]:
    """A client of the site that has logged in."""
    with httpx.Client(base_url=site.url, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
        yield client
