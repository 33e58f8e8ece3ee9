"""How long recursive indicators remember where the data began."""

import math

FORGOTTEN = 1e-9
"""An initial value with less weight than this no longer counts."""


def bars_until_forgotten(smoothing: float) -> int:
    """Bars until an exponential average with this weight of the newest value has forgotten its start."""
    if smoothing >= 1.0:
        return 1
    return math.ceil(math.log(FORGOTTEN) / math.log1p(-smoothing))


def bars_until_ema_forgotten(period: int) -> int:
    """The same for `ema(values, period)`."""
    return bars_until_forgotten(2.0 / (period + 1.0))
