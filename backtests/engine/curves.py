"""Curves of an account: drawdown, months, and long ones with few points: exact values at chosen bars, extremes kept."""

import numpy as np

from backtests.engine.compiled import compiled
from backtests.engine.errors import EngineError
from market_data.candles import FloatArray, IntArray


def chosen_bars(values: FloatArray, max_points: int) -> IntArray:
    """Bars that show a curve's shape: first, last, and the lowest and highest of equal stretches between.

    Parameters
    ----------
    values : (n_bars,) float64
        The curve, at least one bar.
    max_points : int
        At most this many bars are chosen; at least 4.

    Returns
    -------
    (n_chosen,) int64
        Rising, without repeats; all bars when there are no more than `max_points`.
    """
    if max_points < 4:
        raise EngineError(f"max_points must be at least 4, not {max_points}")
    if len(values) <= max_points:
        return np.arange(len(values))
    return _ends_and_extremes(values, (max_points - 2) // 2)


@compiled
def _ends_and_extremes(values: FloatArray, stretches: int) -> IntArray:
    """The first and the last bar, and those of the lowest and of the highest value in each stretch between them."""
    last = values.shape[0] - 1
    bars = np.empty(2 * stretches + 2, dtype=np.int64)
    bars[0] = 0
    count = 1
    for stretch in range(stretches):
        start = 1 + (last - 1) * stretch // stretches
        low = start
        high = start
        for bar in range(start, 1 + (last - 1) * (stretch + 1) // stretches):
            if values[bar] < values[low]:
                low = bar
            if values[bar] > values[high]:
                high = bar
        bars[count] = min(low, high)
        count += 1
        if low != high:
            bars[count] = max(low, high)
            count += 1
    bars[count] = last
    return bars[: count + 1]


def downsample(
    open_time_ms: IntArray, values: FloatArray, max_points: int = 500
) -> tuple[IntArray, FloatArray]:
    """Times and exact values of a curve at no more than `max_points` bars: see `chosen_bars`."""
    bars = chosen_bars(values, max_points)
    return open_time_ms[bars], values[bars]


def sparkline(values: FloatArray, max_points: int = 64) -> list[float]:
    """A curve as a short list of its own values, first and last included: a drawing the size of a word."""
    return values[chosen_bars(values, max_points)].tolist()


def drawdowns(equity: FloatArray, initial_cash: float) -> FloatArray:
    """Fractional loss from the running peak at each bar.

    Parameters
    ----------
    equity : (n_bars,) float64
        Account value at each bar's close, in quote currency; never negative.
    initial_cash : float
        Account value before the first bar, above 0; the first peak.

    Returns
    -------
    (n_bars,) float64
        0.0 at every new peak, 0.25 when 25 % below it, 1.0 when everything is lost.
    """
    return 1.0 - equity / np.maximum(np.maximum.accumulate(equity), initial_cash)


def monthly_returns(
    open_time_ms: IntArray, equity: FloatArray, initial_cash: float
) -> list[tuple[str, float | None]]:
    """Growth of an account over calendar months in UTC, from the last bar of one month to that of the next.

    Parameters
    ----------
    open_time_ms : (n_bars,) int64
        Open times, rising; a bar belongs to the month it opens in.
    equity : (n_bars,) float64
        Account value at each bar's close.
    initial_cash : float
        Account value before the first bar.

    Returns
    -------
    list of (month, return)
        For example ("2021-04", 0.1); months without bars are left out; None where nothing was left to grow.
    """
    months = open_time_ms.astype("datetime64[ms]").astype("datetime64[M]")
    lasts = np.append(np.flatnonzero(months[1:] != months[:-1]), len(months) - 1)
    values = equity[lasts]
    before = np.concatenate([[initial_cash], values[:-1]])
    return [
        (str(month), float(value / start) - 1.0 if start > 0.0 else None)
        for month, value, start in zip(months[lasts], values, before, strict=True)
    ]
