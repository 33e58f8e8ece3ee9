"""What there is to play again: the store's candles, or made-up ones while it has none."""

from market_data import sample, store
from market_data.intervals import INTERVAL_MS
from market_data.market import source_for
from market_data.prices.replay.market import ReplayMarket

SYMBOLS = 48
CANDLES = 4320
"""Of each symbol: three days of replay before it turns round."""
_INTERVALS = ("1h", *(interval for interval in INTERVAL_MS if interval != "1h"))


def stored_market() -> ReplayMarket:
    """The most traded symbols of the source with most series, hourly candles if there are any."""
    for interval in _INTERVALS:
        source = source_for(interval)
        if source is not None:
            return _stored(source, interval)
    made = sample.generate(symbol_count=12, candle_count=CANDLES)
    return ReplayMarket({coin.symbol: coin.candles for coin in made})


def _stored(source: str, interval: str) -> ReplayMarket:
    present = [
        one
        for one in store.load_series(source=source, interval=interval)
        if "." not in one.cryptocurrency.symbol
    ]
    return ReplayMarket(
        {
            one.cryptocurrency.symbol: store.load_candles(
                one, (one.last_open_ms or 0) - (CANDLES - 1) * INTERVAL_MS[interval], 1 << 62
            )
            for one in present[:SYMBOLS]
        }
    )
