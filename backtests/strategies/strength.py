"""How far a strategy leans, in units of its own entry threshold or of the price."""

import numpy as np

from market_data.candles import FloatArray

THRESHOLD_UNIT = "× entry threshold"
"""1 where a long is entered, −1 where a short is; 2 at twice that distance from the neutral value."""
PRICE_UNIT = "% of the price"
"""Distance of the lines whose cross is the signal, 0 at the cross."""


def thresholds(distance: FloatArray, threshold: FloatArray | float) -> FloatArray:
    """`distance / threshold`; NaN where the threshold is no distance."""
    result = np.full(len(distance), np.nan)
    np.divide(distance, threshold, out=result, where=np.asarray(threshold) > 0.0)
    return result


def percent_of_price(distance: FloatArray, close: FloatArray) -> FloatArray:
    """`100 · distance / close`."""
    return 100.0 * distance / close
