"""The simulation of one account over one series: one pass, bar by bar."""

import numpy as np

from backtests.engine.compiled import compiled
from backtests.engine.signals import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT, Flags
from market_data.candles import FloatArray, IntArray

DAY_MS = 86_400_000
NEVER = 2**62

# Why a position was closed. The order is that of `trades.EXIT_REASONS`.
SIGNAL, STOP_LOSS, TAKE_PROFIT, TRAILING_STOP, MAX_HOLDING, LIQUIDATION = 0, 1, 2, 3, 4, 5

# Columns of a trade's row.
SIDE, ENTRY_BAR, EXIT_BAR, ENTRY_PRICE, EXIT_PRICE, SIZE = 0, 1, 2, 3, 4, 5
PNL, RETURN, FEES, REASON, WORST, BEST = 6, 7, 8, 9, 10, 11
TRADE_COLUMNS = 12

# Places in the array of totals, from which `metrics.py` derives the metrics.
FINAL_EQUITY, MAX_DRAWDOWN, BARS_HELD, LIQUIDATED = 0, 1, 2, 3
DAY_COUNT, DAY_MEAN, DAY_SQUARES, DOWNSIDE_SQUARES = 4, 5, 6, 7
TRADE_COUNT, WIN_COUNT, GROSS_PROFIT, GROSS_LOSS, PNL_MEAN, PNL_SQUARES = 8, 9, 10, 11, 12, 13
TOTALS = 14


@compiled
def _entry(
    side: int,
    price: float,
    cash: float,
    fee_rate: float,
    fixed_fee: float,
    slippage_rate: float,
    equity_fraction: float,
    fixed_cash: float,
) -> tuple[float, float, float]:
    """Fill price, size and fee of an entry while flat; size 0 when the account can't pay for it."""
    fill = price * (1.0 + side * slippage_rate)
    budget = min(cash * equity_fraction, fixed_cash) - fixed_fee
    if not budget > 0.0:
        return fill, 0.0, 0.0
    size = budget / (fill * (1.0 + fee_rate))
    fee = size * fill * fee_rate + fixed_fee
    if side > 0 and size * fill + fee > cash:  # one rounding step too many; cash is never negative
        fee = cash - size * fill
    return fill, size, fee


@compiled
def _exit(
    side: int,
    price: float,
    reason: int,
    size: float,
    cash: float,
    fee_rate: float,
    fixed_fee: float,
    slippage_rate: float,
) -> tuple[float, float, float, int]:
    """Fill price, fee, cash and reason of closing a position; an account that is used up is liquidated."""
    fill = price if reason == TAKE_PROFIT else price * (1.0 - side * slippage_rate)
    fee = size * fill * fee_rate + fixed_fee
    left = cash + side * size * fill - fee
    if side < 0 and (left <= 0.0 or reason == LIQUIDATION):
        return cash / size, 0.0, 0.0, LIQUIDATION
    if left < 0.0:  # the fixed fee takes what is there, not more
        return fill, fee + left, 0.0, reason
    return fill, fee, left, reason


@compiled
def _write_trade(
    row: FloatArray,
    side: int,
    entry_bar: int,
    exit_bar: int,
    entry: float,
    fill: float,
    size: float,
    pnl: float,
    fees: float,
    reason: int,
    highest: float,
    lowest: float,
) -> None:
    row[SIDE] = side
    row[ENTRY_BAR] = entry_bar
    row[EXIT_BAR] = exit_bar
    row[ENTRY_PRICE] = entry
    row[EXIT_PRICE] = fill
    row[SIZE] = size
    row[PNL] = pnl
    row[RETURN] = pnl / (size * entry)
    row[FEES] = fees
    row[REASON] = reason
    if side > 0:
        row[WORST] = min(lowest, fill) / entry - 1.0
        row[BEST] = max(highest, fill) / entry - 1.0
    else:
        row[WORST] = 1.0 - max(highest, fill) / entry
        row[BEST] = 1.0 - min(lowest, fill) / entry


@compiled
def _add_trade(totals: FloatArray, pnl: float) -> None:
    """Count a closed trade; mean and squares by Welford's recurrence."""
    totals[TRADE_COUNT] += 1.0
    if pnl > 0.0:
        totals[WIN_COUNT] += 1.0
        totals[GROSS_PROFIT] += pnl
    else:
        totals[GROSS_LOSS] -= pnl
    step = pnl - totals[PNL_MEAN]
    totals[PNL_MEAN] += step / totals[TRADE_COUNT]
    totals[PNL_SQUARES] += step * (pnl - totals[PNL_MEAN])


@compiled
def _add_day(totals: FloatArray, day_return: float, empty_days: int) -> None:
    """Count a day's return, and 0 for each of the days without candles after it (Welford, Chan)."""
    count = totals[DAY_COUNT] + 1.0
    step = day_return - totals[DAY_MEAN]
    mean = totals[DAY_MEAN] + step / count
    totals[DAY_SQUARES] += step * (day_return - mean)
    totals[DOWNSIDE_SQUARES] += min(day_return, 0.0) ** 2
    if empty_days > 0:
        totals[DAY_SQUARES] += mean * mean * count * empty_days / (count + empty_days)
        mean *= count / (count + empty_days)
        count += empty_days
    totals[DAY_COUNT] = count
    totals[DAY_MEAN] = mean


@compiled
def simulate(  # noqa: C901 - one loop over the bars is the point: a call per bar would cost more than the bar
    open_time_ms: IntArray,
    open_: FloatArray,
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    flags: Flags,
    allowed: int,
    initial_cash: float,
    fee_rate: float,
    fixed_fee: float,
    slippage_rate: float,
    same_close: bool,
    equity_fraction: float,
    fixed_cash: float,
    stop_loss: float,
    take_profit: float,
    trailing_stop: float,
    max_holding_bars: int,
    cooldown_bars: int,
    equity: FloatArray,
    keep_trades: bool,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Carry out the signals of one series.

    Parameters
    ----------
    open_time_ms, open_, high, low, close : (n_bars,)
        The candles, checked; at least one.
    flags : (n_bars,) uint8
        Signals; only the bits in `allowed` count.
    fixed_cash, stop_loss, take_profit, trailing_stop : float
        As in `Execution`; infinity switches one off.
    max_holding_bars : int
        As in `Execution`; `NEVER` switches it off.
    equity : (n_bars,) or (0,) float64
        Receives the account's value at each bar's close; length 0 when nobody wants it.
    keep_trades : bool
        Whether rows of trades are written, or only counted.

    Returns
    -------
    totals : (TOTALS,) float64
    trades : (trade_count, TRADE_COLUMNS) float64
    open_trade : (TRADE_COLUMNS,) float64
        The position open at the end, marked at the last close; its size is 0 when there is none.
    """
    n_bars = close.shape[0]
    keep_equity = equity.shape[0] == n_bars
    totals = np.zeros(TOTALS)
    trades = np.empty((64 if keep_trades else 1, TRADE_COLUMNS))
    n_trades = 0

    cash = initial_cash
    value = initial_cash
    peak = initial_cash
    worst_value = initial_cash  # the value at which the deepest drawdown so far would be exceeded
    max_drawdown = 0.0
    bars_held = 0
    day_value = initial_cash
    day_end = (open_time_ms[0] // DAY_MS + 1) * DAY_MS

    side = 0
    size = 0.0
    units = 0.0  # size with the side's sign
    entry = 0.0
    entry_bar = 0
    entry_fee = 0.0
    entry_cash = 0.0
    highest = 0.0
    lowest = 0.0
    stop = 0.0
    target = 0.0
    trail = 0.0
    ruin = np.inf  # the price at which a short's equity is 0
    due_bar = NEVER  # the close at which the maximum holding time asks for the exit
    rest_until = 0  # entries decided before this bar are ignored: cooldown

    pending_exit = False
    pending_reason = SIGNAL
    pending_side = 0

    for bar in range(n_bars):
        now = open_time_ms[bar]
        if now >= day_end:
            empty_days = (now - day_end) // DAY_MS
            _add_day(totals, value / day_value - 1.0 if day_value > 0.0 else 0.0, empty_days)
            day_value = value
            day_end += (empty_days + 1) * DAY_MS

        # Up to three moments of a bar can fill orders: its open, its inside, its close.
        for moment in range(3):
            exit_price = 0.0
            reason = SIGNAL
            enter_side = 0
            price = 0.0
            if moment == 0:
                if not pending_exit and pending_side == 0:
                    continue
                price = open_[bar]
                if pending_exit:
                    exit_price = price
                    reason = pending_reason
                enter_side = pending_side
                pending_exit = False
                pending_side = 0
            elif moment == 1:
                if side == 0:
                    continue
                if side > 0:
                    trail_stop = highest - trail
                    level = max(stop, trail_stop)
                    if low[bar] <= level or high[bar] >= target:
                        if open_[bar] <= level or (open_[bar] < target and low[bar] <= level):
                            exit_price = min(open_[bar], level)
                            reason = STOP_LOSS if stop >= trail_stop else TRAILING_STOP
                        else:
                            exit_price = max(open_[bar], target)
                            reason = TAKE_PROFIT
                else:
                    trail_stop = lowest + trail
                    level = min(stop, trail_stop, ruin)
                    if high[bar] >= level or low[bar] <= target:
                        if open_[bar] >= level or (open_[bar] > target and high[bar] >= level):
                            exit_price = max(open_[bar], level)
                            reason = STOP_LOSS if stop <= trail_stop else TRAILING_STOP
                            if ruin <= level:
                                reason = LIQUIDATION
                        else:
                            exit_price = min(open_[bar], target)
                            reason = TAKE_PROFIT
                if exit_price == 0.0:
                    highest = max(highest, high[bar])
                    lowest = min(lowest, low[bar])
                    continue
                highest = max(highest, open_[bar])
                lowest = min(lowest, open_[bar])
            else:
                signal = flags[bar] & allowed
                if signal == 0 and bar < due_bar:
                    continue
                if side == 0:
                    if bar < rest_until:
                        continue
                    if signal & ENTER_LONG:
                        enter_side = 1
                    elif signal & ENTER_SHORT:
                        enter_side = -1
                    else:
                        continue
                    leave = False
                else:
                    leave_flags = EXIT_LONG | ENTER_SHORT if side > 0 else EXIT_SHORT | ENTER_LONG
                    leave = signal & leave_flags != 0
                    if leave:
                        if side > 0 and signal & ENTER_SHORT:
                            enter_side = -1
                        elif side < 0 and signal & ENTER_LONG:
                            enter_side = 1
                    elif bar >= due_bar:
                        leave = True
                        reason = MAX_HOLDING
                    else:
                        continue
                if not same_close:
                    pending_exit = leave
                    pending_reason = reason
                    pending_side = enter_side
                    continue
                price = close[bar]
                if leave:
                    exit_price = price

            if exit_price > 0.0 and side != 0:
                fill, fee, cash, reason = _exit(
                    side, exit_price, reason, size, cash, fee_rate, fixed_fee, slippage_rate
                )
                _add_trade(totals, cash - entry_cash)
                if keep_trades:
                    if n_trades == trades.shape[0]:
                        longer = np.empty((2 * n_trades, TRADE_COLUMNS))
                        longer[:n_trades] = trades
                        trades = longer
                    _write_trade(
                        trades[n_trades],
                        side,
                        entry_bar,
                        bar,
                        entry,
                        fill,
                        size,
                        cash - entry_cash,
                        entry_fee + fee,
                        reason,
                        highest,
                        lowest,
                    )
                    n_trades += 1
                if reason == LIQUIDATION:
                    totals[LIQUIDATED] = 1.0
                if reason in (STOP_LOSS, TRAILING_STOP):
                    rest_until = bar + cooldown_bars
                side = 0
                size = 0.0
                units = 0.0
                ruin = np.inf
                due_bar = NEVER

            if enter_side != 0:
                fill, size, fee = _entry(
                    enter_side, price, cash, fee_rate, fixed_fee, slippage_rate, equity_fraction, fixed_cash
                )
                if size > 0.0:
                    side = enter_side
                    units = side * size
                    entry = fill
                    entry_bar = bar
                    entry_fee = fee
                    entry_cash = cash
                    cash -= units * fill + fee
                    highest = fill
                    lowest = fill
                    stop = fill * (1.0 - side * stop_loss)
                    target = fill * (1.0 + side * take_profit)
                    trail = fill * trailing_stop
                    if side < 0:
                        ruin = cash / size
                    if max_holding_bars < NEVER:
                        due_bar = bar + max_holding_bars - (0 if same_close else 1)

        value = cash + units * close[bar]
        if keep_equity:
            equity[bar] = value
        if units != 0.0:
            bars_held += 1
        if value > peak:
            peak = value
            worst_value = peak * (1.0 - max_drawdown)
        elif value < worst_value:
            max_drawdown = 1.0 - value / peak
            worst_value = value

    _add_day(totals, value / day_value - 1.0 if day_value > 0.0 else 0.0, 0)
    totals[FINAL_EQUITY] = value
    totals[MAX_DRAWDOWN] = max_drawdown
    totals[BARS_HELD] = bars_held
    open_trade = np.zeros(TRADE_COLUMNS)
    if side != 0:
        _write_trade(
            open_trade,
            side,
            entry_bar,
            n_bars - 1,
            entry,
            close[n_bars - 1],
            size,
            value - entry_cash,
            entry_fee,
            SIGNAL,
            highest,
            lowest,
        )
    return totals, trades[:n_trades], open_trade
