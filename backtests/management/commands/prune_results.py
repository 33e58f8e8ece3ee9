from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backtests import retention


class Command(BaseCommand):
    """Delete results that no run points to."""

    help = "Delete results that no run points to and that were computed long ago."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--older-than", type=float, default=1.0, metavar="DAYS", help="days (default 1)")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["older_than"] < 0:
            raise CommandError("--older-than must not be negative")
        count = retention.prune_results(older_than=timedelta(days=options["older_than"]))
        self.stdout.write(f"Deleted {count} results.")
