"""Z-score: how many standard deviations the price is away from its mean."""

from typing import Self

from pydantic import model_validator

from backtests.engine.indicators.volatility import mean_and_deviation
from backtests.engine.signals import Signals
from backtests.strategies.conditions import reversions
from backtests.strategies.parameters import StrategyParameters, bars, check_below, number
from backtests.strategies.strategy import Shared, Strategy
from backtests.strategies.strength import THRESHOLD_UNIT, thresholds
from market_data.candles import Candles, FloatArray


class ZScoreParameters(StrategyParameters):
    """Parameters of `ZScore`."""

    period: int = bars(48, "Period", "Bars of the mean and of the standard deviation.")
    entry: float = number(
        2.0, "Entry", "Enters this far from the mean.", lowest=0.1, highest=10, unit="standard deviations"
    )
    leave: float = number(
        0.5, "Exit", "Leaves this near to the mean.", lowest=-10, highest=10, unit="standard deviations"
    )

    @model_validator(mode="after")
    def _levels_in_order(self) -> Self:
        check_below("leave", self.leave, "entry", self.entry)
        return self


class ZScore(Strategy):
    """Enters long while z is below −`entry`, leaves above −`leave`; shorts mirror that.

    z = (close − mean) / deviation. The entry and exit thresholds of pairs trading (Gatev, Goetzmann and
    Rouwenhorst 2006) on one series; population standard deviation. Acts on the level. Warm-up: `period − 1`
    bars.
    """

    name = "zscore"
    title = "Z-score, back to the mean"
    description = (
        "Buys when the price is many standard deviations below its mean, sells when it has come back."
    )
    acts_on = "level"
    strength_unit = THRESHOLD_UNIT
    version = "1"
    Parameters = ZScoreParameters

    def look_back_bars(self, parameters: ZScoreParameters) -> int:
        return parameters.period - 1

    def decide(self, candles: Candles, parameters: ZScoreParameters, shared: Shared) -> Signals:
        mean, deviation = shared(mean_and_deviation, candles.close, parameters.period)
        return Signals(reversions(candles.close, mean, deviation, parameters.entry, parameters.leave))

    def strength(self, candles: Candles, parameters: ZScoreParameters, shared: Shared) -> FloatArray:
        mean, deviation = shared(mean_and_deviation, candles.close, parameters.period)
        return thresholds(mean - candles.close, parameters.entry * deviation)
