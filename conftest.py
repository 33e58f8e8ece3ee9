"""What every app's tests share: the servers that the suite runs on, and fixtures.

Without any variable set the suite runs on SQLite and a private Valkey server. `TEST_DATABASE=postgres` starts
a private PostgreSQL instead; `DATABASE_URL` and `REDIS_URL` name servers that exist already.
`ONLY_DATABASE_TESTS=1` leaves out what no database can change, for the second of two runs.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import django
import pytest
from django.db import connection
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from config import processes
from tests.servers import private_folder, private_postgres, private_valkey

ROOT = Path(__file__).parent
DATABASE_FIXTURES = {
    "db",
    "transactional_db",
    "django_db_reset_sequences",
    "django_db_serialized_rollback",
    "live_server",
    "database_url",
    "stack",
}

# The same examples every time, however slow the machine is and whatever an earlier run has found.
hypothesis_settings.register_profile(
    "suite", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("suite")


def _start_servers() -> ExitStack:
    """Start the servers and set the environment before Django reads its settings."""
    if os.environ.get("END_WITH_PARENT"):
        processes.end_with_parent()
    servers = ExitStack()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("SECRET_KEY", "only-for-tests-" * 5)
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # a hundred processes would each compile every module
    for limit in ("READS", "WRITES", "ANONYMOUS_REQUESTS", "LOGINS"):
        os.environ.setdefault(f"{limit}_PER_MINUTE", "0")  # tests ask often; those of the limits set them
    os.environ["CANDLESTREAM_HOME"] = str(servers.enter_context(private_folder()))
    os.environ["STATIC_ROOT"] = str(servers.enter_context(private_folder()))
    if "REDIS_URL" not in os.environ:
        os.environ["REDIS_URL"] = servers.enter_context(private_valkey())
    if "DATABASE_URL" not in os.environ and os.environ.get("TEST_DATABASE") == "postgres":
        os.environ["DATABASE_URL"] = servers.enter_context(private_postgres())
    django.setup()
    return servers


# At import and not in a hook: the apps' own conftest files, which import models, are loaded before any hook is called.
_servers = _start_servers()


def pytest_unconfigure() -> None:
    """End the servers."""
    _servers.close()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep only the tests that use a database, when asked to."""
    if not os.environ.get("ONLY_DATABASE_TESTS"):
        return
    others = [item for item in items if not _uses_database(item)]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if _uses_database(item)]


def _uses_database(item: pytest.Item) -> bool:
    names: list[str] = getattr(item, "fixturenames", [])
    if item.get_closest_marker("once") is not None:
        return False
    return item.get_closest_marker("django_db") is not None or not DATABASE_FIXTURES.isdisjoint(names)


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """Let SQLite's test database be a file, with the locks that the product has."""
    if connection.vendor == "sqlite":
        name = str(Path(os.environ["CANDLESTREAM_HOME"]) / "test.sqlite3")
        connection.settings_dict["TEST"]["NAME"] = name


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Let PostgreSQL drop the test database although threads that keep their connections still have theirs."""
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture(scope="session")
def candles_dir() -> Path:
    """The folder of real candles; skips where it is absent, fails where CI requires it."""
    folder = Path(os.environ.get("CANDLES_DIR", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        if os.environ.get("REQUIRE_CANDLES"):
            pytest.fail(f"real candles are required but {folder} does not exist")
        pytest.skip(f"no real candles at {folder}")
    return folder
