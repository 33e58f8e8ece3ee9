"""Bollinger Bands: a mean and how far prices stray from it, traded towards the mean and away from it."""

from backtests.engine.indicators.volatility import mean_and_deviation
from backtests.engine.signals import Signals
from backtests.strategies.conditions import breakouts, reversions
from backtests.strategies.parameters import StrategyParameters, bars, number
from backtests.strategies.strategy import Shared, Strategy
from backtests.strategies.strength import THRESHOLD_UNIT, thresholds
from market_data.candles import Candles, FloatArray


class BollingerParameters(StrategyParameters):
    """Parameters of both strategies."""

    period: int = bars(20, "Period", "Bars of the mean and of the standard deviation.")
    width: float = number(
        2.0,
        "Band width",
        "Distance of the bands from the mean.",
        lowest=0.1,
        highest=10,
        unit="standard deviations",
    )


class BollingerReversion(Strategy):
    """Enters long while the close is below the lower band, leaves above the mean; shorts mirror that.

    Bollinger, "Bollinger on Bollinger Bands" (2001): population standard deviation of the close. Acts on the
    level. Warm-up: `period − 1` bars.
    """

    name = "bollinger_reversion"
    title = "Bollinger Bands, back to the mean"
    description = "Buys below the lower band and sells when the price is back above the mean."
    acts_on = "level"
    strength_unit = THRESHOLD_UNIT
    version = "1"
    Parameters = BollingerParameters

    def look_back_bars(self, parameters: BollingerParameters) -> int:
        return parameters.period - 1

    def decide(self, candles: Candles, parameters: BollingerParameters, shared: Shared) -> Signals:
        mean, deviation = shared(mean_and_deviation, candles.close, parameters.period)
        return Signals(reversions(candles.close, mean, deviation, parameters.width, 0.0))

    def strength(self, candles: Candles, parameters: BollingerParameters, shared: Shared) -> FloatArray:
        mean, deviation = shared(mean_and_deviation, candles.close, parameters.period)
        return thresholds(mean - candles.close, parameters.width * deviation)


class BollingerBreakout(Strategy):
    """Enters long while the close is above the upper band, leaves below the mean; shorts mirror that.

    Bollinger (2001), method 1, "volatility breakout". Acts on the level. Warm-up: `period − 1` bars.
    """

    name = "bollinger_breakout"
    title = "Bollinger Bands, breakout"
    description = "Buys when the price breaks out above the upper band, sells when it is back below the mean."
    acts_on = "level"
    strength_unit = THRESHOLD_UNIT
    version = "1"
    Parameters = BollingerParameters

    def look_back_bars(self, parameters: BollingerParameters) -> int:
        return parameters.period - 1

    def decide(self, candles: Candles, parameters: BollingerParameters, shared: Shared) -> Signals:
        mean, deviation = shared(mean_and_deviation, candles.close, parameters.period)
        return Signals(breakouts(candles.close, mean, deviation, parameters.width))

    def strength(self, candles: Candles, parameters: BollingerParameters, shared: Shared) -> FloatArray:
        mean, deviation = shared(mean_and_deviation, candles.close, parameters.period)
        return thresholds(candles.close - mean, parameters.width * deviation)
