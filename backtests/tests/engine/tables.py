"""Scenarios as tables: candles and what the strategy says, one bar a line."""

from typing import Any

import numpy as np

from backtests.engine.backtest import Backtest, backtest
from backtests.engine.execution import Execution
from backtests.engine.signals import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT, Signals
from market_data.candles import Candles, FloatArray

HOUR_MS = 3_600_000
START_MS = 1_609_459_200_000  # 2021-01-01
WORDS = {"long": ENTER_LONG, "sell": EXIT_LONG, "short": ENTER_SHORT, "cover": EXIT_SHORT}


def table(text: str, *, interval_ms: int = HOUR_MS) -> tuple[Candles, Signals]:
    """Columns `open high low close`, then what is said at that close: `long`, `sell`, `short`, `cover`."""
    rows = [line.split() for line in text.strip().splitlines()][1:]
    prices = np.array([[float(value) for value in row[:4]] for row in rows])
    flags = np.array([sum(WORDS[word] for word in row[4:]) for row in rows], dtype=np.uint8)
    return candles_of(prices, interval_ms=interval_ms), Signals(flags)


def candles_of(prices: FloatArray, *, interval_ms: int = HOUR_MS) -> Candles:
    """Candles from rows of open, high, low and close."""
    open_, high, low, close = (np.ascontiguousarray(prices[:, column]) for column in range(4))
    times = START_MS + np.arange(len(prices), dtype=np.int64) * interval_ms
    return Candles(times, open_, high, low, close, np.ones(len(prices)))


def line(*closes: float) -> Candles:
    """Candles whose four prices are all the same."""
    return candles_of(np.repeat(np.array(closes, dtype=np.float64)[:, None], 4, axis=1))


def play(text: str, **settings: Any) -> Backtest:
    """Backtest a table; without costs, with 1,000 of cash, unless `settings` say otherwise."""
    candles, signals = table(text)
    return backtest(candles, signals, free(**settings))


def free(**settings: Any) -> Execution:
    """Execution without costs and with 1,000 of cash, unless `settings` say otherwise."""
    chosen: dict[str, Any] = {"initial_cash": 1_000.0, "fee_rate": 0.0, "slippage_rate": 0.0, **settings}
    return Execution(**chosen)


def fills(outcome: Backtest) -> list[tuple[Any, ...]]:
    """Closed trades as (side, entry bar, entry price, exit bar, exit price, exit reason)."""
    return [
        (t.side, t.entry_bar, round(t.entry_price, 9), t.exit_bar, round(t.exit_price, 9), t.exit_reason)
        for t in outcome.trades
    ]
