"""Relative strength index: buy what has fallen too fast, sell what has risen too fast."""

from typing import Self

from pydantic import Field, model_validator

from backtests.engine.indicators.momentum import rsi
from backtests.engine.signals import Signals
from backtests.strategies.conditions import reversals
from backtests.strategies.strategy import Shared, Strategy, StrategyParameters
from backtests.strategies.warm_up import bars_until_forgotten
from market_data.candles import Candles


class RsiParameters(StrategyParameters):
    """Parameters of `Rsi`."""

    period: int = Field(
        14,
        ge=2,
        le=1000,
        title="Period",
        description="Bars that the average covers.",
        json_schema_extra={"unit": "bars"},
    )
    oversold: float = Field(30.0, ge=0, le=100, title="Oversold", description="Enters long below this RSI.")
    overbought: float = Field(
        70.0, ge=0, le=100, title="Overbought", description="Leaves a long above this RSI."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.oversold >= self.overbought:
            raise ValueError(f"oversold ({self.oversold:g}) must be below overbought ({self.overbought:g})")
        return self


class Rsi(Strategy):
    """Enters long while RSI is below `oversold`, leaves while it is above `overbought`; shorts mirror that.

    RSI by Wilder ("New Concepts in Technical Trading Systems", 1978). Acts on the level. The first value
    needs `period` changes; Wilder's average never forgets, so warm-up lasts until its start weighs < 1e-9.
    """

    name = "rsi"
    title = "RSI reversal"
    description = "Buys when the relative strength index says oversold, sells when it says overbought."
    acts_on = "level"
    version = "1"
    Parameters = RsiParameters

    def look_back_bars(self, parameters: RsiParameters) -> int:
        return parameters.period

    def warm_up_bars(self, parameters: RsiParameters) -> int:
        return parameters.period + bars_until_forgotten(1.0 / parameters.period)

    def decide(self, candles: Candles, parameters: RsiParameters, shared: Shared) -> Signals:
        values = shared(rsi, candles.close, parameters.period)
        return Signals(reversals(values, parameters.oversold, parameters.overbought))
