"""ATR channel: leave the usual range around the average, and a trend may have begun."""

from backtests.engine.indicators.averages import ema
from backtests.engine.indicators.volatility import atr
from backtests.engine.signals import Signals
from backtests.strategies.conditions import breakouts
from backtests.strategies.memory import bars_until_ema_forgotten, bars_until_forgotten
from backtests.strategies.parameters import StrategyParameters, bars, number
from backtests.strategies.strategy import Shared, Strategy
from backtests.strategies.strength import THRESHOLD_UNIT, thresholds
from market_data.candles import Candles, FloatArray


class AtrChannelParameters(StrategyParameters):
    """Parameters of `AtrChannel`."""

    average: int = bars(20, "Average", "Bars of the exponential average in the middle.", lowest=1)
    period: int = bars(14, "True range", "Bars of the average true range.", lowest=1, highest=1000)
    width: float = number(
        2.0, "Channel width", "Distance from the middle.", lowest=0.1, highest=20, unit="average true ranges"
    )


class AtrChannel(Strategy):
    """Enters long while the close is above the channel, leaves below its middle; shorts mirror that.

    Keltner's channel (1960) in Raschke's form: an exponential average plus and minus multiples of Wilder's
    average true range. Acts on the level. Neither average ever forgets: the warm-up lasts until their starts
    weigh < 1e-9.
    """

    name = "atr_channel"
    title = "ATR channel breakout"
    description = "Buys above a channel of average true ranges around the mean, sells below its middle."
    acts_on = "level"
    strength_unit = THRESHOLD_UNIT
    version = "1"
    Parameters = AtrChannelParameters

    def look_back_bars(self, parameters: AtrChannelParameters) -> int:
        return max(parameters.average - 1, parameters.period)

    def warm_up_bars(self, parameters: AtrChannelParameters) -> int:
        middle = parameters.average + bars_until_ema_forgotten(parameters.average)
        width = parameters.period + bars_until_forgotten(1.0 / parameters.period)
        return max(middle, width)

    def decide(self, candles: Candles, parameters: AtrChannelParameters, shared: Shared) -> Signals:
        middle = shared(ema, candles.close, parameters.average)
        width = shared(atr, candles.high, candles.low, candles.close, parameters.period)
        return Signals(breakouts(candles.close, middle, width, parameters.width))

    def strength(self, candles: Candles, parameters: AtrChannelParameters, shared: Shared) -> FloatArray:
        middle = shared(ema, candles.close, parameters.average)
        width = shared(atr, candles.high, candles.low, candles.close, parameters.period)
        return thresholds(candles.close - middle, parameters.width * width)
