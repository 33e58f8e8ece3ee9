"""A strategy that takes its time, for tests and benchmarks that want runs to last."""

import time
from typing import Any

from backtests.engine.signals import Signals
from backtests.strategies.parameters import bars, number
from backtests.strategies.rsi import Rsi, RsiParameters
from backtests.strategies.strategy import Shared
from market_data.candles import Candles

MODULE = __name__


class PacedParameters(RsiParameters):
    """Parameters of `PacedRsi`."""

    every_ms: float = number(
        0.0, "Pace", "A worker process decides no more often than this.", lowest=0, highest=60_000, unit="ms"
    )
    variant: int = bars(
        1, "Variant", "Changes nothing: another one is computed anew.", lowest=1, highest=10**9
    )


class PacedRsi(Rsi):
    """RSI at a steady pace: so many times a second with so many worker processes, however fast they are."""

    name = "paced_rsi"
    title = "Paced RSI"
    description = "The relative strength index, no faster than asked for."
    Parameters = PacedParameters

    def __init__(self) -> None:
        self._next_at = 0.0

    def decide(self, candles: Candles, parameters: Any, shared: Shared) -> Signals:
        now = time.monotonic()
        time.sleep(max(self._next_at - now, 0.0))
        self._next_at = max(self._next_at, now) + parameters.every_ms / 1000
        return super().decide(candles, parameters, shared)
