"""`manage.py prune_candles`: forget candles that are too old to be wanted."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from market_data.errors import MarketDataError
from market_data.intervals import INTERVAL_MS
from market_data.retention import parse_age, prune


class Command(BaseCommand):
    """Remove candles that are older than an age."""

    help = "Remove candles that opened longer ago than an age: prune_candles --older-than 10y"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The age, and which series."""
        parser.add_argument("--older-than", required=True, metavar="AGE", help="10y, 18m (months), 6w or 90d")
        parser.add_argument("--source", help="only series from this source")
        parser.add_argument("--interval", choices=list(INTERVAL_MS), help="only series at this interval")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Prune one series after the other, a line for each."""
        try:
            age_ms = parse_age(options["older_than"])
        except MarketDataError as error:
            raise CommandError(str(error)) from error
        removed = 0
        before_ms = round(time.time() * 1000) - age_ms
        for pruned in prune(before_ms, source=options["source"], interval=options["interval"]):
            removed += pruned.candle_count
            self.stdout.write(f"{pruned.name}: {pruned.candle_count:,} candles removed")
        self.stdout.write(f"Removed {removed:,} candles.")
