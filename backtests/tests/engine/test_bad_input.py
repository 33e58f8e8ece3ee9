"""What the engine refuses, and what it says about it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backtests.engine.backtest import backtest
from backtests.engine.errors import EngineError
from backtests.engine.execution import Execution
from backtests.engine.many import backtest_many
from backtests.engine.sample_candles import random_walk
from backtests.engine.signals import Signals
from backtests.strategies.registry import find_strategy
from market_data.candles import Candles

CANDLES = random_walk(50)
NOTHING = Signals(np.zeros(50, dtype=np.uint8))
PRICES = ("open", "high", "low", "close")


def changed(name: str, bar: int, value: float) -> Candles:
    array = getattr(CANDLES, name).copy()
    array[bar] = value
    return replace(CANDLES, **{name: array})


@pytest.mark.parametrize(
    ("candles", "message"),
    [
        (replace(CANDLES, close=CANDLES.close[:40]), "close has 40 values, open_time_ms has 50"),
        (replace(CANDLES, high=np.repeat(CANDLES.high, 2)[::2]), "high must be contiguous"),
        (
            replace(CANDLES, open=CANDLES.open.astype(np.float32)),
            "open must be a one-dimensional float64 array",
        ),
        (replace(CANDLES, low=CANDLES.low.tolist()), "low must be a one-dimensional float64 array"),
        (
            replace(CANDLES, close=CANDLES.close.reshape(-1, 1)),
            "close must be a one-dimensional float64 array",
        ),
        (replace(CANDLES, open_time_ms=CANDLES.open_time_ms * 1.0), "open_time_ms must be .* int64"),
        (changed("open_time_ms", 7, int(CANDLES.open_time_ms[6])), "open_time_ms must rise: .* at bar 7"),
        (changed("open_time_ms", 7, int(CANDLES.open_time_ms[4])), "open_time_ms must rise: .* at bar 7"),
        (changed("volume", 3, -1.0), "volume .* -1.0 at bar 3"),
        (changed("volume", 3, np.nan), "volume .* nan at bar 3"),
        (changed("high", 9, 1.0), "high must not be below open or close: 1.0 at bar 9"),
        (changed("low", 9, 1e6), "low must not be above open or close: 1000000.0 at bar 9"),
        *(
            (changed(name, 5, value), f"{name} .* {value} at bar 5")
            for name in PRICES
            for value in (np.nan, np.inf)
        ),
        *(
            (changed(name, 5, value), f"{name} .* {value} at bar 5")
            for name in PRICES
            for value in (0.0, -1.0)
        ),
    ],
)
def test_candles_that_break_a_rule_are_refused_with_array_bar_and_rule(candles: Candles, message: str):
    with pytest.raises(EngineError, match=message):
        backtest(candles, NOTHING)
    with pytest.raises(EngineError, match=message):
        backtest_many(candles, find_strategy("rsi"), [{}])


def test_no_candles_at_all_are_refused():
    empty = CANDLES.bars(0, 0)
    with pytest.raises(EngineError, match="there are no candles"):
        backtest(empty, Signals(np.zeros(0, dtype=np.uint8)))
    with pytest.raises(EngineError, match="there are no candles"):
        find_strategy("rsi").signals(empty)


def test_a_range_without_candles_is_refused():
    with pytest.raises(EngineError, match="no candle opens between 5 and 6"):
        backtest(CANDLES, NOTHING, start_ms=5, end_ms=6)
    with pytest.raises(EngineError, match="no candle opens"):
        backtest(CANDLES, NOTHING, start_ms=int(CANDLES.open_time_ms[9]), end_ms=int(CANDLES.open_time_ms[9]))


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (np.zeros(49, dtype=np.uint8), "signals have 49 values, the candles have 50 bars"),
        (np.zeros(50, dtype=np.int64), "signals must be a one-dimensional uint8 array"),
        (np.zeros((50, 1), dtype=np.uint8), "signals must be a one-dimensional uint8 array"),
        (np.zeros(100, dtype=np.uint8)[::2], "signals must be contiguous"),
        (
            np.where(np.arange(50) == 4, 5, 0).astype(np.uint8),
            "signals enter long and short at once at bar 4",
        ),
        (np.where(np.arange(50) == 4, 16, 0).astype(np.uint8), "signals hold an unknown flag: 16 at bar 4"),
    ],
)
def test_signals_that_break_a_rule_are_refused(flags: Any, message: str):
    with pytest.raises(EngineError, match=message):
        backtest(CANDLES, Signals(flags))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({}, "signals need at least one array"),
        ({"enter_long": np.zeros(5)}, "enter_long must be bool, not float64"),
        ({"enter_long": np.array([0.0, np.nan])}, "enter_long must be bool, not float64; it is NaN at bar 1"),
        ({"enter_long": [True]}, "enter_long must be a one-dimensional NumPy array"),
        (
            {"enter_long": np.zeros(5, bool), "exit_long": np.zeros(4, bool)},
            "exit_long has 4 values, the first array has 5",
        ),
    ],
)
def test_columns_that_are_no_signals_are_refused(columns: Any, message: str):
    with pytest.raises(EngineError, match=message):
        Signals.of(**columns)


def test_columns_become_flags():
    yes, no = np.array([True]), np.array([False])
    assert Signals.of(enter_long=yes, exit_long=no, enter_short=no, exit_short=yes).flags.tolist() == [9]
    assert Signals.of(enter_short=np.array([True, True, False])[::2]).flags.tolist() == [4, 0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"initial_cash": 0.0}, "initial_cash must be above 0 and at most 1e\\+15, not 0"),
        ({"initial_cash": float("nan")}, "initial_cash must be .*, not nan"),
        ({"initial_cash": float("inf")}, "initial_cash must be .*, not inf"),
        ({"fee_rate": -0.1}, "fee_rate must be at least 0 and at most 0.5, not -0.1"),
        ({"fixed_fee": -1}, "fixed_fee must be at least 0"),
        ({"slippage_rate": 0.6}, "slippage_rate must be at least 0 and at most 0.5"),
        ({"equity_fraction": 0.0}, "equity_fraction must be above 0 and at most 1"),
        ({"fixed_cash": 0}, "fixed_cash must be above 0"),
        ({"stop_loss": 1.0}, "stop_loss must be above 0 and below 1"),
        ({"take_profit": 0.0}, "take_profit must be above 0"),
        ({"trailing_stop": "5 %"}, "trailing_stop must be a number, not '5 %'"),
        ({"max_holding_bars": 0}, "max_holding_bars must be at least 1"),
        ({"max_holding_bars": 1.5}, "max_holding_bars must be a whole number, not 1.5"),
        ({"cooldown_bars": None}, "cooldown_bars must be a whole number, not None"),
        ({"fee_rate": True}, "fee_rate must be a number, not True"),
        ({"fill": "open"}, "fill must be one of next_open, same_close, not 'open'"),
        ({"direction": "both"}, "direction must be one of long, short, long_short, not 'both'"),
    ],
)
def test_settings_out_of_range_are_refused(settings: Any, message: str):
    with pytest.raises(EngineError, match=message):
        Execution(**settings)


def test_a_series_shorter_than_the_look_back_is_refused():
    with pytest.raises(EngineError, match="rsi needs at least 15 candles, there are 14"):
        find_strategy("rsi").signals(CANDLES.bars(0, 14))
