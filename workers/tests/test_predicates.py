"""Predicates over metrics."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.predicates import MAX_LENGTH, PredicateError, parse

NAMES = {"sharpe", "trade_count", "total_return"}
METRICS = {"sharpe": 1.5, "trade_count": 20.0, "total_return": None}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("sharpe >= 1 and trade_count >= 20", True),
        ("sharpe > 1.5", False),
        ("sharpe>=1.5", True),
        ("trade_count == 20 AND NOT sharpe < 1", True),
        ("sharpe < 1 or trade_count != 3", True),
        ("sharpe < 1 or trade_count < 1 and sharpe > 0", False),
        ("(sharpe < 1 or trade_count > 1) and sharpe > 0", True),
        ("not (sharpe > 1 and trade_count > 1)", False),
        ("total_return > -1e9", False),
        ("not total_return > -1e9", True),
        ("sharpe > -.5e+1", True),
    ],
)
def test_a_predicate_holds_or_not(text: str, holds: bool) -> None:
    assert parse(text, NAMES)(METRICS) is holds


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "expected a metric (sharpe, total_return, trade_count) at the end"),
        ("beta > 1", "at character 1, found 'beta'"),
        ("sharpe", "expected one of >= <= > < == != at the end"),
        ("sharpe > x", "expected a number at character 10, found 'x'"),
        ("sharpe > 1 sharpe < 2", "expected and, or, or the end at character 12"),
        ("(sharpe > 1", "expected a closing parenthesis at the end"),
        ("sharpe > 1; import os", "unexpected ';' at character 11"),
        ("__import__ > 1", "found '__import__'"),
        ("sharpe = 1", "unexpected '=' at character 8"),
        ("(" * 30 + "sharpe > 1" + ")" * 30, "at most 20 deep"),
        ("sharpe > 1 and " * 100, f"at most {MAX_LENGTH} characters"),
    ],
)
def test_what_is_no_predicate_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(PredicateError) as error:
        parse(text, NAMES)
    assert words in str(error.value)


@given(st.text(alphabet="sharpe>=<!() andornt1.5e-'\"\\;\x00é", max_size=80))
def test_any_text_is_a_predicate_or_refused(text: str) -> None:
    try:
        condition = parse(text, NAMES)
    except PredicateError:
        return
    assert condition(METRICS) in (True, False)
