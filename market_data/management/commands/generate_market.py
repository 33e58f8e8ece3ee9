"""`manage.py generate_market`: fill the store with a made-up market."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from market_data import sample
from market_data.intervals import DAY_MS, INTERVAL_MS
from market_data.store import write_candles


class Command(BaseCommand):
    """Generate a deterministic sample market, marked as generated wherever it is shown."""

    help = "Generate a deterministic sample market, marked as generated wherever it is shown."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Size, interval and seed."""
        parser.add_argument("--symbols", type=int, default=48, help="cryptocurrencies (default 48)")
        parser.add_argument(
            "--years", type=float, default=2.0, help="length in years of 365 days (default 2)"
        )
        parser.add_argument("--interval", default="1h", choices=list(INTERVAL_MS))
        parser.add_argument("--seed", type=int, default=1, help="another number makes another market")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Write one series after the other, a line for each."""
        interval, symbols = options["interval"], options["symbols"]
        count = round(options["years"] * sample.YEAR_DAYS * DAY_MS / INTERVAL_MS[interval])
        if symbols < 1 or count < 1:
            raise CommandError("--symbols and --years must give at least one candle")
        coins = sample.generate(
            symbol_count=symbols, candle_count=count, interval=interval, seed=options["seed"]
        )
        for number, coin in enumerate(coins, start=1):
            write_candles(
                symbol=coin.symbol,
                source=sample.SOURCE,
                interval=interval,
                candles=coin.candles,
                generated=True,
                name=coin.name,
            )
            self.stdout.write(f"{number}/{symbols} {coin.symbol} {count:,} candles")
        self.stdout.write(f"Generated {symbols} cryptocurrencies, {symbols * count:,} candles at {interval}.")
