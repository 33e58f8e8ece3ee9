"""`manage.py download_candles`: candles from an exchange into the store, here and now."""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from market_data.errors import MarketDataError
from market_data.exchanges.connection import open_exchange
from market_data.exchanges.downloading import Downloaded, Wanted, download
from market_data.intervals import INTERVAL_MS


class Command(BaseCommand):
    """Download candles; a download that was interrupted goes on where it stopped."""

    help = "Download candles from an exchange: download_candles binance BTCUSDT ETHUSDT, or binance --top 48"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Exchange, cryptocurrencies and range."""
        parser.add_argument("exchange", help="as ccxt names it: binance, coinbase, kraken, bybit, okx, …")
        parser.add_argument("symbols", nargs="*", metavar="SYMBOL", help="BTCUSDT")
        parser.add_argument("--top", type=int, help="the most traded pairs instead")
        parser.add_argument("--quote", default="USDT", help="what the most traded pairs are priced in")
        parser.add_argument("--interval", choices=list(INTERVAL_MS), default="1h")
        parser.add_argument("--start", type=_moment, help="first open time, ISO 8601, UTC; default: all")
        parser.add_argument("--end", type=_moment, default=1 << 62, help="open times before this")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Download one after the other, a line for each; one that fails does not hold up the others."""
        if bool(options["symbols"]) == bool(options["top"]):
            raise CommandError("Name cryptocurrencies, or give --top.")
        try:
            exchange = open_exchange(options["exchange"])
            symbols = options["symbols"] or exchange.most_traded(options["top"], options["quote"])
        except MarketDataError as error:
            raise CommandError(str(error)) from error
        failed = 0
        for number, symbol in enumerate(symbols, start=1):
            wanted = Wanted(symbol.upper(), options["interval"], options["start"], options["end"])
            place = f"{number}/{len(symbols)} {symbol.upper()}"
            try:
                done = download(exchange, wanted, progress=self._progress(place))
            except MarketDataError as error:
                failed += 1
                self.stderr.write(f"{place} failed: {error}")
                continue
            self.stdout.write(f"{place} {_line(done)}")
        if failed:
            raise CommandError(f"{failed} of {len(symbols)} downloads failed.")

    def _progress(self, place: str) -> Any:
        """Shows the share that is done, in place, where there is a terminal."""
        if not self.stdout.isatty():
            return lambda added, share: None
        return lambda added, share: self.stdout.write(
            f"\r{place} {share:4.0%} {added:,} candles\r", ending=""
        )


def _line(done: Downloaded) -> str:
    if done.series is None:
        return "has no candles in this range."
    text = f"{done.added_count:,} candles added, {done.series.candle_count:,} in all"
    text += f", to {done.series.last_open:%Y-%m-%d %H:%M}"
    return text + ("; delisted: no more will come." if done.delisted else ".")


def _moment(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
