import asyncio
import signal
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.backends.signals import connection_created

from market_data.errors import MarketDataError
from market_data.prices.feed import Feed
from market_data.prices.threads import end_idle_transactions


class Command(BaseCommand):
    """Feed live prices to Redis, and closed candles to the store, until SIGTERM or SIGINT."""

    help = "Run the price feed. Of several one leads; the others take over when it ends."

    def handle(self, *args: Any, **options: Any) -> None:
        connection_created.connect(end_idle_transactions)
        try:
            asyncio.run(run_until_signal())
        except MarketDataError as error:
            raise CommandError(str(error)) from error


async def run_until_signal() -> None:
    """Run one feed."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await Feed().run(stopped)
