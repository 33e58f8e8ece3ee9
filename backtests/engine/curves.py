"""Long curves with few points: exact values at chosen bars, extremes kept."""

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
    n_bars = len(values)
    if n_bars <= max_points:
        return np.arange(n_bars)
    stretches = (max_points - 2) // 2
    edges = np.linspace(1, n_bars - 1, stretches + 1).astype(np.int64)
    return np.unique(np.concatenate(([0], _extreme_bars(values, edges), [n_bars - 1])))


@compiled
def _extreme_bars(values: FloatArray, edges: IntArray) -> IntArray:
    """The bar of the lowest and of the highest value between each two edges."""
    bars = np.empty(2 * (edges.shape[0] - 1), dtype=np.int64)
    for stretch in range(edges.shape[0] - 1):
        low = edges[stretch]
        high = edges[stretch]
        for bar in range(edges[stretch], edges[stretch + 1]):
            if values[bar] < values[low]:
                low = bar
            if values[bar] > values[high]:
                high = bar
        bars[2 * stretch] = low
        bars[2 * stretch + 1] = high
    return bars


def downsample(
    open_time_ms: IntArray, values: FloatArray, max_points: int = 500
) -> tuple[IntArray, FloatArray]:
    """Times and exact values of a curve at no more than `max_points` bars: see `chosen_bars`."""
    bars = chosen_bars(values, max_points)
    return open_time_ms[bars], values[bars]


def sparkline(values: FloatArray, max_points: int = 64) -> list[float]:
    """A curve as a short list of its own values, first and last included: a drawing the size of a word."""
    return values[chosen_bars(values, max_points)].tolist()
