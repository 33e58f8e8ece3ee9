"""What a scan is to do, once validated: the spec of a run of kind `scan`."""

from dataclasses import dataclass

from backtests.engine.execution import Direction
from backtests.spec import StrategySpec, strategy_fields, to_ms
from market_data.intervals import INTERVAL_MS
from workers.handlers import Spec

SCAN_FIELDS = ("direction", "within_bars")
DEFAULT_HIT = "enter == 1 and bars_behind <= 1"
"""An entry now; of cryptocurrencies whose candles ended long ago it is none."""


@dataclass(frozen=True)
class ScanSpec(StrategySpec):
    """A strategy at the latest candles that were closed at `until_ms`."""

    until_ms: int
    direction: Direction
    within_bars: int

    @classmethod
    def parse(cls, spec: Spec) -> "ScanSpec":
        """Read a run's spec, which was validated when the run was created."""
        return cls(
            **strategy_fields(spec),
            until_ms=to_ms(spec["until"]),
            **{name: spec[name] for name in SCAN_FIELDS},
        )

    @property
    def interval_ms(self) -> int:
        return INTERVAL_MS[self.interval]

    @property
    def end_ms(self) -> int:
        """Candles that open before this were closed at `until_ms`."""
        return self.until_ms - self.interval_ms + 1
