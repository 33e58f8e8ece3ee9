"""Candles that are too old to be wanted."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from market_data import store
from market_data.errors import MarketDataError
from market_data.intervals import DAY_MS
from market_data.models import CandleSeries

_UNIT_DAYS = {"d": 1.0, "w": 7.0, "m": 365.25 / 12, "y": 365.25}


@dataclass(frozen=True, slots=True)
class Pruned:
    """A series, and how many candles it has lost."""

    name: str
    candle_count: int


def parse_age(text: str) -> int:
    """Milliseconds in `10y`, `18m`, `90d` or `6w`.

    Raises
    ------
    MarketDataError
        If it is not written like that.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([dwmy])", text.strip().lower())
    if match is None or float(match[1]) <= 0:
        raise MarketDataError(f"{text!r} is no age; one looks like 10y, 18m (months), 6w or 90d.")
    return round(float(match[1]) * _UNIT_DAYS[match[2]] * DAY_MS)


def prune(before_ms: int, *, source: str | None = None, interval: str | None = None) -> Iterator[Pruned]:
    """Remove candles that open before a time, one series after the other, each in its own transaction.

    A series that has no candles left is removed with them.
    """
    series = CandleSeries.objects.filter(first_open_ms__lt=before_ms).select_related("cryptocurrency")
    if source is not None:
        series = series.filter(source=source)
    if interval is not None:
        series = series.filter(interval=interval)
    for one in series.order_by("pk"):
        yield Pruned(str(one), store.remove_candles_before(one, before_ms))
