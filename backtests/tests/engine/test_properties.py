"""What holds for any candles, any signals and any settings."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backtests.engine.backtest import backtest
from backtests.engine.execution import Execution
from backtests.engine.rebuilt import equity_of_trades
from backtests.engine.signals import ENTER_LONG, Signals
from backtests.tests.engine.reference import Account
from backtests.tests.engine.tables import candles_of, free, line
from market_data.candles import Candles

ROUNDING = 1e-12
some = settings(max_examples=150)


@st.composite
def series(draw: st.DrawFn) -> Candles:
    """Up to 60 wild candles: jumps, flat stretches, prices on a grid so that levels are met exactly."""
    n_bars = draw(st.integers(1, 60))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    step = draw(st.sampled_from([0.0, 0.01, 0.1, 0.5]))
    close = 100.0 * np.exp(np.cumsum(random.normal(0, step, n_bars)))
    open_ = np.where(
        random.random(n_bars) < 0.7, np.roll(close, 1), close * np.exp(random.normal(0, step, n_bars))
    )
    high = np.maximum(open_, close) * np.exp(np.abs(random.normal(0, step, n_bars)))
    low = np.minimum(open_, close) * np.exp(-np.abs(random.normal(0, step, n_bars)))
    return candles_of(np.maximum(np.round(np.stack([open_, high, low, close], axis=1)), 1.0))


@st.composite
def said(draw: st.DrawFn, n_bars: int) -> Signals:
    """Random flags, never both entries at once."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    flags = random.integers(0, 16, n_bars).astype(np.uint8)
    flags[(flags & 5) == 5] &= 0b1110
    flags[random.random(n_bars) < draw(st.sampled_from([0.0, 0.5, 0.9]))] = 0
    return Signals(flags)


fractions = st.none() | st.sampled_from([0.02, 0.1, 0.25])
executions = st.builds(
    Execution,
    initial_cash=st.sampled_from([1_000.0, 7.5]),
    fee_rate=st.sampled_from([0.0, 0.001, 0.02]),
    fixed_fee=st.sampled_from([0.0, 0.0, 2.0]),
    slippage_rate=st.sampled_from([0.0, 0.0005, 0.05]),
    fill=st.sampled_from(["next_open", "same_close"]),
    direction=st.sampled_from(["long", "short", "long_short"]),
    equity_fraction=st.sampled_from([1.0, 0.3]),
    fixed_cash=st.none() | st.sampled_from([200.0]),
    stop_loss=fractions,
    take_profit=fractions,
    trailing_stop=fractions,
    max_holding_bars=st.none() | st.integers(1, 10),
    cooldown_bars=st.sampled_from([0, 0, 1, 5]),
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Candles, Signals, Execution]:
    candles = draw(series())
    return candles, draw(said(len(candles))), draw(executions)


@settings(some, max_examples=1_500)
@given(cases())
def test_the_kernel_does_what_the_plain_rules_do(case: tuple[Candles, Signals, Execution]):
    outcome, account = backtest(*case), Account(*case)

    assert len(outcome.trades) == len(account.trades)
    for ours, theirs in zip(outcome.trades, account.trades, strict=True):
        row = (
            1 if ours.side == "long" else -1,
            ours.entry_bar,
            ours.exit_bar,
            ours.entry_price,
            ours.exit_price,
        )
        row += (ours.size_units, ours.pnl, ours.fees)
        assert row == pytest.approx(theirs[:8], rel=1e-9, abs=1e-7)
        assert ours.exit_reason == theirs[8]
        assert (ours.worst_excursion, ours.best_excursion) == pytest.approx(theirs[9:], rel=1e-9, abs=1e-9)
    assert outcome.equity == pytest.approx(np.array(account.equity), rel=1e-9, abs=1e-7)
    assert (outcome.open_trade is None) == (account.position is None)


@settings(some, max_examples=600)
@given(cases())
def test_equity_is_cash_and_the_position_at_every_close(case: tuple[Candles, Signals, Execution]):
    """Rebuilt from the reported trades alone, as it is for those who ask for the exact curve."""
    outcome = backtest(*case)
    trades = [*outcome.trades, *([outcome.open_trade] if outcome.open_trade else [])]

    rebuilt = equity_of_trades(case[0].close, trades, case[2])

    assert outcome.equity == pytest.approx(rebuilt, rel=1e-9, abs=1e-7)


@some
@given(cases())
def test_no_trade_pays_more_than_two_fees(case: tuple[Candles, Signals, Execution]):
    execution = case[2]
    for trade in backtest(*case).trades:
        traded = trade.size_units * (trade.entry_price + trade.exit_price)
        assert trade.fees <= traded * execution.fee_rate + 2 * execution.fixed_fee + 1e-7


@some
@given(cases())
def test_trades_add_up_to_the_change_of_equity_when_nothing_is_open(case: tuple[Candles, Signals, Execution]):
    outcome = backtest(*case)
    open_pnl = outcome.open_trade.pnl if outcome.open_trade else 0.0

    change = outcome.metrics.final_equity - case[2].initial_cash

    assert outcome.trades.pnl.sum() + open_pnl == pytest.approx(change, rel=1e-9, abs=1e-7)


@some
@given(cases())
def test_equity_is_never_negative(case: tuple[Candles, Signals, Execution]):
    assert backtest(*case).equity.min() >= -1e-9


@some
@given(cases())
def test_doubling_all_prices_leaves_returns_unchanged(case: tuple[Candles, Signals, Execution]):
    candles, signals, execution = case
    double = replace(
        candles, **{name: 2.0 * getattr(candles, name) for name in ("open", "high", "low", "close")}
    )

    one, two = backtest(candles, signals, execution), backtest(double, signals, execution)

    assert one.metrics == two.metrics
    assert np.array_equal(one.equity, two.equity)


@some
@given(cases())
def test_more_fees_never_give_more_equity_on_the_same_fills(case: tuple[Candles, Signals, Execution]):
    candles, signals, execution = case
    cheap = backtest(candles, signals, replace(execution, fee_rate=0.0, fixed_fee=0.0))
    dear = backtest(candles, signals, replace(execution, fee_rate=0.01, fixed_fee=0.0))

    same_fills = [(t.entry_bar, t.exit_bar, t.exit_reason) for t in cheap.trades] == [
        (t.entry_bar, t.exit_bar, t.exit_reason) for t in dear.trades
    ]

    if same_fills and execution.direction == "long" and execution.fixed_cash is None:
        assert (dear.equity <= cheap.equity * (1 + 1e-12)).all()


@some
@given(series(), st.sampled_from(["next_open", "same_close"]))
def test_buy_and_hold_without_costs_equals_the_price_ratio_from_its_fill_on(candles: Candles, fill: str):
    signals = Signals(np.full(len(candles), ENTER_LONG, dtype=np.uint8))
    outcome = backtest(candles, signals, free(fill=fill))

    first = 1 if fill == "next_open" else 0
    if len(candles) > first:
        price = (candles.open if first else candles.close)[first]
        assert outcome.equity[first:] == pytest.approx(1_000.0 * candles.close[first:] / price)


@some
@given(st.integers(2, 60), st.integers(0, 2**32))
def test_long_only_on_a_falling_line_never_wins(n_bars: int, seed: int):
    candles = line(*(100.0 * 0.97 ** np.arange(n_bars)))
    random = np.random.default_rng(seed)
    signals = Signals((random.integers(0, 4, n_bars)).astype(np.uint8))

    outcome = backtest(candles, signals, free())

    assert outcome.metrics.final_equity <= 1_000.0 * (1 + ROUNDING)
    assert not (outcome.trades.pnl > 1_000.0 * ROUNDING).any()


@some
@given(cases())
def test_a_short_on_the_mirror_of_a_long_trades_at_the_same_bars(case: tuple[Candles, Signals, Execution]):
    candles, signals, _ = case
    longs = Signals((signals.flags & 3).astype(np.uint8))
    shorts = Signals((longs.flags << 2).astype(np.uint8))

    long = backtest(candles, longs, free(direction="long"))
    short = backtest(candles, shorts, free(direction="short", equity_fraction=0.01))

    if not short.metrics.liquidated:
        assert long.trades.entry_bar.tolist() == short.trades.entry_bar.tolist()
        assert long.trades.exit_bar.tolist() == short.trades.exit_bar.tolist()


@some
@given(cases(), cases())
def test_results_depend_neither_on_alignment_nor_on_what_ran_before(
    case: tuple[Candles, Signals, Execution], other: tuple[Candles, Signals, Execution]
):
    first = backtest(*case)
    backtest(*other)

    again = backtest(_unaligned(case[0]), Signals(_read_only(case[1].flags)), case[2])

    assert again.metrics == first.metrics
    assert np.array_equal(again.equity, first.equity)
    assert np.array_equal(again.trade_rows, first.trade_rows)


def _unaligned(candles: Candles) -> Candles:
    def moved(array: Any) -> Any:
        memory = np.zeros(array.nbytes + 1, dtype=np.uint8)
        view = memory[1:].view(array.dtype)
        view[:] = array
        return view

    return Candles(*(moved(getattr(candles, field.name)) for field in fields(candles)))


def _read_only(array: Any) -> Any:
    copy = array.copy()
    copy.flags.writeable = False
    return copy
