"""Metrics against their definitions, written with pandas, and at the edges where they are undefined."""

from dataclasses import asdict, fields
from math import sqrt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from backtests.engine.backtest import Backtest, backtest
from backtests.engine.execution import Execution
from backtests.engine.metrics import Metrics
from backtests.engine.sample_candles import random_walk
from backtests.engine.signals import Signals
from backtests.strategies.registry import find_strategy
from backtests.tests.engine.tables import START_MS, free, line, play, table
from market_data.candles import Candles

DAY_MS = 86_400_000


def by_definition(
    outcome: Backtest, candles: Candles, execution: Execution, interval_ms: int
) -> dict[str, Any]:
    """Every metric from the equity curve and the trades, the slow way."""
    cash = execution.initial_cash
    equity = pd.Series(outcome.equity, index=pd.to_datetime(outcome.open_time_ms, unit="ms", utc=True))
    daily_values = equity.resample("D").last().ffill()
    daily = pd.concat([pd.Series([cash]), daily_values]).pct_change().dropna().to_numpy()
    peak = np.maximum.accumulate(np.maximum(outcome.equity, cash))
    max_drawdown = float((1 - outcome.equity / peak).max())
    growth = outcome.equity[-1] / cash
    elapsed = (int(outcome.open_time_ms[-1] - outcome.open_time_ms[0]) + interval_ms) / DAY_MS
    cagr = growth ** (365.25 / elapsed) - 1
    pnl = outcome.trades.pnl
    held = np.zeros(len(equity), dtype=bool)
    for trade in [*outcome.trades, *([outcome.open_trade] if outcome.open_trade else [])]:
        held[trade.entry_bar : trade.exit_bar + (trade.exit_reason == "open")] = True
    return {
        "final_equity": outcome.equity[-1],
        "total_return": growth - 1,
        "cagr": cagr,
        "volatility": daily.std(ddof=1) * sqrt(365),
        "sharpe": daily.mean() / daily.std(ddof=1) * sqrt(365),
        "sortino": daily.mean() * sqrt(365) / sqrt((np.minimum(daily, 0) ** 2).mean()),
        "max_drawdown": max_drawdown,
        "calmar": cagr / max_drawdown,
        "trade_count": len(pnl),
        "win_rate": (pnl > 0).mean() if len(pnl) else None,
        "profit_factor": pnl[pnl > 0].sum() / abs(pnl[pnl < 0].sum()) if len(pnl) else None,
        "expectancy": pnl.mean() if len(pnl) else None,
        "sqn": sqrt(len(pnl)) * pnl.mean() / pnl.std(ddof=1) if len(pnl) else None,
        "exposure": held.mean(),
        "buy_hold_return": candles.close[-1] / candles.open[0] - 1,
        "liquidated": False,
    }


@pytest.mark.parametrize("name", ["rsi", "sma_cross", "donchian"])
@pytest.mark.parametrize("fill", ["next_open", "same_close"])
def test_every_metric_is_what_its_definition_says(name: str, fill: Any):
    candles = random_walk(3_000, seed=3)
    execution = Execution(fill=fill, direction="long_short", take_profit=0.1)
    outcome = backtest(candles, find_strategy(name).signals(candles), execution)

    expected = by_definition(outcome, candles, execution, 3_600_000)

    assert outcome.metrics.trade_count > 20
    assert asdict(outcome.metrics) == pytest.approx(expected, rel=1e-9)


def test_days_without_candles_carry_equity_forward():
    candles = random_walk(600, seed=5)
    times = candles.open_time_ms.copy()
    times[100:] += 9 * DAY_MS
    times[300:] += 40 * DAY_MS
    halted = Candles(times, candles.open, candles.high, candles.low, candles.close, candles.volume)
    outcome = backtest(halted, find_strategy("rsi").signals(halted), Execution())

    expected = by_definition(outcome, halted, Execution(), 3_600_000)

    assert asdict(outcome.metrics) == pytest.approx(expected, rel=1e-9)


def test_without_trades_what_depends_on_them_is_undefined():
    metrics = backtest(line(*[100.0] * 72), Signals(np.zeros(72, dtype=np.uint8)), free()).metrics
    undefined = [f.name for f in fields(Metrics) if getattr(metrics, f.name) is None]
    assert undefined == ["sharpe", "sortino", "calmar", "win_rate", "profit_factor", "expectancy", "sqn"]
    assert (metrics.total_return, metrics.cagr, metrics.volatility, metrics.max_drawdown) == (0, 0, 0, 0)


def test_without_losing_trades_the_profit_factor_is_undefined_and_one_trade_has_no_sqn():
    metrics = play(
        """open high low close
            100  101  99  100  long
            100  101  99  100  sell
            120  121 119  120"""
    ).metrics
    assert (metrics.win_rate, metrics.expectancy) == (1, 200)
    assert metrics.profit_factor is None
    assert metrics.sqn is None


def test_under_one_day_there_is_no_annual_growth():
    candles, signals = table("open high low close\n100 110 100 110 long\n" + "110 121 110 121\n" * 22)
    assert backtest(candles, signals, free()).metrics.cagr is None


def test_an_annual_growth_that_is_too_large_for_a_number_is_undefined():
    candles, signals = table("open high low close\n1 1 1 1 long\n" + "1 1 1 1\n" * 23 + "1 9e5 1 9e5")
    metrics = backtest(candles, signals, free()).metrics
    assert metrics.total_return == pytest.approx(9e5 - 1)
    assert metrics.cagr is None
    assert metrics.calmar is None


def test_zero_equity_is_an_annual_growth_of_minus_one():
    text = "open high low close\n1 1 1 1 short\n1 1 1 1\n1 9 1 9\n" + "1 1 1 1\n" * 72
    metrics = play(text, direction="short").metrics
    assert (metrics.cagr, metrics.total_return, metrics.max_drawdown) == (-1, -1, 1)
    assert metrics.sharpe is not None


def test_the_peak_of_the_drawdown_starts_at_the_initial_cash():
    metrics = play("open high low close\n100 100 100 100 long\n100 100 80 80\n80 90 80 90").metrics
    assert metrics.max_drawdown == pytest.approx(0.2)


def test_weekly_candles_have_daily_returns_of_zero_in_between():
    candles = random_walk(60, seed=7, interval_ms=7 * DAY_MS)
    outcome = backtest(candles, find_strategy("buy_and_hold").signals(candles), free())
    expected = by_definition(outcome, candles, free(), 7 * DAY_MS)
    assert outcome.metrics.sharpe == pytest.approx(expected["sharpe"])
    assert outcome.metrics.volatility == pytest.approx(expected["volatility"])


def test_a_day_ends_at_midnight_utc():
    candles = random_walk(30, seed=1)
    assert int(candles.open_time_ms[0]) == START_MS
    late = Candles(
        candles.open_time_ms + 23 * 3_600_000, *(getattr(candles, f.name) for f in fields(candles)[1:])
    )
    signals = find_strategy("buy_and_hold").signals(late)
    outcome = backtest(late, signals, free())
    assert outcome.metrics.sharpe == pytest.approx(by_definition(outcome, late, free(), 3_600_000)["sharpe"])


def test_a_single_bar_has_no_growth_and_no_spread():
    metrics = backtest(line(100.0), Signals(np.ones(1, dtype=np.uint8)), free(fill="same_close")).metrics
    assert (metrics.final_equity, metrics.exposure, metrics.buy_hold_return) == (1_000, 1, 0)
    assert (metrics.cagr, metrics.volatility, metrics.sharpe) == (None, None, None)
