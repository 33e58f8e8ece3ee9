"""Real series for the engine's tests."""

import warnings
from collections.abc import Callable
from dataclasses import fields
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from market_data.candles import Candles


def _series(path: Path) -> Candles:
    table = pq.read_table(path)
    columns = {name: table[name].to_numpy() for name in table.column_names}
    times = columns["datetime"].astype("datetime64[ms]").astype(np.int64)
    values = (np.array(columns[field.name], dtype=np.float64) for field in fields(Candles)[1:])
    return Candles(times, *values)


_cached_series = cache(_series)


@pytest.fixture(scope="session")
def real_series_names(candles_dir: Path) -> list[Path]:
    """Files of all real series, hourly ones first."""
    folders = (candles_dir / name for name in ("spot_1h", "spot_1d"))
    return [path for folder in folders for path in sorted(folder.glob("*.parquet"))]


@pytest.fixture(scope="session")
def load_real_series() -> Callable[[Path], Candles]:
    """Reads one file."""
    return _cached_series


@pytest.fixture(scope="session")
def goog() -> Candles:
    """Daily candles of GOOG, 2004 to 2013, as backtesting.py ships them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from backtesting.test import GOOG
    times = GOOG.index.to_numpy().astype("datetime64[ms]").astype(np.int64)
    columns = (GOOG[field.name.capitalize()] for field in fields(Candles)[1:])
    return Candles(times, *(column.to_numpy(dtype=np.float64).copy() for column in columns))
