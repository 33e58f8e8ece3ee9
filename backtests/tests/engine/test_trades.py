"""Trades as columns, as objects and as JSON."""

import json

import pytest

from backtests.engine.trades import iso_time
from backtests.tests.engine.tables import play

TEXT = """open high low close
           100  101  99  100  long
           100  110  95  100  sell
           120  121 119  120  short
           120  121 119  120"""


def test_records_are_ready_for_json_and_times_are_iso_8601():
    (record,) = play(TEXT, fee_rate=0.01).trades.to_records()
    assert json.loads(json.dumps(record)) == {
        "side": "long",
        "entry_bar": 1,
        "exit_bar": 2,
        "entry_time": "2021-01-01T01:00:00Z",
        "exit_time": "2021-01-01T02:00:00Z",
        "entry_price": 100.0,
        "exit_price": 120.0,
        "size_units": pytest.approx(1_000 / 101),
        "pnl": pytest.approx(1_000 / 101 * (20 - 1 - 1.2)),
        "return": pytest.approx(0.178),
        "fees": pytest.approx(1_000 / 101 * 2.2),
        "exit_reason": "signal",
        "bars_held": 1,
        "worst_excursion": pytest.approx(-0.05),
        "best_excursion": pytest.approx(0.2),
    }


def test_columns_hold_one_value_a_trade():
    trades = play(TEXT, direction="long_short").trades
    assert len(trades) == 1
    for name in trades.__slots__:
        assert getattr(trades, name).shape == (1,)
        assert getattr(trades, name).flags.c_contiguous
    assert trades.bars_held.tolist() == [1]


def test_the_open_trade_has_a_record_too():
    trade = play(TEXT, direction="long_short").open_trade
    assert trade is not None
    record = trade.to_record()
    assert (record["side"], record["exit_reason"], record["exit_time"]) == (
        "short",
        "open",
        "2021-01-01T03:00:00Z",
    )


def test_more_trades_than_the_kernel_first_makes_room_for_are_all_there():
    outcome = play("open high low close\n" + "100 100 100 100 long\n100 100 100 100 sell\n" * 500)
    assert len(outcome.trades) == outcome.metrics.trade_count == 499
    assert outcome.trades.entry_bar.tolist() == list(range(1, 998, 2))


def test_milliseconds_are_kept_where_there_are_any():
    assert iso_time(1_609_459_200_000) == "2021-01-01T00:00:00Z"
    assert iso_time(1_609_459_200_250) == "2021-01-01T00:00:00.250Z"
