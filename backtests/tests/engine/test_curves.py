"""Long curves with few points."""

import numpy as np
import pytest

from backtests.engine.curves import chosen_bars, downsample, sparkline
from backtests.engine.errors import EngineError


def walk(n_bars: int, seed: int = 0) -> np.ndarray:
    return 100.0 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.01, n_bars)))


@pytest.mark.parametrize("n_bars", [1, 2, 63, 64, 65, 499, 500, 501, 502, 1_000, 43_800])
@pytest.mark.parametrize("max_points", [4, 64, 500])
def test_first_last_and_extremes_are_kept_and_values_are_exact(n_bars: int, max_points: int):
    values = walk(n_bars)
    times = np.arange(n_bars, dtype=np.int64)

    chosen_times, chosen = downsample(times, values, max_points)

    assert len(chosen) <= max_points
    assert (np.diff(chosen_times) > 0).all()
    assert chosen.tolist() == values[chosen_times].tolist()
    assert (chosen_times[0], chosen_times[-1]) == (0, n_bars - 1)
    assert (chosen.min(), chosen.max()) == (values.min(), values.max())


def test_a_short_curve_is_kept_whole():
    assert chosen_bars(walk(500), 500).tolist() == list(range(500))


def test_a_constant_curve_keeps_its_ends():
    assert sparkline(np.full(1_000, 5.0))[0] == 5.0
    assert len(sparkline(np.full(1_000, 5.0))) <= 64


def test_a_sparkline_is_a_list_of_numbers():
    line = sparkline(walk(10_000))
    assert len(line) <= 64
    assert all(type(value) is float for value in line)


def test_too_few_points_are_refused():
    with pytest.raises(EngineError, match="max_points must be at least 4, not 3"):
        chosen_bars(walk(10), 3)
