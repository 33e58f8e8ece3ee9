"""What can go wrong with market data."""


class MarketDataError(Exception):
    """Base of them all; the message is one sentence for the user: what, where, and what would be right."""


class DamagedSeriesError(MarketDataError):
    """The database holds something else than what was written."""


class MixedSeriesError(MarketDataError):
    """Generated candles among real ones."""


class FileRefusedError(MarketDataError):
    """A file that can't be imported; nothing of it is stored."""
