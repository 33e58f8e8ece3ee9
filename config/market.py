"""Load a market into an embedded Candlestream, if it has none: `python -m config.market [FOLDER]`.

With a folder its candle files are imported, otherwise a market is generated.
"""

import sys

import django
from django.core.management import call_command

django.setup()

from market_data.models import CandleSeries  # noqa: E402 - models need the set-up


def load_market(folder: str | None) -> None:
    """Import the candles of a folder, or see to it that there are some candles at all."""
    if folder is not None:
        call_command("import_candles", folder)
    elif not CandleSeries.objects.exists():
        call_command("generate_market")


if __name__ == "__main__":
    load_market(sys.argv[1] if len(sys.argv) > 1 else None)
