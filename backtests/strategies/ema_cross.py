"""Crossing of two exponential moving averages: follow the trend, recent prices first."""

from typing import Self

from pydantic import model_validator

from backtests.engine.indicators.averages import ema
from backtests.engine.signals import Signals
from backtests.strategies.conditions import crossings
from backtests.strategies.memory import bars_until_ema_forgotten
from backtests.strategies.parameters import StrategyParameters, bars, check_below
from backtests.strategies.strategy import Shared, Strategy
from backtests.strategies.strength import PRICE_UNIT, percent_of_price
from market_data.candles import Candles, FloatArray


class EmaCrossParameters(StrategyParameters):
    """Parameters of `EmaCross`."""

    fast: int = bars(12, "Fast average", "Bars of the fast average.", lowest=1)
    slow: int = bars(26, "Slow average", "Bars of the slow average.")

    @model_validator(mode="after")
    def _averages_in_order(self) -> Self:
        check_below("fast", self.fast, "slow", self.slow)
        return self


class EmaCross(Strategy):
    """Enters long when the fast average crosses above the slow one, leaves when below; shorts mirror that.

    Exponential averages weigh the newest close `2 / (period + 1)`; see Murphy (1999), chapter 9. Acts on the
    cross. Averages exist after `slow` bars and have forgotten where the data began when that weighs under
    1e-9.
    """

    name = "ema_cross"
    title = "Exponential moving average cross"
    description = (
        "Buys when a fast exponential average crosses above a slow one, sells when it crosses below."
    )
    acts_on = "cross"
    strength_unit = PRICE_UNIT
    version = "1"
    Parameters = EmaCrossParameters

    def look_back_bars(self, parameters: EmaCrossParameters) -> int:
        return parameters.slow

    def warm_up_bars(self, parameters: EmaCrossParameters) -> int:
        return parameters.slow + bars_until_ema_forgotten(parameters.slow)

    def decide(self, candles: Candles, parameters: EmaCrossParameters, shared: Shared) -> Signals:
        fast = shared(ema, candles.close, parameters.fast)
        slow = shared(ema, candles.close, parameters.slow)
        return Signals(crossings(fast, slow, candles.close))

    def strength(self, candles: Candles, parameters: EmaCrossParameters, shared: Shared) -> FloatArray:
        fast = shared(ema, candles.close, parameters.fast)
        slow = shared(ema, candles.close, parameters.slow)
        return percent_of_price(fast - slow, candles.close)
