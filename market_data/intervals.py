"""The candle intervals that Candlestream knows, and their lengths."""

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

INTERVAL_MS: dict[str, int] = {
    "1m": MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "30m": 30 * MINUTE_MS,
    "1h": HOUR_MS,
    "2h": 2 * HOUR_MS,
    "4h": 4 * HOUR_MS,
    "6h": 6 * HOUR_MS,
    "8h": 8 * HOUR_MS,
    "12h": 12 * HOUR_MS,
    "1d": DAY_MS,
    "1w": 7 * DAY_MS,
}
"""Length of each interval in milliseconds, finest first."""
_FIRST_MONDAY_MS = 4 * DAY_MS


def anchor_ms(interval: str) -> int:
    """A time that candles of an interval open at: weeks begin on Mondays, 1970 began on a Thursday."""
    return _FIRST_MONDAY_MS if interval == "1w" else 0
