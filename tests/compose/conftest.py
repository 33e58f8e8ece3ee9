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
PREPARE = """
from django.core.management import call_command
call_command("collectstatic", interactive=False, verbosity=0)
call_command("generate_market", symbols=12, years=0.5)
"""
MAKE_TOKENS = """
from django.contrib.auth.models import User
from django.core.management import call_command
for name in ("ada", "eve"):
    User.objects.create_user(name, is_staff=name == "ada")
    call_command("create_token", name)
"""


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
            topology.run("python", "manage.py", "shell", "--no-imports", "-c", PREPARE)
            web = topology.start("web")
            workers = [topology.start("worker", f"worker{number}") for number in (1, 2)]
            workers.append(topology.start("downloader", "downloader"))
            topology.start("scheduler")
            topology.start("prices")
            topology.start_nginx()
            health = f"{topology.url}/api/health/"
            processes.wait_until(lambda: httpx.get(health, timeout=30).is_success, web, seconds=150)
            for worker in workers:
                processes.wait_until(
                    lambda child=worker: " ready." in child.last_lines(200), worker, seconds=150
                )
            yield topology
        finally:
            topology.end()


@pytest.fixture(scope="session")
def tokens(site: Topology) -> dict[str, str]:
    """API tokens of ada, who is a member of the staff, and eve, who is not."""
    ada, eve = site.run("python", "manage.py", "shell", "--no-imports", "-c", MAKE_TOKENS).split()
    return {"ada": ada, "eve": eve}


@pytest.fixture(scope="session")
def token(tokens: dict[str, str]) -> str:
    """An API token of a member of the staff."""
    return tokens["ada"]


@pytest.fixture
def client(site: Topology, token: str) -> Iterator[httpx.Client]:
    """A client of the site that has logged in."""
    with httpx.Client(base_url=site.url, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
        yield client
