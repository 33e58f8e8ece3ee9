"""Short positions, reversals and liquidation."""

import pytest

from backtests.tests.engine.tables import fills, play

UP_AND_DOWN = """open high low close
                  100  101  99  100  short sell
                  100  101  99  100
                   90   91  89   90  long cover
                   80   81  79   80
                   80   81  79   80  short sell
                   90   91  89   90"""


def test_a_short_earns_when_the_price_falls():
    outcome = play(UP_AND_DOWN, direction="short")
    assert fills(outcome) == [("short", 1, 100, 3, 80, "signal")]
    assert outcome.trades.pnl.tolist() == pytest.approx([200])
    assert outcome.equity.tolist() == pytest.approx([1_000, 1_000, 1_100, 1_200, 1_200, 1_200])
    assert outcome.open_trade is not None
    assert outcome.open_trade.side == "short"


def test_a_short_sells_all_equity_less_its_fee():
    outcome = play(UP_AND_DOWN, direction="short", fee_rate=0.01, slippage_rate=0.05)
    (trade,) = outcome.trades
    assert (trade.entry_price, trade.exit_price) == (95, 84)
    assert trade.size_units == pytest.approx(1_000 / 1.01 / 95)
    assert trade.pnl == pytest.approx(trade.size_units * (95 - 84 - 0.95 - 0.84))


def test_long_only_ignores_shorts_and_short_only_ignores_longs():
    assert {trade.side for trade in play(UP_AND_DOWN, direction="long").trades} == {"long"}
    assert {trade.side for trade in play(UP_AND_DOWN, direction="short").trades} == {"short"}


def test_a_reversal_is_two_fills_and_two_fees_sized_after_closing():
    outcome = play(UP_AND_DOWN, direction="long_short", fee_rate=0.01)
    assert fills(outcome) == [("short", 1, 100, 3, 80, "signal"), ("long", 3, 80, 5, 90, "signal")]
    first, second = outcome.trades
    cash = 1_000 + first.pnl
    assert first.fees == pytest.approx(first.size_units * 180 * 0.01)
    assert second.size_units == pytest.approx(cash / (80 * 1.01))
    assert outcome.open_trade is not None
    assert (outcome.open_trade.side, outcome.open_trade.entry_bar) == ("short", 5)


def test_an_opposite_entry_alone_reverses():
    outcome = play(
        """open high low close
            100  101  99  100  long
            100  101  99  100  short
            100  101  99  100""",
        direction="long_short",
    )
    assert fills(outcome) == [("long", 1, 100, 2, 100, "signal")]
    assert outcome.open_trade is not None
    assert outcome.open_trade.side == "short"


def test_a_short_whose_equity_reaches_zero_inside_a_bar_is_liquidated_there():
    outcome = play(
        """open high low close
            100  100 100  100  short
            100  150 100  120
            120  210 110  110  short
            110  110  50   50  short""",
        direction="short",
    )
    assert fills(outcome) == [("short", 1, 100, 2, 200, "liquidation")]
    assert outcome.equity.tolist() == pytest.approx([1_000, 800, 0, 0])
    assert outcome.trades.pnl.tolist() == pytest.approx([-1_000])
    assert outcome.metrics.liquidated
    assert outcome.metrics.max_drawdown == 1.0
    assert outcome.metrics.total_return == -1.0
    assert outcome.open_trade is None


def test_a_short_that_opens_beyond_its_ruin_loses_everything_and_not_more():
    outcome = play(
        """open high low close
            100  100 100  100  short
            100  100 100  100  cover
            500  500 500  500""",
        direction="short",
    )
    assert fills(outcome) == [("short", 1, 100, 2, 200, "liquidation")]
    assert outcome.metrics.final_equity == 0


def test_a_stop_below_the_ruin_saves_a_short():
    outcome = play(
        """open high low close
            100  100 100  100  short
            100  250 100  240""",
        direction="short",
        stop_loss=0.5,
    )
    assert fills(outcome) == [("short", 1, 100, 1, 150, "stop_loss")]
    assert not outcome.metrics.liquidated


def test_a_partly_sized_short_has_its_ruin_farther_away():
    text = """open high low close
               100  100 100  100  short
               100  290 100  290
               290  310 290  300"""
    assert play(text, direction="short", equity_fraction=0.5).equity.tolist() == pytest.approx([1_000, 50, 0])
