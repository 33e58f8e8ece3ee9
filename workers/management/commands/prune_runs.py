from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from workers import retention


class Command(BaseCommand):
    """Delete old runs with their jobs and events."""

    help = "Delete runs that ended long ago, with their jobs and events. Results stay until `prune_results`."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--older-than", type=float, required=True, metavar="DAYS", help="days since the end"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["older_than"] < 0:
            raise CommandError("--older-than must not be negative")
        count = retention.prune_runs(older_than=timedelta(days=options["older_than"]))
        self.stdout.write(f"Deleted {count} runs.")
