"""Every built-in strategy: when it speaks, and that it is fit to be backtested."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from backtests.engine.errors import EngineError
from backtests.engine.indicators.averages import ema, sma
from backtests.engine.indicators.momentum import macd, roc, rsi, simple_rsi
from backtests.engine.indicators.volatility import atr, mean_and_deviation
from backtests.engine.sample_candles import random_walk
from backtests.engine.signals import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT, Flags
from backtests.strategies.checks import check_strategy
from backtests.strategies.registry import BUILT_IN, find_strategy
from backtests.strategies.strategy import Strategy
from backtests.tests.engine.tables import line
from market_data.candles import Candles

LONG, SHORT = ENTER_LONG | EXIT_SHORT, ENTER_SHORT | EXIT_LONG
WALK = random_walk(3_000, seed=11)
built_in = pytest.mark.parametrize("kind", BUILT_IN, ids=lambda kind: kind.name)


def say(name: str, candles: Candles, **values: Any) -> Flags:
    strategy = find_strategy(name)
    return strategy.signals(candles, strategy.Parameters.model_validate(values)).flags


def where(*conditions: tuple[Any, int]) -> Flags:
    """Flags from conditions, bar by bar, the plain way."""
    flags = np.zeros(len(conditions[0][0]), dtype=np.uint8)
    for condition, flag in conditions:
        flags |= np.where(condition, flag, 0).astype(np.uint8)
    return flags


def crossed(fast: Any, slow: Any) -> Flags:
    above = fast > slow
    valid = ~np.isnan(fast) & ~np.isnan(slow)
    both = valid & np.concatenate(([False], valid[:-1]))
    before = np.concatenate(([False], above[:-1]))
    return where((both & above & ~before, LONG), (both & ~above & before, SHORT))


@built_in
def test_every_check_passes(kind: type[Strategy]):
    findings = check_strategy(kind(), random_walk(6_000, seed=12))
    assert [finding.message for finding in findings if not finding.passed] == []
    assert len(findings) == 5


@built_in
def test_signals_are_possible_right_after_the_look_back(kind: type[Strategy]):
    strategy = kind()
    parameters = strategy.Parameters()
    look_back = strategy.look_back_bars(parameters)
    if look_back:
        with pytest.raises(
            EngineError, match=f"needs at least {look_back + 1} candles, there are {look_back}"
        ):
            strategy.signals(WALK.bars(0, look_back), parameters)
    assert len(strategy.signals(WALK.bars(0, look_back + 1), parameters)) == look_back + 1
    starts = [strategy.signals(WALK.bars(start, start + look_back + 1)).flags for start in range(1_500)]
    entries = ENTER_LONG | ENTER_SHORT
    assert any(flags[-1] & entries for flags in starts)
    assert not any((flags[:-1] & entries).any() for flags in starts if look_back)


@built_in
def test_constant_prices_give_no_entry_but_buy_and_hold_and_a_dead_rsi(kind: type[Strategy]):
    flags = kind().signals(line(*[1 / 3] * 3_000)).flags
    entries = flags & (ENTER_LONG | ENTER_SHORT)
    # RSI is 0 where nothing ever moved, as in TA-Lib.
    assert entries.any() == (kind.name in ("buy_and_hold", "rsi"))


@built_in
def test_prices_that_stop_moving_give_no_more_crosses_and_breakouts(kind: type[Strategy]):
    moved = random_walk(400, seed=2).close
    flags = kind().signals(line(*moved, *[moved[-1]] * 3_000)).flags[700:]
    if kind.name not in ("buy_and_hold", "rsi"):
        assert not flags.any()


@built_in
def test_doubled_prices_give_the_same_signals(kind: type[Strategy]):
    double = Candles(
        WALK.open_time_ms, 2 * WALK.open, 2 * WALK.high, 2 * WALK.low, 2 * WALK.close, WALK.volume
    )
    assert np.array_equal(kind().signals(double).flags, kind().signals(WALK).flags)


@built_in
def test_it_describes_itself_for_the_form(kind: type[Strategy]):
    strategy = kind()
    assert strategy.declared_version
    assert strategy.code_version == kind.version
    assert strategy.title
    assert strategy.description.endswith(".")
    for name, schema in strategy.Parameters.model_json_schema().get("properties", {}).items():
        assert {"title", "description", "default"} <= set(schema), name
        assert "enum" in schema or {"minimum", "maximum"} <= set(schema), name


@built_in
def test_unknown_parameters_and_values_that_are_no_numbers_are_refused(kind: type[Strategy]):
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        kind().Parameters.model_validate({"speed": 3})
    for name, field in kind().Parameters.model_fields.items():
        for value in (float("nan"), float("inf"), -1e9, 1e9, "many", None):
            with pytest.raises(ValidationError):
                kind().Parameters.model_validate({name: value})
        assert field.description
        assert field.description.endswith(".")


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("sma_cross", {"fast": 20, "slow": 20}, r"fast \(20\) must be below slow \(20\)"),
        ("ema_cross", {"fast": 30}, r"fast \(30\) must be below slow \(26\)"),
        ("macd", {"slow": 5}, r"fast \(12\) must be below slow \(5\)"),
        ("rsi", {"oversold": 80}, r"oversold \(80\) must be below overbought \(70\)"),
        ("zscore", {"leave": 3}, r"leave \(3\) must be below entry \(2\)"),
    ],
)
def test_parameters_that_contradict_each_other_are_refused(name: str, values: dict[str, Any], message: str):
    with pytest.raises(ValidationError, match=message):
        find_strategy(name).Parameters.model_validate(values)


@pytest.mark.parametrize(("smoothing", "indicator"), [("wilder", rsi), ("simple", simple_rsi)])
def test_rsi_speaks_at_every_bar_beyond_a_level(smoothing: str, indicator: Any):
    values = indicator(WALK.close, 9)
    expected = where((values < 25, LONG), (values > 80, SHORT))
    said = say("rsi", WALK, period=9, oversold=25, overbought=80, smoothing=smoothing)
    assert np.array_equal(said, expected)


def test_moving_averages_speak_at_the_bar_of_the_cross_only():
    assert np.array_equal(
        say("sma_cross", WALK, fast=5, slow=30), crossed(sma(WALK.close, 5), sma(WALK.close, 30))
    )
    assert np.array_equal(
        say("ema_cross", WALK, fast=5, slow=30), crossed(ema(WALK.close, 5), ema(WALK.close, 30))
    )


def test_the_first_bar_with_both_averages_is_no_cross():
    rising = line(*range(1, 60))
    assert not say("sma_cross", rising, fast=5, slow=30).any()
    falling_then_rising = line(*range(90, 60, -1), *range(61, 120))
    flags = say("sma_cross", falling_then_rising, fast=2, slow=30)
    assert np.count_nonzero(flags) == 1
    assert flags.max() == LONG


def test_averages_that_only_touch_do_not_cross():
    closes = [10.0] * 5 + [9.0] * 6 + [10.0] * 2 + [8.0] * 10
    flags = say("sma_cross", line(*closes), fast=1, slow=2)
    assert flags.tolist()[5] == 0
    assert [(bar, flag) for bar, flag in enumerate(flags.tolist()) if flag] == [(11, LONG), (13, SHORT)]


def test_macd_speaks_when_the_line_crosses_its_signal():
    macd_line, signal = macd(WALK.close, 6, 19, 5)
    assert np.array_equal(say("macd", WALK, fast=6, slow=19, signal=5), crossed(macd_line, signal))


def test_bollinger_bands_and_z_score_compare_the_close_with_mean_and_deviation():
    close = WALK.close
    mean, deviation = mean_and_deviation(close, 30)
    lower, upper = mean - 1.5 * deviation, mean + 1.5 * deviation
    back = where(
        (close < lower, ENTER_LONG),
        (close > mean, EXIT_LONG),
        (close > upper, ENTER_SHORT),
        (close < mean, EXIT_SHORT),
    )
    away = where(
        (close > upper, ENTER_LONG),
        (close < mean, EXIT_LONG),
        (close < lower, ENTER_SHORT),
        (close > mean, EXIT_SHORT),
    )
    z = (close - mean) / deviation
    scored = where(
        (z < -1.5, ENTER_LONG), (z > -0.25, EXIT_LONG), (z > 1.5, ENTER_SHORT), (z < 0.25, EXIT_SHORT)
    )
    assert np.array_equal(say("bollinger_reversion", WALK, period=30, width=1.5), back)
    assert np.array_equal(say("bollinger_breakout", WALK, period=30, width=1.5), away)
    assert np.array_equal(say("zscore", WALK, period=30, entry=1.5, leave=0.25), scored)


def test_momentum_follows_a_change_beyond_the_threshold():
    change = roc(WALK.close, 40)
    expected = where((change > 3, LONG), (change < -3, SHORT))
    assert np.array_equal(say("momentum", WALK, period=40, threshold=3), expected)


def test_donchian_compares_the_close_with_the_bars_before():
    flags = say("donchian", WALK, entry=20, leave=10)
    for bar in (20, 21, 500, 1_234, 2_999):
        past, near = slice(bar - 20, bar), slice(bar - 10, bar)
        price = WALK.close[bar]
        expected = (
            ENTER_LONG * (price > WALK.high[past].max())
            + EXIT_LONG * (price < WALK.low[near].min())
            + ENTER_SHORT * (price < WALK.low[past].min())
            + EXIT_SHORT * (price > WALK.high[near].max())
        )
        assert flags[bar] == expected


def test_the_atr_channel_enters_beyond_and_leaves_at_its_middle():
    close, middle = WALK.close, ema(WALK.close, 25)
    width = 1.5 * atr(WALK.high, WALK.low, WALK.close, 10)
    expected = where(
        (close > middle + width, ENTER_LONG),
        (close < middle, EXIT_LONG),
        (close < middle - width, ENTER_SHORT),
        (close > middle, EXIT_SHORT),
    )
    said = say("atr_channel", WALK, average=25, period=10, width=1.5)
    assert np.array_equal(said[25:], expected[25:])


def test_buy_and_hold_always_wants_to_be_in():
    assert set(say("buy_and_hold", WALK).tolist()) == {ENTER_LONG}


@built_in
def test_strength_is_beyond_its_threshold_exactly_where_a_level_is_entered(kind: type[Strategy]):
    strategy = kind()
    said = strategy.judge(WALK)
    if said.strength is None:
        assert strategy.strength_unit is None
        return
    enters_long, enters_short = said.flags & ENTER_LONG > 0, said.flags & ENTER_SHORT > 0
    assert enters_long.any()
    assert enters_short.any()
    if strategy.acts_on == "level":
        np.testing.assert_array_equal(said.strength > 1.0, enters_long)
        np.testing.assert_array_equal(said.strength < -1.0, enters_short)
    else:
        assert (said.strength[enters_long] > 0.0).all()
        assert (said.strength[enters_short] < 0.0).all()


@built_in
def test_strength_looks_at_nothing_that_comes_later(kind: type[Strategy]):
    strategy = kind()
    whole, part = strategy.judge(WALK).strength, strategy.judge(WALK.bars(0, 2_000)).strength
    if whole is not None and part is not None:
        np.testing.assert_array_equal(whole[:2_000], part)
