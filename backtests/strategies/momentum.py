"""Momentum: what has risen goes on rising."""

from backtests.engine.indicators.momentum import roc
from backtests.engine.signals import Signals
from backtests.strategies.conditions import beyond
from backtests.strategies.parameters import StrategyParameters, bars, number
from backtests.strategies.strategy import Shared, Strategy
from backtests.strategies.strength import THRESHOLD_UNIT, thresholds
from market_data.candles import Candles, FloatArray


class MomentumParameters(StrategyParameters):
    """Parameters of `Momentum`."""

    period: int = bars(72, "Period", "Bars over which the change is measured.", lowest=1)
    threshold: float = number(
        5.0, "Threshold", "Rise that enters, fall that leaves.", lowest=0, highest=1000, unit="%"
    )


class Momentum(Strategy):
    """Enters long while the rate of change is above `threshold`, leaves while below −`threshold`.

    Shorts mirror that. Jegadeesh and Titman, "Returns to Buying Winners and Selling Losers" (1993), on one
    series. Acts on the level. Warm-up: `period` bars.
    """

    name = "momentum"
    title = "Momentum"
    description = "Buys what has risen by more than a threshold, sells what has fallen by more than it."
    acts_on = "level"
    strength_unit = THRESHOLD_UNIT
    version = "1"
    Parameters = MomentumParameters

    def look_back_bars(self, parameters: MomentumParameters) -> int:
        return parameters.period

    def decide(self, candles: Candles, parameters: MomentumParameters, shared: Shared) -> Signals:
        change = shared(roc, candles.close, parameters.period)
        return Signals(beyond(change, -parameters.threshold, parameters.threshold, True))

    def strength(self, candles: Candles, parameters: MomentumParameters, shared: Shared) -> FloatArray:
        return thresholds(shared(roc, candles.close, parameters.period), parameters.threshold)
