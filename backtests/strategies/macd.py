"""MACD: the distance of two exponential averages against its own average."""

from typing import Self

from pydantic import model_validator

from backtests.engine.indicators.momentum import macd
from backtests.engine.signals import Signals
from backtests.strategies.conditions import crossings
from backtests.strategies.memory import bars_until_ema_forgotten
from backtests.strategies.parameters import StrategyParameters, bars, check_below
from backtests.strategies.strategy import Shared, Strategy
from backtests.strategies.strength import PRICE_UNIT, percent_of_price
from market_data.candles import Candles, FloatArray


class MacdParameters(StrategyParameters):
    """Parameters of `Macd`."""

    fast: int = bars(12, "Fast average", "Bars of the fast exponential average.", lowest=1)
    slow: int = bars(26, "Slow average", "Bars of the slow exponential average.")
    signal: int = bars(9, "Signal line", "Bars of the average of the MACD line.")

    @model_validator(mode="after")
    def _averages_in_order(self) -> Self:
        check_below("fast", self.fast, "slow", self.slow)
        return self


class Macd(Strategy):
    """Enters long when the MACD line crosses above its signal line, leaves when below; shorts mirror that.

    Appel, "The Moving Average Convergence-Divergence Trading Method" (1979). Acts on the cross. Both lines
    exist after `slow + signal − 2` bars; the warm-up adds the time in which all three averages forget their
    start.
    """

    name = "macd"
    title = "MACD cross"
    description = "Buys when the MACD line crosses above its signal line, sells when it crosses below."
    acts_on = "cross"
    strength_unit = PRICE_UNIT
    version = "1"
    Parameters = MacdParameters

    def look_back_bars(self, parameters: MacdParameters) -> int:
        return parameters.slow + parameters.signal - 1

    def warm_up_bars(self, parameters: MacdParameters) -> int:
        memory = bars_until_ema_forgotten(parameters.slow) + bars_until_ema_forgotten(parameters.signal)
        return self.look_back_bars(parameters) + memory

    def decide(self, candles: Candles, parameters: MacdParameters, shared: Shared) -> Signals:
        line, signal = shared(macd, candles.close, parameters.fast, parameters.slow, parameters.signal)
        return Signals(crossings(line, signal, candles.close))

    def strength(self, candles: Candles, parameters: MacdParameters, shared: Shared) -> FloatArray:
        line, signal = shared(macd, candles.close, parameters.fast, parameters.slow, parameters.signal)
        return percent_of_price(line - signal, candles.close)
