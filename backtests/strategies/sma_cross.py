"""Crossing of two simple moving averages: follow the trend."""

from typing import Self

from pydantic import model_validator

from backtests.engine.indicators.averages import sma
from backtests.engine.signals import Signals
from backtests.strategies.conditions import crossings
from backtests.strategies.parameters import StrategyParameters, bars, check_below
from backtests.strategies.strategy import Shared, Strategy
from backtests.strategies.strength import PRICE_UNIT, percent_of_price
from market_data.candles import Candles, FloatArray


class SmaCrossParameters(StrategyParameters):
    """Parameters of `SmaCross`."""

    fast: int = bars(10, "Fast average", "Bars of the fast average.", lowest=1)
    slow: int = bars(20, "Slow average", "Bars of the slow average.")

    @model_validator(mode="after")
    def _averages_in_order(self) -> Self:
        check_below("fast", self.fast, "slow", self.slow)
        return self


class SmaCross(Strategy):
    """Enters long when the fast average crosses above the slow one, leaves when below; shorts mirror that.

    As old as chart reading; see Murphy, "Technical Analysis of the Financial Markets" (1999), chapter 9. Acts
    on the cross: the first bar with both averages is none, so the warm-up is `slow` bars.
    """

    name = "sma_cross"
    title = "Simple moving average cross"
    description = (
        "Buys when a fast average of the close crosses above a slow one, sells when it crosses below."
    )
    acts_on = "cross"
    strength_unit = PRICE_UNIT
    version = "1"
    Parameters = SmaCrossParameters

    def look_back_bars(self, parameters: SmaCrossParameters) -> int:
        return parameters.slow

    def decide(self, candles: Candles, parameters: SmaCrossParameters, shared: Shared) -> Signals:
        fast = shared(sma, candles.close, parameters.fast)
        slow = shared(sma, candles.close, parameters.slow)
        return Signals(crossings(fast, slow, candles.close))

    def strength(self, candles: Candles, parameters: SmaCrossParameters, shared: Shared) -> FloatArray:
        fast = shared(sma, candles.close, parameters.fast)
        slow = shared(sma, candles.close, parameters.slow)
        return percent_of_price(fast - slow, candles.close)
