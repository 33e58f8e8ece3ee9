"""Prices for tests."""

import time
from typing import Any

from market_data.prices.state import Price


def make_price(symbol: str = "BTCUSDT", price: float = 100.0, **fields: Any) -> Price:
    """A price of now, from the primary source."""
    now_ms = time.time_ns() // 1_000_000
    given: dict[str, Any] = {
        "source": "binance",
        "role": "primary",
        "exchange_time_ms": now_ms,
        "received_time_ms": now_ms,
        **fields,
    }
    return Price(symbol, price, **given)
