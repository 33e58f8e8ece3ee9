"""What there is to play again: the store's candles, or made-up ones while it has none."""

from market_data import sample, store
from market_data.intervals import INTERVAL_MS
from market_data.market import source_for
from market_data.models import CandleSeries
from market_data.prices.replay.market import ReplayMarket

SYMBOLS = 48
CANDLES = 4320
"""Of each symbol: three days of replay before it turns round."""
_INTERVALS = ("1h", *(interval for interval in INTERVAL_MS if interval != "1h"))


def market_to_play() -> ReplayMarket:
    """The store's candles, or made-up ones while it has none."""
    market = stored_market()
    if market is not None:
        return market
    made = sample.generate(symbol_count=12, candle_count=CANDLES)
    return ReplayMarket({coin.symbol: coin.candles for coin in made}, is_made_up=True)


def stored_market() -> ReplayMarket | None:
    """The most traded symbols of the source with most series, hourly candles if there are any; else None."""
    interval, series = _stored()
    if not series:
        return None
    first_ms = (CANDLES - 1) * INTERVAL_MS[interval]
    return ReplayMarket(
        {
            one.cryptocurrency.symbol: store.load_candles(one, (one.last_open_ms or 0) - first_ms, 1 << 62)
            for one in series
        }
    )


def stored_symbols() -> list[str]:
    """What `stored_market` would have, without loading it."""
    _, series = _stored()
    return [one.cryptocurrency.symbol for one in series]


def _stored() -> tuple[str, list[CandleSeries]]:
    for interval in _INTERVALS:
        source = source_for(interval)
        if source is not None:
            series = store.load_series(source=source, interval=interval)
            return interval, [one for one in series if "." not in one.cryptocurrency.symbol][:SYMBOLS]
    return "1h", []
