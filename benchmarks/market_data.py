"""Candles in and out of the store: `python -m benchmarks.market_data`, `--database sqlite` or `postgres`.

Each database gets a server, a folder and a process of its own. Times are medians in milliseconds.
"""

import argparse
import importlib
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import django
from django.core.management import call_command

from benchmarks.report import Table, save
from tests.servers import private_folder, private_postgres


def main() -> None:
    """Measure one database, or each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=["sqlite", "postgres"])
    parser.add_argument("--symbols", type=int, default=211, help="series to load into a fresh worker")
    options = parser.parse_args()
    if options.database:
        _measure(options.database, options.symbols)
        return
    for database in ("sqlite", "postgres"):
        command = [sys.executable, "-m", "benchmarks.market_data", "--database", database]
        subprocess.run([*command, "--symbols", str(options.symbols)], check=True)


def _measure(database: str, symbols: int) -> None:
    with ExitStack() as servers:
        folder = servers.enter_context(private_folder())
        url = f"sqlite:///{folder / 'candles.sqlite3'}"
        if database == "postgres":
            url = servers.enter_context(private_postgres(synchronous_commit="on"))
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "SINGLE_USER": "1",
            "CANDLESTREAM_HOME": str(folder),
            "CANDLE_FILES_DIR": str(folder / "candles"),
            "DATABASE_URL": url,
        }
        django.setup()
        call_command("migrate", verbosity=0)
        # Models can be imported from here on, not before.
        figures = importlib.import_module("benchmarks.market_data_store").measure(folder, symbols)
        for title, rows in figures.items():
            table = Table(f"{title} ({database})", ["", *next(iter(rows.values()))])
            for name, row in rows.items():
                table.add(name, *row.values())
            table.print()
        save(Path(f"market_data_{database}.json"), figures)


if __name__ == "__main__":
    main()
