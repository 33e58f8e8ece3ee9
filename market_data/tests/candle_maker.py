"""Candles for tests: small, legal, and different from each other."""

import numpy as np

from market_data.candles import Candles, FloatArray
from market_data.intervals import HOUR_MS

START_MS = 1_704_067_200_000  # 2024-01-01 00:00 UTC


def make_candles(count: int, *, start_ms: int = START_MS, step_ms: int = HOUR_MS, seed: int = 1) -> Candles:
    """`count` candles without gaps, with prices of two decimals around 100."""
    return candles_at(start_ms + step_ms * np.arange(count, dtype=np.int64), seed=seed)


def candles_at(times: np.ndarray, *, seed: int = 1) -> Candles:
    """Candles that open at these times."""
    random = np.random.default_rng(seed)
    count = len(times)
    close: FloatArray = np.round(100.0 + np.cumsum(random.normal(0, 0.3, count)).clip(-60, 60), 2)
    opened = np.round(close + random.normal(0, 0.1, count), 2)
    high = np.round(np.maximum(opened, close) + random.random(count), 2)
    low = np.round(np.minimum(opened, close) - random.random(count), 2)
    return Candles(times.astype(np.int64), opened, high, low, close, np.round(random.random(count) * 1000, 3))


def without(candles: Candles, *bars: int) -> Candles:
    """Candles with a few taken out."""
    kept = np.delete(np.arange(len(candles)), bars)
    return Candles(*(getattr(candles, name)[kept] for name in Candles.__slots__))


def same(one: Candles, other: Candles) -> bool:
    """Whether both hold the same candles, bit for bit."""
    return all(getattr(one, name).tobytes() == getattr(other, name).tobytes() for name in Candles.__slots__)
