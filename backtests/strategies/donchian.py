"""Donchian channel: a new high starts a trend, a new low ends it."""

import numpy as np

from backtests.engine.indicators.volatility import highest, lowest
from backtests.engine.signals import Signals
from backtests.strategies.conditions import range_breaks
from backtests.strategies.parameters import StrategyParameters, bars
from backtests.strategies.strategy import Shared, Strategy
from backtests.strategies.strength import THRESHOLD_UNIT, thresholds
from market_data.candles import Candles, FloatArray


class DonchianParameters(StrategyParameters):
    """Parameters of `Donchian`."""

    entry: int = bars(48, "Entry channel", "Enters beyond the extreme of this many bars.", lowest=1)
    leave: int = bars(24, "Exit channel", "Leaves beyond the opposite extreme of this many bars.", lowest=1)


class Donchian(Strategy):
    """Enters long above the high of the `entry` bars before, leaves below the low of the `leave` bars before.

    Shorts mirror that. Donchian's rule as the Turtles traded it (Faith, "Way of the Turtle", 2007), judged at
    the close. Acts on the level. Warm-up: the longer of both channels.
    """

    name = "donchian"
    title = "Donchian breakout"
    description = (
        "Buys a close above the highest price of many bars, sells a close below the lowest of fewer."
    )
    acts_on = "level"
    strength_unit = THRESHOLD_UNIT
    version = "1"
    Parameters = DonchianParameters

    def look_back_bars(self, parameters: DonchianParameters) -> int:
        return max(parameters.entry, parameters.leave)

    def decide(self, candles: Candles, parameters: DonchianParameters, shared: Shared) -> Signals:
        return Signals(
            range_breaks(
                candles.close,
                shared(highest, candles.high, parameters.entry),
                shared(lowest, candles.low, parameters.entry),
                shared(highest, candles.high, parameters.leave),
                shared(lowest, candles.low, parameters.leave),
            )
        )

    def strength(self, candles: Candles, parameters: DonchianParameters, shared: Shared) -> FloatArray:
        """From the middle of the entry channel of the bars before to its edges."""
        high = shared(highest, candles.high, parameters.entry)
        low = shared(lowest, candles.low, parameters.entry)
        middle, half = (high + low) / 2.0, (high - low) / 2.0
        strength = np.full(len(candles), np.nan)
        strength[1:] = thresholds(candles.close[1:] - middle[:-1], half[:-1])
        return strength
