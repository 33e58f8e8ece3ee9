"""Stop-loss, take-profit, trailing stop and cooldown."""

import pytest

from backtests.tests.engine.tables import fills, play

ENTRY = """open high low close
            100  100 100  100  long
"""
SHORT_ENTRY = ENTRY.replace("long", "short")


def long(*bars: str, **settings: object) -> list[tuple[object, ...]]:
    return fills(play(ENTRY + "\n".join(bars), **settings))


def short(*bars: str, **settings: object) -> list[tuple[object, ...]]:
    return fills(play(SHORT_ENTRY + "\n".join(bars), direction="short", **settings))


def test_a_touched_stop_fills_at_its_level():
    assert long("100 105 90 104", stop_loss=0.1) == [("long", 1, 100, 1, 90, "stop_loss")]
    assert short("100 110 95 96", stop_loss=0.1) == [("short", 1, 100, 1, 110, "stop_loss")]


def test_a_stop_that_is_not_touched_does_nothing():
    assert long("100 105 90.01 104", stop_loss=0.1) == []
    assert short("100 109.99 95 96", stop_loss=0.1) == []


def test_a_touched_target_fills_at_its_level():
    assert long("100 120 95 104", take_profit=0.2) == [("long", 1, 100, 1, 120, "take_profit")]
    assert short("100 105 80 90", take_profit=0.2) == [("short", 1, 100, 1, 80, "take_profit")]


def test_a_bar_that_touches_stop_and_target_is_taken_as_a_stop():
    assert long("100 120 80 110", stop_loss=0.1, take_profit=0.1) == [("long", 1, 100, 1, 90, "stop_loss")]
    assert short("100 120 80 110", stop_loss=0.1, take_profit=0.1) == [("short", 1, 100, 1, 110, "stop_loss")]


def test_a_bar_that_opens_beyond_the_stop_fills_at_its_open():
    bars = ("100 100 100 100", "80 95 75 90")
    assert long(*bars, stop_loss=0.1) == [("long", 1, 100, 2, 80, "stop_loss")]
    bars = ("100 100 100 100", "120 125 105 110")
    assert short(*bars, stop_loss=0.1) == [("short", 1, 100, 2, 120, "stop_loss")]


def test_a_bar_that_opens_beyond_the_target_fills_at_its_open_even_if_it_touches_the_stop_later():
    bars = ("100 100 100 100", "130 135 80 90")
    assert long(*bars, stop_loss=0.1, take_profit=0.2) == [("long", 1, 100, 2, 130, "take_profit")]
    bars = ("100 100 100 100", "70 120 65 90")
    assert short(*bars, stop_loss=0.1, take_profit=0.2) == [("short", 1, 100, 2, 70, "take_profit")]


def test_stops_pay_slippage_and_targets_do_not():
    (stopped,) = play(ENTRY + "100 101 80 90", stop_loss=0.1, slippage_rate=0.01).trades
    assert stopped.exit_price == pytest.approx(101 * 0.9 * 0.99)
    (reached,) = play(ENTRY + "100 130 99 110", take_profit=0.1, slippage_rate=0.01).trades
    assert reached.exit_price == pytest.approx(101 * 1.1)


def test_levels_are_fractions_of_the_entry_fill_price_not_of_the_open():
    assert long("100 101 90.5 95", stop_loss=0.1, slippage_rate=0.01) == [
        ("long", 1, 101, 1, round(90.9 * 0.99, 9), "stop_loss")
    ]


def test_stops_are_active_on_the_entry_bar_with_next_open_and_from_the_next_bar_with_same_close():
    text = """open high low close
               100  100  50  100  long
               100  100  90  100
               100  100  95  100"""
    assert fills(play(text, stop_loss=0.1)) == [("long", 1, 100, 1, 90, "stop_loss")]
    assert fills(play(text, stop_loss=0.1, fill="same_close")) == [("long", 0, 100, 1, 90, "stop_loss")]
    assert fills(play(text, stop_loss=0.4, fill="same_close")) == []


def test_an_exit_due_at_the_open_comes_before_the_stop():
    bars = ("100 100 100 100 sell", "95 95 50 60")
    assert long(*bars, stop_loss=0.1) == [("long", 1, 100, 2, 95, "signal")]


def test_an_exit_due_at_the_open_comes_first_even_when_the_open_is_beyond_the_stop():
    bars = ("100 100 100 100 sell", "80 80 50 60")
    assert long(*bars, stop_loss=0.1) == [("long", 1, 100, 2, 80, "signal")]


def test_the_trailing_level_follows_the_best_high_of_the_bars_before():
    bars = ("100 100 100 100", "100 130 100 125", "125 140 121 139", "139 139 130 131")
    assert long(*bars, trailing_stop=0.1) == [("long", 1, 100, 4, 130, "trailing_stop")]


def test_the_high_of_the_same_bar_does_not_raise_the_trailing_level():
    assert long("100 150 95 149", trailing_stop=0.1) == []


def test_the_trailing_stop_of_a_short_follows_the_best_low():
    bars = ("100 100 100 100", "100 100 70 75", "75 79 72 78", "78 81 76 80")
    assert short(*bars, trailing_stop=0.1) == [("short", 1, 100, 4, 80, "trailing_stop")]


def test_of_stop_and_trailing_stop_the_nearer_one_counts():
    bars = ("100 100 100 100", "100 104 100 104", "104 104 80 85")
    assert long(*bars, stop_loss=0.05, trailing_stop=0.2) == [("long", 1, 100, 3, 95, "stop_loss")]
    assert long(*bars, stop_loss=0.2, trailing_stop=0.05) == [("long", 1, 100, 3, 99, "trailing_stop")]


def test_entries_within_the_cooldown_after_a_stop_are_ignored():
    bars = ("100 100 90 95 long", "95 95 95 95 long", "96 96 96 96 long", "97 97 97 97 sell", "98 98 98 98")
    assert [trade[1] for trade in long(*bars, stop_loss=0.1)] == [1, 2]
    assert [trade[1] for trade in long(*bars, stop_loss=0.1, cooldown_bars=1)] == [1, 3]
    assert [trade[1] for trade in long(*bars, stop_loss=0.1, cooldown_bars=2)] == [1, 4]
    assert [trade[1] for trade in long(*bars, stop_loss=0.1, cooldown_bars=3)] == [1]


def test_there_is_no_cooldown_after_a_target():
    bars = ("100 110 100 105 long", "105 105 105 105 sell", "96 96 96 96")
    assert [trade[1] for trade in long(*bars, take_profit=0.1, cooldown_bars=5)] == [1, 2]


def test_excursions_count_what_certainly_happened_while_the_position_was_open():
    (trade,) = play(ENTRY + "100 110 95 105\n105 108 80 85", stop_loss=0.15).trades
    assert (trade.worst_excursion, trade.best_excursion) == pytest.approx((-0.15, 0.10))
    (trade,) = play(SHORT_ENTRY + "100 110 95 105\n105 130 80 85", direction="short", stop_loss=0.2).trades
    assert (trade.worst_excursion, trade.best_excursion) == pytest.approx((-0.20, 0.05))
