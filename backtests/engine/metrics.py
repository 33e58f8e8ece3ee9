"""What a backtest amounts to, in numbers. The kernel sums up in one pass; this module derives the metrics."""

import math
from dataclasses import dataclass

from backtests.engine import kernel
from market_data.candles import FloatArray

DAY_MS = 86_400_000
YEAR_MS = 365.25 * DAY_MS
DAYS_A_YEAR = 365.0


@dataclass(frozen=True, slots=True)
class Metrics:
    """Metrics of one backtest; None where a metric is undefined or not finite. Fractions are fractions.

    Daily returns are those of the equity at the end of each UTC day, carried forward over days without
    candles; before the first day it is `initial_cash`.

    Attributes
    ----------
    final_equity : float
        Account value at the last close, in quote currency; an open position is marked at that close.
    total_return : float
        `final_equity / initial_cash − 1`.
    cagr : float or None
        Compound annual growth rate, `(final_equity / initial_cash) ^ (365.25 days / elapsed) − 1`, elapsed
        from the first open to the last close; None under one day, −1 at zero equity.
    volatility : float or None
        `std(daily, ddof=1) · √365`.
    sharpe : float or None
        `mean(daily) / std(daily, ddof=1) · √365`, risk-free rate 0 (Sharpe 1994, "The Sharpe Ratio").
    sortino : float or None
        `mean(daily) · √365 / √mean(min(daily, 0)²)`, target 0 (Sortino and Price 1994).
    max_drawdown : float
        `max(1 − equity / running peak)` per bar, the peak starting at `initial_cash`.
    calmar : float or None
        `cagr / max_drawdown` (Young 1991), over the whole range.
    trade_count : int
        Closed trades.
    win_rate : float or None
        Closed trades with `pnl > 0` / closed trades.
    profit_factor : float or None
        `Σ positive pnl / |Σ negative pnl|`.
    expectancy : float or None
        `mean(pnl)` of closed trades, in quote currency.
    sqn : float or None
        System quality number, `√n · mean(pnl) / std(pnl, ddof=1)` for at least two trades (Tharp 2006).
    exposure : float
        Bars with a position at their close / bars.
    buy_hold_return : float
        `close[-1] / open[0] − 1` over the range, without costs.
    liquidated : bool
        Whether a short used up the account.
    """

    final_equity: float
    total_return: float
    cagr: float | None
    volatility: float | None
    sharpe: float | None
    sortino: float | None
    max_drawdown: float
    calmar: float | None
    trade_count: int
    win_rate: float | None
    profit_factor: float | None
    expectancy: float | None
    sqn: float | None
    exposure: float
    buy_hold_return: float
    liquidated: bool


def metrics_of(
    totals: FloatArray, *, initial_cash: float, n_bars: int, elapsed_ms: int, buy_hold_return: float
) -> Metrics:
    """Derive the metrics from the kernel's totals.

    Parameters
    ----------
    totals : (kernel.TOTALS,) float64
        What `kernel.simulate` summed up.
    initial_cash : float
        Account value before the first bar.
    n_bars : int
        Bars of the range.
    elapsed_ms : int
        From the first bar's open to the last bar's close.
    buy_hold_return : float
        Growth of the price over the range.
    """
    total: list[float] = totals.tolist()
    growth = total[kernel.FINAL_EQUITY] / initial_cash
    cagr = _cagr(growth, elapsed_ms)
    days, day_mean = total[kernel.DAY_COUNT], total[kernel.DAY_MEAN]
    day_deviation = _deviation(total[kernel.DAY_SQUARES], days)
    trades, pnl_mean = total[kernel.TRADE_COUNT], total[kernel.PNL_MEAN]
    year = math.sqrt(DAYS_A_YEAR)
    return Metrics(
        final_equity=total[kernel.FINAL_EQUITY],
        total_return=growth - 1.0,
        cagr=cagr,
        volatility=None if day_deviation is None else day_deviation * year,
        sharpe=_ratio(day_mean * year, day_deviation),
        sortino=_ratio(day_mean * year, math.sqrt(total[kernel.DOWNSIDE_SQUARES] / days)),
        max_drawdown=total[kernel.MAX_DRAWDOWN],
        calmar=_ratio(cagr, total[kernel.MAX_DRAWDOWN]),
        trade_count=int(trades),
        win_rate=_ratio(total[kernel.WIN_COUNT], trades),
        profit_factor=_ratio(total[kernel.GROSS_PROFIT], total[kernel.GROSS_LOSS]),
        expectancy=pnl_mean if trades else None,
        sqn=_ratio(math.sqrt(trades) * pnl_mean, _deviation(total[kernel.PNL_SQUARES], trades)),
        exposure=total[kernel.BARS_HELD] / n_bars,
        buy_hold_return=buy_hold_return,
        liquidated=bool(total[kernel.LIQUIDATED]),
    )


def _cagr(growth: float, elapsed_ms: int) -> float | None:
    if elapsed_ms < DAY_MS:
        return None
    try:
        return growth ** (YEAR_MS / elapsed_ms) - 1.0
    except OverflowError:
        return None


def _deviation(squares: float, count: float) -> float | None:
    """Sample standard deviation from the sum of squared differences."""
    return math.sqrt(squares / (count - 1.0)) if count >= 2.0 else None


def _ratio(numerator: float | None, denominator: float | None) -> float | None:
    if numerator is None or not denominator:
        return None
    ratio = numerator / denominator
    return ratio if math.isfinite(ratio) else None
