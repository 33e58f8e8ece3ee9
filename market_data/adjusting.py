"""Redenominations: candles from before one brought into the coin's present units, where a user asks for it.

When every SUN becomes 1000 new ones, old prices are divided by 1000 and old volumes multiplied. That changes
prices, so it is never done unasked, it is recorded with the series, and a later import of the same candles
does it again.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from market_data.candles import Candles
from market_data.errors import MarketDataError
from market_data.models import CandleSeries

RULE = "adjusted"
_FORM = re.compile(r"(?P<symbol>[A-Z0-9.]+)=(?P<factor>[0-9.]+)@(?P<moment>[0-9T:Z+ -]+)")


@dataclass(frozen=True, slots=True)
class Adjustment:
    """New coins for each old one, from a time on.

    Attributes
    ----------
    factor
        How many new coins one old coin became: 1000 divides older prices by 1000.
    before_ms
        Candles that open before this time are in the old units.
    """

    symbol: str
    factor: float
    before_ms: int


def parse_adjustment(text: str) -> Adjustment:
    """`SUNUSDT=1000@2021-06-17` or `SUNUSDT=1000@2021-06-17T04:00Z`.

    Raises
    ------
    MarketDataError
        If it is not written like that.
    """
    match = _FORM.fullmatch(text.strip())
    try:
        assert match is not None
        moment = datetime.fromisoformat(match["moment"])
        factor = float(match["factor"])
        assert factor > 0
    except (AssertionError, ValueError):
        raise MarketDataError(f"{text!r} is no adjustment; one looks like SUNUSDT=1000@2021-06-17.") from None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return Adjustment(match["symbol"], factor, round(moment.timestamp() * 1000))


def adjust(candles: Candles, adjustments: Sequence[Adjustment]) -> Candles:
    """The candles in present units; the arrays given are left as they are."""
    for adjustment in adjustments:
        old = candles.bar_at(adjustment.before_ms)
        prices = [array.copy() for array in (candles.open, candles.high, candles.low, candles.close)]
        for array in prices:
            array[:old] /= adjustment.factor
        volume = candles.volume.copy()
        volume[:old] *= adjustment.factor
        opened, high, low, close = prices
        candles = Candles(candles.open_time_ms, opened, high, low, close, volume)
    return candles


def recorded(series: CandleSeries | None) -> list[Adjustment]:
    """The adjustments that a series has had."""
    if series is None:
        return []
    return [
        Adjustment(series.cryptocurrency.symbol, entry["factor"], entry["before_ms"])
        for entry in series.history
        if entry["rule"] == RULE
    ]
