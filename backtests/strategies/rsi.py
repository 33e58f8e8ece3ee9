"""Relative strength index: buy what has fallen too fast, sell what has risen too fast."""

from collections.abc import Callable
from typing import Literal, Self

from pydantic import Field, model_validator

from backtests.engine.indicators.momentum import rsi, simple_rsi
from backtests.engine.signals import Signals
from backtests.strategies.conditions import beyond
from backtests.strategies.memory import bars_until_forgotten
from backtests.strategies.parameters import StrategyParameters, bars, check_below, number
from backtests.strategies.strategy import Shared, Strategy
from backtests.strategies.strength import THRESHOLD_UNIT, thresholds
from market_data.candles import Candles, FloatArray


class RsiParameters(StrategyParameters):
    """Parameters of `Rsi`."""

    period: int = bars(14, "Period", "Bars that the averages of rises and falls cover.", highest=1000)
    oversold: float = number(30.0, "Oversold", "Enters long below this RSI.", lowest=0, highest=100)
    overbought: float = number(70.0, "Overbought", "Leaves a long above this RSI.", lowest=0, highest=100)
    smoothing: Literal["wilder", "simple"] = Field(
        "wilder", title="Smoothing", description="Wilder's exponential averages, or simple ones."
    )

    @model_validator(mode="after")
    def _levels_in_order(self) -> Self:
        check_below("oversold", self.oversold, "overbought", self.overbought)
        return self


class Rsi(Strategy):
    """Enters long while RSI is below `oversold`, leaves while it is above `overbought`; shorts mirror that.

    RSI by Wilder ("New Concepts in Technical Trading Systems", 1978), with simple averages by Cutler. Acts on
    the level. The first value needs `period` changes; Wilder's average never forgets, so its warm-up lasts
    until the start weighs less than 1e-9.
    """

    name = "rsi"
    title = "RSI reversal"
    description = "Buys when the relative strength index says oversold, sells when it says overbought."
    acts_on = "level"
    strength_unit = THRESHOLD_UNIT
    version = "1"
    Parameters = RsiParameters

    def look_back_bars(self, parameters: RsiParameters) -> int:
        return parameters.period

    def warm_up_bars(self, parameters: RsiParameters) -> int:
        memory = bars_until_forgotten(1.0 / parameters.period) if parameters.smoothing == "wilder" else 0
        return parameters.period + memory

    def decide(self, candles: Candles, parameters: RsiParameters, shared: Shared) -> Signals:
        values = shared(self._indicator(parameters), candles.close, parameters.period)
        return Signals(beyond(values, parameters.oversold, parameters.overbought, False))

    def strength(self, candles: Candles, parameters: RsiParameters, shared: Shared) -> FloatArray:
        """From the middle of both levels, which is neutral, to either."""
        middle = (parameters.oversold + parameters.overbought) / 2.0
        values = shared(self._indicator(parameters), candles.close, parameters.period)
        return thresholds(middle - values, middle - parameters.oversold)

    def _indicator(self, parameters: RsiParameters) -> Callable[..., FloatArray]:
        return rsi if parameters.smoothing == "wilder" else simple_rsi
