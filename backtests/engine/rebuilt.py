"""The exact equity curve of a backtest, from what is kept of it: its trades."""

from collections.abc import Iterable

import numpy as np

from backtests.engine.execution import Execution
from backtests.engine.trades import Trade
from market_data.candles import FloatArray

OPEN = "open"
"""Exit reason of the position that is open at the end."""


def equity_of_trades(close: FloatArray, trades: Iterable[Trade], execution: Execution) -> FloatArray:
    """Account value at each close: the cash after every fill, and what is held at that close's price.

    Parameters
    ----------
    close : (n_bars,) float64
        Closes of the range that the trades' bars count in.
    trades : iterable of Trade
        Closed trades in their order, then the one open at the end, if any.
    execution : Execution
        What the trades were made with: initial cash and costs.

    Returns
    -------
    (n_bars,) float64
        In quote currency; what `backtest` gives, but for rounding (1e-9).
    """
    equity = np.full(len(close), float(execution.initial_cash))
    for trade in trades:
        side = 1.0 if trade.side == "long" else -1.0
        end = len(close) if trade.exit_reason == OPEN else trade.exit_bar
        held = slice(trade.entry_bar, end)
        equity[held] += side * trade.size_units * (close[held] - trade.entry_price) - _entry_fee(
            trade, execution
        )
        equity[end:] += trade.pnl
    return equity


def _entry_fee(trade: Trade, execution: Execution) -> float:
    """A position that is open or was liquidated paid no other; what it paid is known to the last digit."""
    fee = trade.size_units * trade.entry_price * execution.fee_rate + execution.fixed_fee
    return trade.fees if trade.exit_reason == OPEN else min(trade.fees, fee)
