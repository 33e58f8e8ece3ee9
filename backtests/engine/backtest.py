"""One backtest: candles, signals and execution settings in; metrics, trades and equity out."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from backtests.engine import kernel
from backtests.engine.candle_checks import check_candles, same_kind_of_memory
from backtests.engine.errors import EngineError
from backtests.engine.execution import Execution
from backtests.engine.metrics import Metrics, metrics_of
from backtests.engine.signals import (
    ENTER_LONG,
    ENTER_SHORT,
    EXIT_LONG,
    EXIT_SHORT,
    Flags,
    Signals,
    check_signals,
)
from backtests.engine.trades import Trade, Trades, open_trade_from_row, trades_from_rows
from market_data.candles import Candles, FloatArray, IntArray

ALLOWED_FLAGS = {
    "long": ENTER_LONG | EXIT_LONG,
    "short": ENTER_SHORT | EXIT_SHORT,
    "long_short": ENTER_LONG | EXIT_LONG | ENTER_SHORT | EXIT_SHORT,
}
"""Signals that count, by the direction of a backtest."""


@dataclass(frozen=True, eq=False)
class Backtest:
    """The outcome of one backtest.

    Attributes
    ----------
    metrics : Metrics
        What the backtest amounts to.
    equity : (n_bars,) float64
        Account value at each bar's close, in quote currency.
    open_time_ms : (n_bars,) int64
        Open times of the bars in the range.
    trade_rows : (n_trades, kernel.TRADE_COLUMNS) float64
        Closed trades as the kernel wrote them; `trades` has them by name.
    open_trade_row : (kernel.TRADE_COLUMNS,) float64
        The position open at the end; `open_trade` has it by name.
    """

    metrics: Metrics
    equity: FloatArray
    open_time_ms: IntArray
    trade_rows: FloatArray
    open_trade_row: FloatArray

    @cached_property
    def trades(self) -> Trades:
        """Closed trades."""
        return trades_from_rows(self.trade_rows, self.open_time_ms)

    @cached_property
    def open_trade(self) -> Trade | None:
        """The position open at the end, marked at the last close; None when flat."""
        return open_trade_from_row(self.open_trade_row, self.open_time_ms)


def backtest(
    candles: Candles,
    signals: Signals,
    execution: Execution | None = None,
    *,
    start_ms: int | None = None,
    end_ms: int | None = None,
) -> Backtest:
    """Carry out a strategy's signals over the candles with `start_ms <= open time < end_ms`.

    Parameters
    ----------
    candles : Candles
        The series; bars before `start_ms` are warm-up.
    signals : Signals
        What the strategy says at each bar of `candles`. Signals before `start_ms` are discarded.
    execution : Execution, optional
        Costs, fills, sizes and stops.
    start_ms, end_ms : int, optional
        The range, milliseconds since 1970 UTC; by default all candles.

    Raises
    ------
    EngineError
        If candles or signals break a rule, or no candle is in the range.
    """
    interval_ms = check_candles(candles)
    check_signals(signals, len(candles))
    inside, flags = cut(same_kind_of_memory(candles), signals.flags, start_ms, end_ms)
    execution = execution or Execution()
    equity = np.empty(len(inside))
    days = kernel.day_ends(inside.open_time_ms, interval_ms)
    totals, trade_rows, open_trade_row = kernel.simulate(
        *kernel_arguments(inside, days, flags, execution, equity, True)
    )
    return Backtest(
        metrics=range_metrics(totals, inside, interval_ms, execution.initial_cash),
        equity=equity,
        open_time_ms=inside.open_time_ms,
        trade_rows=trade_rows,
        open_trade_row=open_trade_row,
    )


def cut(candles: Candles, flags: Flags, start_ms: int | None, end_ms: int | None) -> tuple[Candles, Flags]:
    """Candles and signals of the bars with `start_ms <= open time < end_ms`; at least one bar."""
    start = 0 if start_ms is None else candles.bar_at(start_ms)
    stop = len(candles) if end_ms is None else candles.bar_at(end_ms)
    if stop <= start:
        raise EngineError(f"no candle opens between {start_ms} and {end_ms} (milliseconds since 1970)")
    return candles.bars(start, stop), np.require(flags[start:stop], requirements=["C", "A", "W"])


def kernel_arguments(
    candles: Candles,
    days: tuple[IntArray, IntArray],
    flags: Flags,
    execution: Execution,
    equity: FloatArray,
    keep_trades: bool,
) -> tuple[Any, ...]:
    """Arguments of `kernel.simulate`, always of the same types: numba compiles for each combination."""
    return (
        candles.open,
        candles.high,
        candles.low,
        candles.close,
        *days,
        flags,
        ALLOWED_FLAGS[execution.direction],
        float(execution.initial_cash),
        float(execution.fee_rate),
        float(execution.fixed_fee),
        float(execution.slippage_rate),
        execution.fill == "same_close",
        float(execution.equity_fraction) if execution.fixed_cash is None else 1.0,
        _or_infinity(execution.fixed_cash),
        _or_infinity(execution.stop_loss),
        _or_infinity(execution.take_profit),
        _or_infinity(execution.trailing_stop),
        kernel.NEVER if execution.max_holding_bars is None else execution.max_holding_bars,
        execution.cooldown_bars,
        equity,
        keep_trades,
    )


def _or_infinity(value: float | None) -> float:
    return math.inf if value is None else float(value)


def range_metrics(totals: FloatArray, candles: Candles, interval_ms: int, initial_cash: float) -> Metrics:
    """Metrics of the kernel's totals over the candles of the range."""
    return metrics_of(
        totals,
        initial_cash=initial_cash,
        n_bars=len(candles),
        elapsed_ms=int(candles.open_time_ms[-1]) - int(candles.open_time_ms[0]) + interval_ms,
        buy_hold_return=float(candles.close[-1]) / float(candles.open[0]) - 1.0,
    )
