"""How large an entry is."""

import pytest

from backtests.tests.engine.tables import play

RISE = """open high low close
           100  101  99  100  long
           100  101  99  100  sell
           150  151 149  150  long
           100  101  99  100  sell
           200  201 199  200"""


def sizes(**settings: object) -> list[float]:
    return [trade.size_units for trade in play(RISE, **settings).trades]


def test_all_equity_is_spent_fee_included():
    assert sizes(fee_rate=0.01) == pytest.approx(
        [1_000 / 101, (1_000 / 101 * 150 * 0.99) / 101],
    )


def test_sizes_are_fractional():
    assert sizes()[0] == 10.0
    assert play(RISE, initial_cash=7.0).trades.size_units[0] == pytest.approx(0.07)


def test_a_fraction_of_equity_is_spent():
    assert sizes(equity_fraction=0.5) == pytest.approx([5.0, 1_250 * 0.5 / 100])


def test_a_fixed_amount_of_cash_is_spent_each_time():
    assert sizes(fixed_cash=200.0) == pytest.approx([2.0, 2.0])


def test_a_fixed_amount_above_the_equity_is_capped_by_it():
    assert sizes(fixed_cash=1_200.0) == pytest.approx([10.0, 12.0])


def test_an_account_that_cannot_pay_the_fixed_fee_does_not_enter():
    assert sizes(fixed_fee=1_000.0) == []


def test_cash_never_goes_below_zero():
    outcome = play(RISE.replace("150", "149.99"), fee_rate=0.0013, slippage_rate=0.0007, initial_cash=333.33)
    for trade in outcome.trades:
        spent = trade.size_units * trade.entry_price * 1.0013
        assert spent <= 333.33 + outcome.trades.pnl[0] + 1e-12 or spent <= 333.33
