"""A whole Candlestream with a made-up market, on servers of its own."""

import os
from collections.abc import Generator
from contextlib import ExitStack, contextmanager

from tests.servers import private_folder, private_postgres, private_valkey
from tests.stack import RunningStack, running_stack


@contextmanager
def site_with_market(
    database: str, *, symbols: int, years: float, slots: int = 2, **variables: str
) -> Generator[RunningStack]:
    """A stack with one worker of some slots on "postgres" or "sqlite"; `variables` go to its environment."""
    with ExitStack() as servers:
        folder = servers.enter_context(private_folder())
        redis_url = servers.enter_context(private_valkey())
        database_url = f"sqlite:///{folder / 'candlestream.sqlite3'}"
        if database == "postgres":
            database_url = servers.enter_context(private_postgres(synchronous_commit="on"))
        os.environ.setdefault("SECRET_KEY", "only-for-benchmarks-" * 3)
        prepared = RunningStack(folder, {**os.environ, "DATABASE_URL": database_url, "SINGLE_USER": "1"}, 0)
        prepared.environment["CANDLESTREAM_HOME"] = str(folder)
        prepared.manage("migrate", "-v", "0")
        prepared.manage("generate_market", "--symbols", str(symbols), "--years", str(years))
        yield servers.enter_context(
            running_stack(
                folder, database_url=database_url, redis_url=redis_url, workers=1, slots=slots, **variables
            )
        )
