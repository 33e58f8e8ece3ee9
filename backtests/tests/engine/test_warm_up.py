"""After warming up, no kernel compiles again."""

import logging
from typing import Any

import pytest

from backtests.engine import kernel
from backtests.engine.backtest import backtest
from backtests.engine.candle_checks import _breaks_a_rule
from backtests.engine.execution import Execution
from backtests.engine.many import backtest_many
from backtests.engine.sample_candles import random_walk
from backtests.engine.warm_up import warm_up_kernels
from backtests.strategies import conditions
from backtests.strategies.registry import find_strategy


def signature_counts() -> list[int]:
    """For how many combinations of argument types each kernel is compiled."""
    kernels: list[Any] = [kernel.simulate, kernel.day_ends, conditions.beyond, _breaks_a_rule]
    return [len(function.signatures) for function in kernels]


def test_any_settings_use_the_kernels_that_were_warmed_up():
    warm_up_kernels()
    known = signature_counts()

    candles = random_walk(1_000)
    execution = Execution(
        initial_cash=1, fee_rate=0, fixed_cash=5, stop_loss=0.1, max_holding_bars=3, cooldown_bars=1
    )
    signals = find_strategy("rsi").signals(
        candles, find_strategy("rsi").Parameters.model_validate({"period": 5})
    )
    backtest(candles, signals, execution, start_ms=int(candles.open_time_ms[100]))
    backtest_many(candles, find_strategy("rsi"), [{"period": 9}], execution)

    assert signature_counts() == known
    assert set(known) == {1}


def test_a_custom_strategy_that_fails_is_logged_and_the_rest_is_warmed_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(type(find_strategy("rsi")), "decide", lambda *_: 1 / 0)
    with caplog.at_level(logging.WARNING):
        warm_up_kernels()
    assert "strategy rsi could not be warmed up: rsi raised ZeroDivisionError" in caplog.text
