"""Bring the database up to date and see to a market in it: `python -m config.prepare [FOLDER]`.

With a folder its candle files are imported; otherwise a market is generated where there is none.
"""

import os
import sys

import django
from django.core.management import call_command

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from market_data.models import CandleSeries  # noqa: E402 - models can be imported only now


def prepare(folder: str | None) -> None:
    """Make the tables and load candles."""
    call_command("migrate", verbosity=0)
    if folder is not None:
        call_command("import_candles", folder)
    elif not CandleSeries.objects.exists():
        call_command("generate_market")


if __name__ == "__main__":
    prepare(sys.argv[1] if len(sys.argv) > 1 else None)
