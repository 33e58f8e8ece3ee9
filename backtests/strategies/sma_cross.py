"""Crossing of two simple moving averages: follow the trend."""

from typing import Self

from pydantic import Field, model_validator

from backtests.engine.indicators.averages import sma
from backtests.engine.signals import Signals
from backtests.strategies.conditions import crossings
from backtests.strategies.strategy import Shared, Strategy, StrategyParameters
from market_data.candles import Candles


class SmaCrossParameters(StrategyParameters):
    """Parameters of `SmaCross`."""

    fast: int = Field(
        10,
        ge=1,
        le=5000,
        title="Fast average",
        description="Bars of the fast average.",
        json_schema_extra={"unit": "bars"},
    )
    slow: int = Field(
        20,
        ge=2,
        le=5000,
        title="Slow average",
        description="Bars of the slow average.",
        json_schema_extra={"unit": "bars"},
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.fast >= self.slow:
            raise ValueError(f"fast ({self.fast}) must be below slow ({self.slow})")
        return self


class SmaCross(Strategy):
    """Enters long when the fast average crosses above the slow one, leaves when below; shorts mirror that.

    As old as chart reading; see Murphy, "Technical Analysis of the Financial Markets" (1999), chapter 9.
    Acts on the cross: the first bar with both averages is none.
    """

    name = "sma_cross"
    title = "Moving average cross"
    description = (
        "Buys when a fast average of the close crosses above a slow one, sells when it crosses below."
    )
    acts_on = "cross"
    version = "1"
    Parameters = SmaCrossParameters

    def look_back_bars(self, parameters: SmaCrossParameters) -> int:
        return parameters.slow

    def decide(self, candles: Candles, parameters: SmaCrossParameters, shared: Shared) -> Signals:
        fast = shared(sma, candles.close, parameters.fast)
        slow = shared(sma, candles.close, parameters.slow)
        return Signals(crossings(fast, slow))
