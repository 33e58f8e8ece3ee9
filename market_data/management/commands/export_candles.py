"""`manage.py export_candles`: candles from the store into files."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from market_data.exporting import FORMS, export
from market_data.intervals import INTERVAL_MS
from market_data.market import source_for
from market_data.store import load_series


class Command(BaseCommand):
    """Write one file for each cryptocurrency."""

    help = "Export candles to CSV, JSON or Parquet files, one for each cryptocurrency."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Which candles, and where to."""
        parser.add_argument("symbols", nargs="*", metavar="SYMBOL", help="by default all")
        parser.add_argument(
            "--to", type=Path, default=Path(), metavar="FOLDER", help="default: the current one"
        )
        parser.add_argument("--format", choices=list(FORMS), default="parquet")
        parser.add_argument("--source", help="default: the one with most series")
        parser.add_argument("--interval", choices=list(INTERVAL_MS), default="1h")
        parser.add_argument("--start", type=_moment, default=0, help="first open time, ISO 8601, UTC")
        parser.add_argument("--end", type=_moment, default=1 << 62, help="open times before this")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Write the files, a line for each."""
        source = source_for(options["interval"], options["source"])
        if source is None:
            raise CommandError(f"There are no {options['interval']} candles of this source.")
        symbols = [symbol.upper() for symbol in options["symbols"]] or None
        found = load_series(source=source, interval=options["interval"], symbols=symbols)
        missing = set(symbols or ()) - {series.cryptocurrency.symbol for series in found}
        if missing:
            raise CommandError(f"There are no {options['interval']} candles of {', '.join(sorted(missing))}.")
        options["to"].mkdir(parents=True, exist_ok=True)
        for series in found:
            path = options["to"] / f"{series.cryptocurrency.symbol}.{options['format']}"
            with path.open("wb") as file:
                file.writelines(export(series, options["format"], options["start"], options["end"]))
            self.stdout.write(f"{path} {path.stat().st_size:,} bytes")


def _moment(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
