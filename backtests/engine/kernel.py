"""The simulation of one account over one series.

One long file on purpose: numba's cache notices changes of the file that a kernel is in, not of those it calls into.
"""

import numpy as np

from backtests.engine.compiled import compiled, compiled_for_numbers
from backtests.engine.signals import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT, Flags
from market_data.candles import FloatArray, IntArray

DAY_MS = 86_400_000
NEVER = 2**62
BLOCK = 16
"""Bars that are looked at together before one by one."""

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
    if side > 0 and size * fill + fee > cash:  # a rounding step too many: cash is never negative
        size *= 1.0 - 2.0**-51
        fee = size * fill * fee_rate + fixed_fee
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
def _longer(rows: FloatArray) -> FloatArray:
    longer = np.empty((2 * rows.shape[0], rows.shape[1]))
    for row in range(rows.shape[0]):
        for column in range(rows.shape[1]):
            longer[row, column] = rows[row, column]
    return longer


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
def _sum_up_days(totals: FloatArray, day_values: FloatArray, days: IntArray, initial_cash: float) -> None:
    """Daily returns: mean and squares by Welford's recurrence, days without candles as returns of 0 (Chan).

    From an account at 0 on, returns are 0.
    """
    before = initial_cash
    count = 0.0
    mean = 0.0
    squares = 0.0
    downside = 0.0
    for day in range(days.shape[0]):
        value = day_values[day]
        day_return = value / before - 1.0 if before > 0.0 else 0.0
        before = value
        count += 1.0
        step = day_return - mean
        mean += step / count
        squares += step * (day_return - mean)
        downside += min(day_return, 0.0) ** 2
        empty = days[day + 1] - days[day] - 1.0 if day + 1 < days.shape[0] else 0.0
        if empty > 0.0:
            squares += mean * mean * count * empty / (count + empty)
            mean *= count / (count + empty)
            count += empty
    totals[DAY_COUNT] = count
    totals[DAY_MEAN] = mean
    totals[DAY_SQUARES] = squares
    totals[DOWNSIDE_SQUARES] = downside


@compiled
def day_ends(open_time_ms: IntArray, interval_ms: int) -> tuple[IntArray, IntArray]:
    """Each UTC day that has candles, counted from 1970, and the bar after its last one.

    As bars are at least `interval_ms` apart, the next day begins no later than so many bars on: two looks a day where
    no candle is missing.
    """
    n_bars = open_time_ms.shape[0]
    days = np.empty(n_bars, dtype=np.int64)
    ends = np.empty(n_bars, dtype=np.int64)
    n_days = 0
    bar = 0
    while bar < n_bars:
        day = open_time_ms[bar] // DAY_MS
        left_ms = (day + 1) * DAY_MS - open_time_ms[bar]
        bar = n_bars if interval_ms == 0 else min(bar + (left_ms + interval_ms - 1) // interval_ms, n_bars)
        while open_time_ms[bar - 1] >= (day + 1) * DAY_MS:
            bar -= 1
        days[n_days] = day
        ends[n_days] = bar
        n_days += 1
    return days[:n_days], ends[:n_days]


@compiled_for_numbers
def _extremes(
    low: FloatArray, high: FloatArray, first: int, end: int, lowest: float, highest: float
) -> tuple[float, float]:
    """The lowest and the highest price so far, carried on over a stretch of bars."""
    for bar in range(
        np.uint64(first), np.uint64(end)
    ):  # unsigned: an index that can't be negative needs no check
        lowest = min(lowest, low[bar])
        highest = max(highest, high[bar])
    return lowest, highest


@compiled
def _value_stretch(
    close: FloatArray,
    equity: FloatArray,
    first: int,
    end: int,
    cash: float,
    units: float,
    peak: float,
    worst_value: float,
    max_drawdown: float,
) -> tuple[float, float, float]:
    """Value the account at the closes of a stretch of bars; carry the peak and the deepest drawdown on.

    `worst_value` is the value below which the drawdown exceeds `max_drawdown`: no division on most bars.
    """
    keep = equity.shape[0] > 0
    if keep and units == 0.0:
        for bar in range(np.uint64(first), np.uint64(end)):
            equity[bar] = cash
    last = end if units != 0.0 else first + 1
    for bar in range(first, last):
        value = cash + units * close[bar]
        if keep:
            equity[bar] = value
        if value > peak:
            peak = value
            worst_value = peak * (1.0 - max_drawdown)
        elif value < worst_value:
            max_drawdown = 1.0 - value / peak
            worst_value = value
    return peak, worst_value, max_drawdown


@compiled
def _next_flag(flags: Flags, wanted: int, bar: int, end: int) -> int:
    """The first bar from `bar` on that says one of the wanted things, else `end`; looks at blocks of bars first."""
    while bar + BLOCK <= end:
        said = np.uint8(0)
        for offset in range(BLOCK):
            said |= flags[np.uint64(bar) + np.uint64(offset)]
        if said & wanted:
            break
        bar += BLOCK
    while bar < end and flags[bar] & wanted == 0:
        bar += 1
    return bar


@compiled
def _next_event(
    bar: int,
    due_bar: int,
    side: int,
    flags: Flags,
    wanted: int,
    watch_prices: bool,
    want_extremes: bool,
    high: FloatArray,
    low: FloatArray,
    highest: float,
    lowest: float,
    stop: float,
    target: float,
    trail: float,
    ruin: float,
) -> tuple[int, bool, float, float]:
    """The first bar from `bar` on that can change the position, the number of bars if none does.

    Also whether a price level is touched inside it (else its close decides something), and the highest and lowest
    price of the position until then: without the bar that is touched, with the bar whose close decides.
    """
    n_bars = flags.shape[0]
    if side == 0 or not watch_prices:
        first = bar
        bar = _next_flag(flags, wanted, bar, min(due_bar, n_bars))
        end = min(bar + 1, n_bars)
        if side != 0 and want_extremes:
            lowest, highest = _extremes(low, high, first, end, lowest, highest)
        return bar, False, highest, lowest
    while bar < n_bars:
        if side > 0 and (low[bar] <= max(stop, highest - trail) or high[bar] >= target):
            return bar, True, highest, lowest
        if side < 0 and (high[bar] >= min(stop, lowest + trail, ruin) or low[bar] <= target):
            return bar, True, highest, lowest
        highest = max(highest, high[bar])
        lowest = min(lowest, low[bar])
        if flags[bar] & wanted or bar >= due_bar:
            break
        bar += 1
    return bar, False, highest, lowest


@compiled
def _exit_inside(
    side: int,
    open_: float,
    high: float,
    low: float,
    highest: float,
    lowest: float,
    stop: float,
    target: float,
    trail: float,
    ruin: float,
) -> tuple[float, int]:
    """Price and reason of the exit inside a bar that touches a level.

    A bar that opens beyond a level is left at its open; when it touches stop and target, the stop counts.
    """
    if side > 0:
        trail_stop = highest - trail
        level = max(stop, trail_stop)
        reason = STOP_LOSS if stop >= trail_stop else TRAILING_STOP
        if open_ <= level:
            return open_, reason
        if open_ >= target:
            return open_, TAKE_PROFIT
        if low <= level:
            return level, reason
    else:
        trail_stop = lowest + trail
        level = min(stop, trail_stop, ruin)
        reason = STOP_LOSS if stop <= trail_stop else TRAILING_STOP
        if ruin <= level:
            reason = LIQUIDATION
        if open_ >= level:
            return open_, reason
        if open_ <= target:
            return open_, TAKE_PROFIT
        if high >= level:
            return level, reason
    return target, TAKE_PROFIT


@compiled
def _decision(side: int, signal: int, is_due: bool) -> tuple[bool, int, int]:
    """What a bar's close decides: whether to leave the position, why, and which side to enter."""
    enter_side = 0
    if side <= 0 and signal & ENTER_LONG:
        enter_side = 1
    elif side >= 0 and signal & ENTER_SHORT:
        enter_side = -1
    if side == 0:
        return False, SIGNAL, enter_side
    if enter_side != 0 or signal & (EXIT_LONG if side > 0 else EXIT_SHORT):
        return True, SIGNAL, enter_side
    return is_due, MAX_HOLDING, 0


@compiled
def simulate(  # noqa: C901 - one account in local variables: a call per bar would cost more than the bar
    open_: FloatArray,
    high: FloatArray,
    low: FloatArray,
    close: FloatArray,
    days: IntArray,
    ends: IntArray,
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

    Bars on which nothing can change the position are only searched and valued. A bar is searched first for a
    touched price level, then for what its close decides; a bar left inside is searched again, now while flat.

    Parameters
    ----------
    open_, high, low, close : (n_bars,) float64
        The candles, checked; at least one.
    days, ends : (n_days,) int64
        What `day_ends` returns for the candles.
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
    totals = np.zeros(TOTALS)
    trades = np.empty((64 if keep_trades else 1, TRADE_COLUMNS))
    n_trades = 0
    day_values = np.empty(ends.shape[0])
    day = 0

    cash = initial_cash
    peak = initial_cash
    worst_value = initial_cash
    max_drawdown = 0.0
    bars_held = 0

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
    long_has_levels = stop_loss < np.inf or take_profit < np.inf or trailing_stop < np.inf

    valued = 0  # bars before this one are valued
    bar = 0  # bars before this one are decided
    while True:
        if side == 0:
            wanted = allowed & (ENTER_LONG | ENTER_SHORT)
            bar = min(max(bar, rest_until), n_bars)
        else:
            wanted = allowed & (EXIT_LONG | ENTER_SHORT if side > 0 else EXIT_SHORT | ENTER_LONG)
        watch_prices = side < 0 or long_has_levels
        bar, is_touched, highest, lowest = _next_event(
            bar,
            due_bar,
            side,
            flags,
            wanted,
            watch_prices,
            keep_trades,
            high,
            low,
            highest,
            lowest,
            stop,
            target,
            trail,
            ruin,
        )

        fill_bar = n_bars
        price = 0.0
        leave = False
        reason = SIGNAL
        enter_side = 0
        if is_touched:
            leave = True
            fill_bar = bar
            price, reason = _exit_inside(
                side, open_[bar], high[bar], low[bar], highest, lowest, stop, target, trail, ruin
            )
            # Of this bar only the open certainly came before the exit.
            highest = max(highest, open_[bar])
            lowest = min(lowest, open_[bar])
        elif bar < n_bars:
            leave, reason, enter_side = _decision(side, flags[bar] & allowed, bar >= due_bar)
            fill_bar = bar if same_close else bar + 1
            bar += 1
            if fill_bar < n_bars:
                price = close[fill_bar] if same_close else open_[fill_bar]

        if fill_bar > valued:
            peak, worst_value, max_drawdown = _value_stretch(
                close, equity, valued, fill_bar, cash, units, peak, worst_value, max_drawdown
            )
            if side != 0:
                bars_held += fill_bar - valued
            while day < ends.shape[0] and ends[day] <= fill_bar:
                day_values[day] = cash + units * close[ends[day] - 1]
                day += 1
            valued = fill_bar
        if fill_bar == n_bars:
            break

        if leave:
            fill, fee, cash, reason = _exit(
                side, price, reason, size, cash, fee_rate, fixed_fee, slippage_rate
            )
            pnl = cash - entry_cash
            _add_trade(totals, pnl)
            if keep_trades:
                if n_trades == trades.shape[0]:
                    trades = _longer(trades)
                row = trades[n_trades]
                fees = entry_fee + fee
                _write_trade(
                    row, side, entry_bar, fill_bar, entry, fill, size, pnl, fees, reason, highest, lowest
                )
                n_trades += 1
            if reason == LIQUIDATION:
                totals[LIQUIDATED] = 1.0
            if reason in (STOP_LOSS, TRAILING_STOP):
                rest_until = fill_bar + cooldown_bars
            side = 0
            size = 0.0
            units = 0.0
            due_bar = NEVER

        if enter_side != 0:
            fill, size, fee = _entry(
                enter_side, price, cash, fee_rate, fixed_fee, slippage_rate, equity_fraction, fixed_cash
            )
            if size > 0.0:
                side = enter_side
                units = side * size
                entry = fill
                entry_bar = fill_bar
                entry_fee = fee
                entry_cash = cash
                cash -= units * fill + fee
                highest = fill
                lowest = fill
                # Not `fill * (1 + x)`: with one rounding less, 10 % above 100 is the 110 that a high touches.
                stop = fill - side * (fill * stop_loss)
                target = fill + side * (fill * take_profit)
                trail = fill * trailing_stop
                ruin = cash / size if side < 0 else np.inf
                if max_holding_bars < NEVER:
                    due_bar = fill_bar + max_holding_bars - (0 if same_close else 1)

    value = cash + units * close[n_bars - 1]
    _sum_up_days(totals, day_values, days, initial_cash)
    totals[FINAL_EQUITY] = value
    totals[MAX_DRAWDOWN] = max_drawdown
    totals[BARS_HELD] = bars_held
    open_trade = np.zeros(TRADE_COLUMNS)
    if side != 0:
        price = close[n_bars - 1]
        pnl = value - entry_cash
        _write_trade(
            open_trade,
            side,
            entry_bar,
            n_bars - 1,
            entry,
            price,
            size,
            pnl,
            entry_fee,
            SIGNAL,
            highest,
            lowest,
        )
    return totals, trades[:n_trades], open_trade
