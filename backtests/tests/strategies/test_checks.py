"""The checks find what is wrong with a strategy, and say it in a sentence."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backtests.engine.errors import EngineError
from backtests.engine.indicators.averages import ema
from backtests.engine.sample_candles import random_walk
from backtests.engine.shared import Shared
from backtests.engine.signals import Signals
from backtests.strategies.checks import bars_until_same, check_strategy
from backtests.strategies.memory import bars_until_ema_forgotten
from backtests.strategies.strategy import Strategy
from backtests.tests.engine.tables import line
from market_data.candles import Candles

WALK = random_walk(2_000, seed=20)
Decide = Callable[[Candles, Shared], Signals]


def strategy_of(decide: Decide, *, look_back: int = 20, warm_up: int | None = None) -> Strategy:
    """A strategy around one function."""

    class Made(Strategy):
        name = "made"
        title = "Made"
        description = "Made for a test."
        acts_on = "level"

        def look_back_bars(self, parameters: Any) -> int:
            return look_back

        def warm_up_bars(self, parameters: Any) -> int:
            return look_back if warm_up is None else warm_up

        def decide(self, candles: Candles, parameters: Any, shared: Shared) -> Signals:
            return decide(candles, shared)

    return Made()


def message(decide: Decide, check: str, **settings: Any) -> str:
    """The message of a check that must fail."""
    (finding,) = (f for f in check_strategy(strategy_of(decide, **settings), WALK) if f.check == check)
    assert not finding.passed
    return finding.message


def rises(values: np.ndarray) -> Signals:
    return Signals.of(enter_long=values > 0, exit_long=values < 0)


def test_a_look_at_the_next_close_is_found():
    found = message(lambda c, _: rises(np.append(np.diff(c.close), 0.0)), "look-ahead")
    assert found.startswith("it looks ahead: at bar ")
    assert "it says enter long, but nothing when the candles from bar" in found


def test_a_mean_over_all_candles_is_found():
    assert "it looks ahead" in message(lambda c, _: rises(c.close - c.close.mean()), "look-ahead")


def test_a_look_that_finds_nothing_new_in_these_candles_is_found_by_other_ones():
    strategy = strategy_of(lambda c, _: Signals.of(enter_long=c.close < 0.4 * c.close.max()))
    findings = check_strategy(strategy, line(*[200.0] * 30, *[100.0] * 300))
    (finding,) = (f for f in findings if f.check == "look-ahead")
    assert "it says nothing, but enter long when the candles from bar" in finding.message
    assert finding.message.endswith("on are replaced")


def test_a_centred_window_is_found():
    def centred(candles: Candles, shared: Shared) -> Signals:
        return rises(candles.close - np.convolve(candles.close, np.ones(3) / 3, mode="same"))

    assert "it looks ahead" in message(centred, "look-ahead")


def test_chance_is_found():
    found = message(lambda c, _: rises(np.random.default_rng().normal(size=len(c))), "determinism")
    assert found.startswith("the same candles give other signals at bar ")


def test_a_strategy_that_remembers_the_last_call_is_found():
    calls: list[int] = []

    def remembers(candles: Candles, shared: Shared) -> Signals:
        calls.append(1)
        return rises(np.full(len(candles), float(len(calls) % 2)))

    assert "other signals" in message(remembers, "determinism")


def test_a_warm_up_that_is_too_short_is_found():
    def slow(candles: Candles, shared: Shared) -> Signals:
        return rises(candles.close - shared(ema, candles.close, 200))

    assert "warm_up_bars() states 20" in message(slow, "warm-up")
    (finding,) = (
        f
        for f in check_strategy(strategy_of(slow, look_back=200, warm_up=1_900), WALK)
        if f.check == "warm-up"
    )
    assert finding.passed


def test_the_bars_until_an_indicator_forgets_are_counted():
    def average(candles: Candles, shared: Shared) -> Signals:
        return rises(candles.close - shared(ema, candles.close, 20))

    needed = bars_until_same(strategy_of(average), WALK, None)

    assert 100 < needed["ema(20)"] <= 20 + bars_until_ema_forgotten(20)
    assert needed["signals"] <= needed["ema(20)"]


def test_changed_candles_are_found():
    def changes(candles: Candles, shared: Shared) -> Signals:
        candles.close[0] = 1.0
        return rises(candles.close)

    assert message(changes, "signals") == "decide() changes the candles it is given: close"


def test_silence_is_found():
    assert message(lambda c, _: rises(np.zeros(len(c))), "signals").startswith(
        "it never enters: 0 × enter long"
    )


def test_a_python_loop_is_told_how_to_be_faster():
    def slow(candles: Candles, shared: Shared) -> Signals:
        return rises(np.array([sum(candles.close[max(0, i - 20) : i]) for i in range(len(candles))]))

    assert "ns a bar" in message(slow, "speed")
    assert "numba.njit" in message(slow, "speed")


@pytest.mark.parametrize(
    ("decide", "expected"),
    [
        (lambda c, _: rises(c.close[1:]), "made: signals have 1999 values, the candles have 2000 bars"),
        (lambda c, _: c.close > 0, "made must return Signals, not ndarray"),
        (lambda c, _: Signals(c.close), "made: signals must be a one-dimensional uint8 array"),
        (
            lambda c, _: Signals.of(enter_long=c.close * np.nan),
            "made: enter_long must be bool, not float64; it is NaN at bar 0",
        ),
        (lambda c, _: c.typo, "made raised AttributeError: 'Candles' object has no attribute 'typo'"),
    ],
)
def test_what_is_no_signal_is_an_engine_error_and_a_finding(decide: Decide, expected: str):
    with pytest.raises(EngineError) as caught:
        strategy_of(decide).signals(WALK)
    assert str(caught.value).startswith(expected)
    assert all(f.message.startswith(expected) for f in check_strategy(strategy_of(decide), WALK))
