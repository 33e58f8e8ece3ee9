"""How long recursive indicators remember where the data began."""

import math

FORGOTTEN = 1e-9
"""An initial value with less weight than this no longer counts."""


def bars_until_forgotten(smoothing: float) -> int:
    """Bars after which an exponential average, its newest value weighing `smoothing`, forgot its start."""
    if smoothing >= 1.0:
        return 1
    return math.ceil(math.log(FORGOTTEN) / math.log1p(-smoothing))
