import numpy as np
import pytest

from market_data import quality
from market_data.candles import Candles
from market_data.intervals import DAY_MS, HOUR_MS
from market_data.quality import Counts
from market_data.tests.candle_maker import START_MS, make_candles, without


def priced(*prices: float, step_ms: int = HOUR_MS) -> Candles:
    """Candles that open and close at these prices."""
    values = np.array(prices)
    times = START_MS + step_ms * np.arange(len(values), dtype=np.int64)
    return Candles(times, values, values, values, values, np.ones(len(values)))


def codes(candles: Candles, interval_ms: int = HOUR_MS) -> list[str]:
    return [warning["code"] for warning in quality.warnings_of(candles, interval_ms)]


def test_gaps_missing_candles_and_empty_candles_are_counted():
    candles = without(make_candles(100), 10, 11, 12, 50)
    candles.volume[[0, 70]] = 0.0
    assert quality.count(candles, HOUR_MS) == Counts(gap_count=2, missing_count=4, zero_volume_count=2)


def test_an_outage_of_33_hours_is_a_gap_but_no_halt():
    assert codes(without(make_candles(100), *range(20, 53))) == []


def test_a_hole_of_two_days_is_a_halt():
    candles = without(make_candles(100), *range(20, 68))
    (warning,) = quality.warnings_of(candles, HOUR_MS)
    assert warning["code"] == "halt"
    assert warning["missing_count"] == 48
    assert (warning["since_ms"], warning["at_ms"]) == (START_MS + 19 * HOUR_MS, START_MS + 68 * HOUR_MS)
    assert (
        "no candles between 2024-01-01 19:00 and 2024-01-03 20:00 UTC (49 hours, 48 missing)"
        in warning["message"]
    )


def test_one_missing_day_among_days_is_no_halt_but_two_are():
    days = make_candles(100, step_ms=DAY_MS)
    assert codes(without(days, 50), DAY_MS) == []
    assert codes(without(days, 50, 51), DAY_MS) == ["halt"]


@pytest.mark.parametrize("factor", [5.1, 1 / 5.1])
def test_a_price_that_changes_fivefold_within_a_candle_is_a_jump(factor):
    assert codes(priced(1.0, 1.0, factor, factor)) == ["jump"]


def test_a_price_that_doubles_is_nothing_to_warn_of():
    assert codes(priced(1.0, 2.0, 1.0, 0.5)) == []


@pytest.mark.parametrize("factor", [1000, 1 / 1000, 10, 1 / 18.8])
def test_a_price_that_changes_over_a_halt_is_a_redenomination(factor):
    assert codes(without(priced(*[1.0] * 100, *[factor] * 10), *range(40, 100))) == ["redenomination"]


def test_a_dead_coin_that_comes_back_dear_is_another_coin():
    candles = without(priced(*[80.0] * 30, *[0.3] * 90, *[8.0] * 10), *range(50, 120))
    assert codes(candles) == ["jump", "reused_symbol"]


def test_a_change_that_no_redenomination_reaches_is_another_coin():
    assert codes(without(priced(*[0.0001] * 100, *[8.0] * 10), *range(40, 100))) == ["reused_symbol"]


def test_a_result_warns_only_of_what_lies_inside_its_range():
    candles = without(make_candles(200), *range(20, 68), *range(120, 180))
    warnings = quality.warnings_of(candles, HOUR_MS)
    first, second = warnings
    between = quality.warnings_between
    assert between(warnings, START_MS, START_MS + 200 * HOUR_MS) == warnings
    assert between(warnings, START_MS, START_MS + 100 * HOUR_MS) == [first]
    assert between(warnings, START_MS + 20 * HOUR_MS, START_MS + 200 * HOUR_MS) == [second]
    assert between(warnings, START_MS, first["at_ms"]) == []


def test_fresh_warnings_replace_those_of_the_same_time_alone():
    candles = without(make_candles(200), *range(20, 68), *range(120, 180))
    old = quality.warnings_of(candles, HOUR_MS)
    assert quality.replace_between(old, [], 0, old[0]["at_ms"]) == old[1:]
    assert quality.replace_between(old[1:], old, 0, old[1]["at_ms"]) == old
