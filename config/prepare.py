"""Bring the database up to date and see to a market in it: `python -m config.prepare [FOLDER]`.

With a folder its candle files are imported; otherwise a market is generated where there is none.
"""

import os
import sys
from typing import TextIO

import django
from django.core.management import CommandError, call_command

from config.stack import DATA_SOURCE

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from market_data.models import CandleSeries  # noqa: E402 - models can be imported only now


class OneLine:
    """Shows each line of a command in the place of the one before, and keeps the last."""

    def __init__(self, terminal: TextIO) -> None:
        self.terminal = terminal

    def write(self, text: str) -> None:
        """Show the first line of what a command writes, as far as there is room for it."""
        width = os.get_terminal_size(self.terminal.fileno()).columns
        first = text.strip().partition("\n")[0]
        self.terminal.write(f"\r\x1b[K{first[: width - 1]}")
        self.terminal.flush()

    def close_line(self) -> None:
        """Go on below."""
        self.terminal.write("\n")


def prepare(folder: str | None) -> None:
    """Make the tables and load candles.

    Raises
    ------
    CommandError
        If there are no candles then.
    """
    call_command("migrate", verbosity=0)
    if folder is not None:
        try:
            show("import_candles", folder, "--source", DATA_SOURCE)
        except CommandError as error:
            if not CandleSeries.objects.filter(source=DATA_SOURCE).exists():
                raise
            print(f"Going on without them: {error}", file=sys.stderr)
    elif not CandleSeries.objects.exists():
        show("generate_market")


def show(command: str, *arguments: str) -> None:
    """Run a command, with its lines in one place where that is possible."""
    if not sys.stdout.isatty():
        call_command(command, *arguments)
        return
    line = OneLine(sys.stdout)
    try:
        call_command(command, *arguments, stdout=line)
    finally:
        line.close_line()


if __name__ == "__main__":
    try:
        prepare(sys.argv[1] if len(sys.argv) > 1 else None)
    except CommandError as error:
        sys.exit(str(error))
