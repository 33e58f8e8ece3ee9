"""Two engines that others wrote, given our signals, so that only execution is compared."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from backtests.engine.backtest import backtest
from backtests.engine.execution import Execution
from backtests.engine.signals import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT, Flags, Signals
from market_data.candles import Candles, FloatArray

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import vectorbt
    from backtesting import Strategy
    from backtesting.lib import FractionalBacktest

ENTRIES = ENTER_LONG | ENTER_SHORT
INTRABAR_REASONS = ("stop_loss", "take_profit", "trailing_stop")


@dataclass
class Outcome:
    """What a peer says about closed trades, equity and drawdown."""

    equity: FloatArray
    entry_bars: list[int]
    exit_bars: list[int]
    pnl: list[float]
    max_drawdown: float


def for_one_order_a_bar(candles: Candles, flags: Flags, execution: Execution) -> Flags:
    """Signals without entries at the close of a bar left inside: vectorbt fills one order a bar."""
    flags = flags.copy()
    while True:
        outcome = backtest(candles, Signals(flags), execution)
        left = {t.exit_bar for t in outcome.trades if t.exit_reason in INTRABAR_REASONS}
        entered = {t.entry_bar for t in [*outcome.trades, *filter(None, [outcome.open_trade])]}
        if not left & entered:
            return flags
        flags[list(left)] &= 0xFF ^ ENTRIES


def vectorbt_outcome(candles: Candles, flags: Flags, execution: Execution) -> Outcome:
    """`Portfolio.from_signals`; for next-open fills it gets signals one bar later and the open as price."""
    next_open = execution.fill == "next_open"
    if next_open:
        flags = np.concatenate((np.zeros(1, dtype=np.uint8), flags[:-1]))
    price = candles.open if next_open else candles.close
    long, leave, short, cover = (
        flags & flag != 0 for flag in (ENTER_LONG, EXIT_LONG, ENTER_SHORT, EXIT_SHORT)
    )
    sides: dict[str, dict[str, Any]] = {
        "long": {"entries": long, "exits": leave, "direction": "longonly"},
        "short": {"entries": short, "exits": cover, "direction": "shortonly"},
        "long_short": {
            "entries": long,
            "exits": leave,
            "short_entries": short,
            "short_exits": cover,
            "upon_opposite_entry": "reverse",
        },
    }
    stops: dict[str, Any] = {
        "sl_stop": execution.stop_loss or np.nan,
        "tp_stop": execution.take_profit or np.nan,
        "stop_entry_price": "fillprice",
        "stop_exit_price": "stoplimit" if execution.take_profit else "stopmarket",
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        portfolio: Any = vectorbt.Portfolio.from_signals(
            candles.close,
            price=price,
            val_price=price,
            open=candles.open,
            high=candles.high,
            low=candles.low,
            size=np.inf,
            fees=execution.fee_rate,
            fixed_fees=execution.fixed_fee,
            slippage=execution.slippage_rate,
            init_cash=execution.initial_cash,
            freq="1h",
            **sides[execution.direction],
            **stops,
        )
        trades = portfolio.trades.closed.values
        return Outcome(
            equity=portfolio.value().to_numpy(),
            entry_bars=trades["entry_idx"].tolist(),
            exit_bars=trades["exit_idx"].tolist(),
            pnl=trades["pnl"].tolist(),
            max_drawdown=-float(portfolio.max_drawdown()),
        )


def backtesting_outcome(candles: Candles, flags: Flags, execution: Execution) -> Outcome:
    """`FractionalBacktest`; stops are placed from the price of the fill to come, unknown to it."""
    next_open = execution.fill == "next_open"
    fills = np.append(candles.open[1:], candles.close[-1]) if next_open else candles.close
    may_long, may_short = execution.direction != "short", execution.direction != "long"

    class GivenSignals(Strategy):
        def init(self) -> None:
            """Nothing to prepare."""

        def levels(self, bar: int, side: int) -> dict[str, float]:
            scale = self.data.Close[-1] / candles.close[bar] * fills[bar]  # it counts in fractions of a coin
            levels: dict[str, float] = {}
            if execution.stop_loss:
                levels["sl"] = scale * (1 - side * execution.stop_loss)
            if execution.take_profit:
                levels["tp"] = scale * (1 + side * execution.take_profit)
            return levels

        def next(self) -> None:
            bar = len(self.data) - 1
            said = int(flags[bar])
            long, short = said & ENTER_LONG and may_long, said & ENTER_SHORT and may_short
            held = self.position
            opposite = (short if held.is_long else long) if held else False
            if held and (opposite or said & (EXIT_LONG if held.is_long else EXIT_SHORT)):
                held.close()
            if opposite or not held:
                if long:
                    self.buy(**self.levels(bar, 1))
                elif short:
                    self.sell(**self.levels(bar, -1))

    frame = pd.DataFrame(
        {name.capitalize(): getattr(candles, name) for name in ("open", "high", "low", "close", "volume")},
        index=pd.to_datetime(candles.open_time_ms, unit="ms"),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stats: Any = FractionalBacktest(
            frame,
            GivenSignals,
            cash=execution.initial_cash,
            commission=execution.fee_rate,
            trade_on_close=not next_open,
            fractional_unit=1e-8,
        ).run()
    trades = stats["_trades"].sort_values(["ExitBar", "EntryBar"])
    return Outcome(
        equity=stats["_equity_curve"]["Equity"].to_numpy(),
        entry_bars=trades["EntryBar"].tolist(),
        exit_bars=trades["ExitBar"].tolist(),
        pnl=trades["PnL"].tolist(),
        max_drawdown=-stats["Max. Drawdown [%]"] / 100,
    )
