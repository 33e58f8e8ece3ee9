"""Made-up candles for warming up and for checks: a random walk, the same for the same seed."""

import numpy as np

from market_data.candles import Candles

HOUR_MS = 3_600_000
START_MS = 1_609_459_200_000  # 2021-01-01
GAP_BARS = 7


def random_walk(n_bars: int, *, seed: int = 0, interval_ms: int = HOUR_MS) -> Candles:
    """Candles of a price without a trend, 1 % a bar, with some hours missing in the middle."""
    random = np.random.default_rng(seed)
    close = 100.0 * np.exp(np.cumsum(random.normal(0.0, 0.01, n_bars)))
    open_ = np.concatenate(([100.0], close[:-1])) * np.exp(random.normal(0.0, 0.001, n_bars))
    high = np.maximum(open_, close) * np.exp(np.abs(random.normal(0.0, 0.005, n_bars)))
    low = np.minimum(open_, close) * np.exp(-np.abs(random.normal(0.0, 0.005, n_bars)))
    bars = np.arange(n_bars, dtype=np.int64)
    bars[n_bars // 2 :] += GAP_BARS
    return Candles(START_MS + bars * interval_ms, open_, high, low, close, random.uniform(1.0, 9.0, n_bars))
