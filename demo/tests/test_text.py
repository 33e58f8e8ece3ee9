"""How numbers and results look in the terminal."""

import pytest

from demo import text


@pytest.mark.parametrize(
    ("fraction", "shown"),
    [
        (0.194, "+19.4 %"),
        (-0.981, "−98.1 %"),
        (17.915, "+1,791.5 %"),
        (0.0, "0.0 %"),
        (-0.0001, "0.0 %"),
        (None, "–"),
    ],
)
def test_a_fraction_is_shown_as_a_signed_percentage(fraction: float | None, shown: str):
    assert text.percent(fraction) == shown


def test_a_drawdown_has_no_sign():
    assert text.percent(0.41, signed=False) == "41.0 %"


@pytest.mark.parametrize(
    ("ratio", "shown"), [(1.124, "1.12"), (-0.5, "−0.50"), (-0.001, "0.00"), (None, "–")]
)
def test_a_ratio_has_two_decimals_and_no_negative_zero(ratio: float | None, shown: str):
    assert text.number(ratio) == shown


def test_a_curve_becomes_blocks_from_its_lowest_to_its_highest_value():
    assert text.sparkline([1.0, 2.0, 3.0, 8.0], width=4) == "▁▂▃█"


def test_a_flat_curve_is_a_flat_line():
    assert text.sparkline([5.0] * 64, width=8) == "▁" * 8


def test_a_curve_of_one_value_or_none_is_no_error():
    assert text.sparkline([], width=8) == ""
    assert text.sparkline([3.0], width=4) == "▁▁▁▁"
