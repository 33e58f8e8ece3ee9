"""Execution against vectorbt and backtesting.py on real series: the same signals, every strategy.

Deviations are explained, with numbers, in docs/verification.md.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from backtests.engine.backtest import Backtest, backtest
from backtests.engine.execution import Execution
from backtests.engine.signals import Signals
from backtests.strategies.registry import BUILT_IN
from backtests.tests.engine.peers import Outcome, backtesting_outcome, for_one_order_a_bar, vectorbt_outcome
from market_data.candles import Candles

pytestmark = pytest.mark.real_candles
Load = Callable[[Path], Candles]

SERIES_COUNT = 20
HOURS = 8_000
DAYS = 700
TOLERANCE = 1e-9

# Stops are no round numbers: whether a high meets 4 % above a round price exactly is rounding in the peers.
VECTORBT_SETTINGS = [
    Execution(fixed_fee=0.001),
    Execution(fill="same_close", stop_loss=0.0503),
    Execution(direction="long_short"),
    Execution(fill="same_close", direction="short", stop_loss=0.0407, take_profit=0.0611, slippage_rate=0.0),
    Execution(fill="same_close", direction="long_short", take_profit=0.1013, slippage_rate=0.0),
    Execution(direction="short"),
]
BACKTESTING_SETTINGS = [
    Execution(slippage_rate=0.0, initial_cash=1e7),
    Execution(slippage_rate=0.0, initial_cash=1e7, direction="long_short"),
    Execution(slippage_rate=0.0, initial_cash=1e7, stop_loss=0.0503),
    Execution(slippage_rate=0.0, initial_cash=1e7, direction="short", take_profit=0.0809),
    Execution(
        slippage_rate=0.0, initial_cash=1e7, direction="long_short", stop_loss=0.0809, take_profit=0.1013
    ),
    Execution(slippage_rate=0.0, initial_cash=1e7, fill="same_close"),
]


def assert_same(ours: Backtest, theirs: Outcome, *, but_at: tuple[int, ...] = ()) -> None:
    """Equity at every bar, bars and pnl of every closed trade, and the deepest drawdown agree."""
    kept = np.delete(np.arange(len(ours.equity)), list(but_at))
    assert ours.equity[kept] == pytest.approx(theirs.equity[kept], rel=TOLERANCE)
    assert ours.trades.entry_bar.tolist() == theirs.entry_bars
    assert ours.trades.exit_bar.tolist() == theirs.exit_bars
    cash = ours.equity.max()
    assert ours.trades.pnl == pytest.approx(np.array(theirs.pnl), rel=TOLERANCE, abs=cash * TOLERANCE)
    assert ours.metrics.max_drawdown == pytest.approx(theirs.max_drawdown, abs=2e-3 if but_at else TOLERANCE)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("index", range(SERIES_COUNT))
def test_vectorbt_agrees_on_hourly_series(index: int, real_series_names: list[Path], load_real_series: Load):
    candles = load_real_series(real_series_names[3 * index])
    candles = candles.bars(max(0, len(candles) - HOURS), len(candles))
    for number, kind in enumerate(BUILT_IN):
        execution = VECTORBT_SETTINGS[(index + number) % len(VECTORBT_SETTINGS)]
        flags = kind().signals(candles).flags.copy()
        flags[0] = 0  # its drawdown starts from the first bar's value, ours from the cash before
        flags = for_one_order_a_bar(candles, flags, execution)
        ours = backtest(candles, Signals(flags), execution)
        if not ours.metrics.liquidated:
            assert_same(ours, vectorbt_outcome(candles, flags, execution))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("index", range(SERIES_COUNT))
def test_backtesting_py_agrees_on_daily_series(
    index: int, real_series_names: list[Path], load_real_series: Load
):
    daily = [load_real_series(path) for path in real_series_names if path.parent.name == "spot_1d"]
    candles = [candles for candles in daily if len(candles) >= DAYS][2 * index]
    candles = candles.bars(max(0, len(candles) - DAYS), len(candles))
    for number, kind in enumerate(BUILT_IN):
        execution = BACKTESTING_SETTINGS[(index + number) % len(BACKTESTING_SETTINGS)]
        flags = kind().signals(candles).flags.copy()
        flags[0] = 0  # it asks a strategy from the second bar on
        ours = backtest(candles, Signals(flags), execution)
        if ours.metrics.liquidated:
            continue
        # With fills at the close it values the account at that bar before the fill.
        fills = {*ours.trades.entry_bar.tolist(), *ours.trades.exit_bar.tolist()}
        if ours.open_trade:
            fills.add(ours.open_trade.entry_bar)
        but_at = tuple(sorted(fills)) if execution.fill == "same_close" else ()
        theirs = backtesting_outcome(candles, flags, execution)
        assert_same(ours, theirs, but_at=but_at)
