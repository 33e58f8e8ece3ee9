"""The rules of execution written a second time: plain Python, bar by bar, without any thought of speed."""

from dataclasses import dataclass, field
from typing import Any

from backtests.engine.execution import Execution
from backtests.engine.signals import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT, Signals
from market_data.candles import Candles


@dataclass
class Position:
    side: int
    size: float
    price: float
    bar: int
    fee: float
    cash_before: float
    best: float
    prices: list[float] = field(default_factory=list)


class Account:
    """One account, one series; `equity` and `trades` are there to be compared."""

    def __init__(self, candles: Candles, signals: Signals, execution: Execution) -> None:
        self.candles, self.flags, self.e = candles, signals.flags.tolist(), execution
        self.cash = execution.initial_cash
        self.position: Position | None = None
        self.order: tuple[bool, str, int] | None = None
        self.rest_until = 0
        self.equity: list[float] = []
        self.trades: list[tuple[Any, ...]] = []
        for bar in range(len(candles)):
            self._open(bar)
            self._inside(bar)
            self._close(bar)

    def _open(self, bar: int) -> None:
        if self.order:
            leave, reason, side = self.order
            self.order = None
            self._fill(bar, float(self.candles.open[bar]), leave, reason, side)

    def _fill(self, bar: int, price: float, leave: bool, reason: str, side: int) -> None:
        if leave:
            self._leave(bar, price, reason)
        if side:
            self._enter(bar, price, side)

    def _enter(self, bar: int, price: float, side: int) -> None:
        e = self.e
        fill = price * (1 + e.slippage_rate) if side > 0 else price * (1 - e.slippage_rate)
        wanted = e.fixed_cash if e.fixed_cash is not None else self.cash * e.equity_fraction
        budget = min(wanted, self.cash) - e.fixed_fee
        if budget <= 0:
            return
        size = budget / (fill * (1 + e.fee_rate))
        fee = size * fill * e.fee_rate + e.fixed_fee
        self.position = Position(side, size, fill, bar, fee, self.cash, fill, [fill])
        self.cash += -side * size * fill - fee

    def _leave(self, bar: int, price: float, reason: str) -> None:
        p, e = self.position, self.e
        assert p is not None
        slippage = 0.0 if reason == "take_profit" else e.slippage_rate
        fill = price * (1 - p.side * slippage)
        fee = p.size * fill * e.fee_rate + e.fixed_fee
        left = self.cash + p.side * p.size * fill - fee
        if p.side < 0 and (left <= 0 or reason == "liquidation"):
            fill, fee, left, reason = self.cash / p.size, 0.0, 0.0, "liquidation"
        elif left < 0:
            fee, left = fee + left, 0.0
        self.cash = left
        p.prices.append(fill)
        moves = [p.side * (price / p.price - 1) for price in p.prices]
        row = (p.side, p.bar, bar, p.price, fill, p.size, left - p.cash_before, p.fee + fee, reason)
        self.trades.append((*row, min(moves), max(moves)))
        self.position = None
        if reason in ("stop_loss", "trailing_stop"):
            self.rest_until = bar + e.cooldown_bars

    def _levels(self, p: Position) -> tuple[list[tuple[float, str]], float | None]:
        e = self.e
        stops = []
        if e.stop_loss is not None:
            stops.append((p.price - p.side * (p.price * e.stop_loss), "stop_loss"))
        if e.trailing_stop is not None:
            stops.append((p.best - p.side * (p.price * e.trailing_stop), "trailing_stop"))
        if p.side < 0:
            stops.append((self.cash / p.size, "liquidation"))
        target = None if e.take_profit is None else p.price + p.side * (p.price * e.take_profit)
        return stops, target

    def _inside(self, bar: int) -> None:
        p, c = self.position, self.candles
        if p is None or (self.e.fill == "same_close" and p.bar == bar):
            return
        open_, high, low = float(c.open[bar]), float(c.high[bar]), float(c.low[bar])
        worst, best = (low, high) if p.side > 0 else (high, low)
        stops, target = self._levels(p)
        # The nearest stop counts; at the same level a liquidation, then a fixed stop.
        order = ["liquidation", "stop_loss", "trailing_stop"]
        stop = min(stops, key=lambda s: (-p.side * s[0], order.index(s[1])), default=None)
        exit_ = None
        if stop and p.side * (open_ - stop[0]) <= 0:
            exit_ = (open_, stop[1])
        elif target is not None and p.side * (open_ - target) >= 0:
            exit_ = (open_, "take_profit")
        elif stop and p.side * (worst - stop[0]) <= 0:
            exit_ = stop
        elif target is not None and p.side * (best - target) >= 0:
            exit_ = (target, "take_profit")
        if exit_:
            p.prices.append(open_)
            self._leave(bar, *exit_)
        else:
            p.prices += [high, low]
            p.best = max(p.best, high) if p.side > 0 else min(p.best, low)

    def _close(self, bar: int) -> None:
        close = float(self.candles.close[bar])
        decision = self._decide(bar)
        if decision and self.e.fill == "same_close":
            self._fill(bar, close, *decision)
        elif decision:
            self.order = decision
        p = self.position
        self.equity.append(self.cash + (p.side * p.size * close if p else 0.0))

    def _decide(self, bar: int) -> tuple[bool, str, int] | None:
        flags, p, e = self.flags[bar], self.position, self.e
        may_long, may_short = e.direction != "short", e.direction != "long"
        enter_long, enter_short = flags & ENTER_LONG and may_long, flags & ENTER_SHORT and may_short
        if p is None:
            side = 1 if enter_long else -1 if enter_short else 0
            return (False, "", side) if side and bar >= self.rest_until else None
        opposite = enter_short if p.side > 0 else enter_long
        if opposite or flags & (EXIT_LONG if p.side > 0 else EXIT_SHORT):
            return True, "signal", -p.side if opposite else 0
        fills_at = bar if e.fill == "same_close" else bar + 1
        if e.max_holding_bars is not None and fills_at - p.bar >= e.max_holding_bars:
            return True, "max_holding", 0
        return None
