"""When and at what price orders are filled."""

import pytest

from backtests.engine.backtest import backtest
from backtests.tests.engine.tables import fills, free, play, table


def test_a_decision_is_filled_at_the_next_open():
    outcome = play(
        """open high low close
            100  101  99  100  long
            102  103 101  103
            104  106 103  105  sell
            106  107 105  107"""
    )
    assert fills(outcome) == [("long", 1, 102, 3, 106, "signal")]


def test_with_same_close_a_decision_is_filled_at_its_own_close():
    outcome = play(
        """open high low close
            100  101  99  100  long
            102  103 101  103
            104  106 103  105  sell
            106  107 105  107""",
        fill="same_close",
    )
    assert fills(outcome) == [("long", 0, 100, 2, 105, "signal")]


def test_a_signal_on_the_last_bar_is_not_filled_at_the_next_open():
    outcome = play(
        """open high low close
            100  101  99  100
            102  103 101  103  long"""
    )
    assert len(outcome.trades) == 0
    assert outcome.open_trade is None
    assert outcome.equity.tolist() == [1_000, 1_000]


def test_a_signal_on_the_last_bar_is_filled_at_the_same_close():
    outcome = play(
        """open high low close
            100  101  99  100
            102  103 101  103  long""",
        fill="same_close",
        fee_rate=0.01,
    )
    assert outcome.open_trade is not None
    assert outcome.open_trade.entry_price == 103
    assert outcome.equity.tolist() == pytest.approx([1_000, 1_000 / 1.01])


def test_buys_fill_above_the_price_and_sells_below_it():
    outcome = play(
        """open high low close
            100  101  99  100  long
            100  101  99  100  sell
            200  201 199  200""",
        slippage_rate=0.01,
    )
    assert fills(outcome) == [("long", 1, 101, 2, 198, "signal")]


def test_the_fee_is_paid_on_both_sides_and_comes_out_of_the_cash():
    outcome = play(
        """open high low close
            100  101  99  100  long
            100  101  99  100  sell
            200  201 199  200""",
        fee_rate=0.01,
        fixed_fee=3.0,
    )
    (trade,) = outcome.trades
    size = (1_000 - 3) / (100 * 1.01)
    assert trade.size_units == pytest.approx(size)
    assert trade.fees == pytest.approx(size * 100 * 0.01 + 3 + size * 200 * 0.01 + 3)
    assert trade.pnl == pytest.approx(size * 100 - trade.fees)
    assert outcome.metrics.final_equity == pytest.approx(1_000 + trade.pnl)


def test_a_fixed_fee_never_takes_more_than_is_there():
    outcome = play(
        """open high low close
            100  101  99  100  long
            100  101   1    1  sell
              1    1   1    1""",
        fixed_fee=100.0,
    )
    (trade,) = outcome.trades
    assert outcome.metrics.final_equity == 0
    assert trade.pnl == -1_000
    assert trade.fees == pytest.approx(100 + 9)


def test_an_entry_in_a_position_and_an_exit_while_flat_are_ignored():
    outcome = play(
        """open high low close
            100  101  99  100  sell
            100  101  99  100  long
            110  111 109  110  long
            120  121 119  120  sell
            130  131 129  130  sell
            140  141 139  140"""
    )
    assert fills(outcome) == [("long", 2, 110, 4, 130, "signal")]


def test_with_both_set_the_exit_counts_in_a_position_and_the_entry_when_flat():
    outcome = play(
        """open high low close
            100  101  99  100  long sell
            110  111 109  110  long sell
            120  121 119  120
            130  131 129  130"""
    )
    assert fills(outcome) == [("long", 1, 110, 2, 120, "signal")]


def test_signals_before_the_start_are_discarded_and_bars_outside_the_range_are_ignored():
    candles, signals = table(
        """open high low close
            100  101  99  100  long
            110  111 109  110  long
            120  121 119  120  long
            130  131 129  130
            140  141 139  140"""
    )
    times = candles.open_time_ms
    outcome = backtest(candles, signals, free(), start_ms=int(times[2]), end_ms=int(times[4]))
    assert outcome.open_time_ms.tolist() == times[2:4].tolist()
    assert outcome.open_trade is not None
    assert (outcome.open_trade.entry_bar, outcome.open_trade.entry_price) == (1, 130)
    assert outcome.metrics.buy_hold_return == pytest.approx(130 / 120 - 1)


def test_a_signal_right_before_the_start_is_not_filled_at_the_start():
    candles, signals = table(
        """open high low close
            100  101  99  100
            110  111 109  110  long
            120  121 119  120
            130  131 129  130"""
    )
    outcome = backtest(candles, signals, free(), start_ms=int(candles.open_time_ms[2]))
    assert outcome.open_trade is None
    assert outcome.equity.tolist() == [1_000, 1_000]


def test_a_position_open_at_the_end_is_marked_at_the_last_close_and_reported_apart():
    outcome = play(
        """open high low close
            100  101  99  100  long
            100  121  90  120""",
        fee_rate=0.01,
    )
    assert len(outcome.trades) == 0
    assert outcome.metrics.trade_count == 0
    trade = outcome.open_trade
    assert trade is not None
    assert (trade.exit_reason, trade.exit_bar, trade.exit_price) == ("open", 1, 120)
    assert trade.pnl == pytest.approx(1_000 / 1.01 * 1.2 - 1_000)
    assert outcome.metrics.final_equity == pytest.approx(1_000 + trade.pnl)
    assert (trade.worst_excursion, trade.best_excursion) == pytest.approx((-0.10, 0.21))


def test_a_position_is_closed_after_its_longest_holding_time():
    text = """open high low close
               100  101  99  100  long
               110  111 109  110
               120  121 119  120
               130  131 129  130
               140  141 139  140"""
    assert fills(play(text, max_holding_bars=2)) == [("long", 1, 110, 3, 130, "max_holding")]
    assert fills(play(text, max_holding_bars=2, fill="same_close")) == [
        ("long", 0, 100, 2, 120, "max_holding")
    ]
