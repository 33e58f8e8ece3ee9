"""Many parameter sets in one call."""

from typing import Any

import pytest

from backtests.engine.backtest import backtest
from backtests.engine.errors import EngineError
from backtests.engine.execution import Execution
from backtests.engine.many import backtest_many
from backtests.engine.sample_candles import random_walk
from backtests.engine.shared import LARGEST_COUNT, Shared
from backtests.strategies.registry import all_strategies, find_strategy
from market_data.candles import FloatArray

CANDLES = random_walk(2_000, seed=2)


@pytest.mark.parametrize("strategy", all_strategies(), ids=lambda strategy: strategy.name)
def test_the_defaults_give_the_metrics_of_a_single_backtest(strategy):
    one = backtest(CANDLES, strategy.signals(CANDLES)).metrics
    assert backtest_many(CANDLES, strategy, [{}, strategy.Parameters()]) == [one, one]


def test_answers_come_in_the_order_of_the_sets_whatever_they_share():
    strategy = find_strategy("sma_cross")
    sets = [{"fast": fast, "slow": slow} for slow in (30, 20, 50) for fast in (9, 3, 15)]
    execution = Execution(direction="long_short", stop_loss=0.05)

    metrics = backtest_many(CANDLES, strategy, sets, execution)

    for values, ours in zip(sets, metrics, strict=True):
        signals = strategy.signals(CANDLES, strategy.Parameters(**values))
        assert ours == backtest(CANDLES, signals, execution).metrics


def test_the_range_is_cut_as_in_a_single_backtest():
    strategy = find_strategy("rsi")
    times = CANDLES.open_time_ms
    span: dict[str, Any] = {"start_ms": int(times[500]), "end_ms": int(times[1_500])}
    one = backtest(CANDLES, strategy.signals(CANDLES), **span).metrics
    assert backtest_many(CANDLES, strategy, [{}], **span) == [one]


def test_no_sets_give_no_metrics():
    assert backtest_many(CANDLES, find_strategy("rsi"), []) == []


def test_an_invalid_set_is_named():
    with pytest.raises(
        EngineError, match=r"parameter set 1 is invalid: .*fast \(20\) must be below slow \(10\)"
    ):
        backtest_many(CANDLES, find_strategy("sma_cross"), [{}, {"fast": 20, "slow": 10}])
    with pytest.raises(EngineError, match="parameter set 0 is of RsiParameters, not SmaCrossParameters"):
        backtest_many(CANDLES, find_strategy("sma_cross"), [find_strategy("rsi").Parameters()])


def test_an_indicator_is_computed_once_and_only_the_last_arrays_are_kept():
    calls: list[int] = []

    def indicator(values, period):
        calls.append(period)
        return values * period

    shared = Shared()
    for period in (1, 1, 2, 1):
        assert shared(indicator, CANDLES.close, period)[0] == CANDLES.close[0] * period
    assert calls == [1, 2]
    for period in range(3, 3 + LARGEST_COUNT):
        shared(indicator, CANDLES.close, period)
    assert len(shared.results()) == LARGEST_COUNT
    shared(indicator, CANDLES.close, 1)
    assert calls[-1] == 1


def test_equal_arrays_that_are_not_the_same_are_told_apart():
    shared = Shared()
    one, other = CANDLES.close.copy(), CANDLES.open.copy()

    def peak(values: FloatArray) -> float:
        return float(values.max())

    assert shared(peak, one) == one.max()
    assert shared(peak, other) == other.max() != one.max()
