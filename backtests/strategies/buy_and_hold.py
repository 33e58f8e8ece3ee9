"""Buy and hold: what every other strategy has to beat."""

import numpy as np

from backtests.engine.signals import ENTER_LONG, Signals
from backtests.strategies.parameters import StrategyParameters
from backtests.strategies.strategy import Shared, Strategy
from market_data.candles import Candles


class BuyAndHold(Strategy):
    """Enters long whenever flat and never leaves.

    Acts on the level: after a stop, if one is set, it enters again. No look-back, no warm-up.
    """

    name = "buy_and_hold"
    title = "Buy and hold"
    description = "Buys at the first opportunity and never sells."
    acts_on = "level"
    version = "1"

    def look_back_bars(self, parameters: StrategyParameters) -> int:
        return 0

    def decide(
        self,
        candles: Candles,
        parameters: StrategyParameters,
        shared: Shared,
    ) -> Signals:
        return Signals(np.full(len(candles), ENTER_LONG, dtype=np.uint8))
