"""The array that an indicator fills."""

import numpy as np

from backtests.engine.compiled import compiled
from market_data.candles import FloatArray


@compiled
def blank(n_bars: int, first_valid: int) -> FloatArray:
    """NaN before `first_valid`; what comes after is for the caller to write. `np.full` takes longer to compile."""
    values = np.empty(n_bars)
    for bar in range(min(first_valid, n_bars)):
        values[bar] = np.nan
    return values
