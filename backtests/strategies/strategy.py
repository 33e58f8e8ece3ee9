"""What a strategy is: parameters with bounds, and a function from candles to signals."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from backtests.engine.candle_checks import check_shapes, same_kind_of_memory
from backtests.engine.errors import EngineError
from backtests.engine.shared import Shared
from backtests.engine.signals import Flags, Signals, check_signals
from backtests.strategies.parameters import StrategyParameters
from market_data.candles import Candles, FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What a strategy says at the close of each bar, and how far it leans.

    Attributes
    ----------
    flags : (n_bars,) uint8
        As in `Signals`.
    strength : (n_bars,) float64 or None
        Above 0 towards long, in the strategy's `strength_unit`.
    """

    flags: Flags
    strength: FloatArray | None


class Strategy(ABC):
    """Base of all strategies. A subclass fills in the class attributes, `look_back_bars` and `decide`.

    Attributes
    ----------
    name : str
        The identifier in requests, for example "rsi".
    title, description : str
        What people read.
    acts_on : "cross" or "level"
        Whether signals come when lines cross, or at every bar at which a level is met.
    strength_unit : str or None
        The unit of `strength`; None for a strategy that doesn't say how strong its signals are.
    version : str or None
        Raise it with every change that can change a signal. None: results are never reused.
    Parameters : type of StrategyParameters
        The parameters with defaults, bounds and units.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    description: ClassVar[str]
    acts_on: ClassVar[Literal["cross", "level"]]
    strength_unit: ClassVar[str | None] = None
    version: ClassVar[str | None] = None
    Parameters: type[StrategyParameters] = StrategyParameters

    @property
    def code_version(self) -> str:
        """The declared version, or "undeclared"."""
        return self.version or "undeclared"

    @property
    def declared_version(self) -> bool:
        """Whether results of this strategy may be reused."""
        return self.version is not None

    @abstractmethod
    def look_back_bars(self, parameters: Any) -> int:
        """Bars before the first one at which a signal is possible."""

    def warm_up_bars(self, parameters: Any) -> int:
        """Bars before the range after which signals no longer depend on where the data begins."""
        return self.look_back_bars(parameters)

    @abstractmethod
    def decide(self, candles: Candles, parameters: Any, shared: Shared) -> Signals:
        """Signals at the close of each bar; nothing may depend on a later bar.

        `shared(rsi, candles.close, 14)` is `rsi(candles.close, 14)`, computed once for many parameter sets.
        """

    def strength(self, candles: Candles, parameters: Any, shared: Shared) -> FloatArray | None:
        """How far the strategy leans at the close of each bar: above 0 towards long, below 0 towards short.

        In `strength_unit`; NaN where it is undefined, None if the strategy has no such measure. Nothing may depend on
        a later bar.
        """
        return None

    def signals(self, candles: Candles, parameters: Any = None, shared: Shared | None = None) -> Signals:
        """Signals at the close of each bar.

        Parameters
        ----------
        candles : Candles
            The range with the warm-up bars before it, as far as they exist.
        parameters : Parameters, optional
            By default the strategy's defaults.
        shared : Shared, optional
            Indicators already computed over the same candles.

        Raises
        ------
        EngineError
            If the arrays don't fit together, the series is too short, or `decide` raises or returns something
            else than signals for these candles.
        """
        check_shapes(candles)
        parameters = self.Parameters() if parameters is None else parameters
        look_back = self.look_back_bars(parameters)
        if len(candles) <= look_back:
            raise EngineError(f"{self.name} needs at least {look_back + 1} candles, there are {len(candles)}")
        try:
            signals = self.decide(same_kind_of_memory(candles), parameters, shared or Shared())
        except EngineError as error:
            raise EngineError(f"{self.name}: {error}") from error
        except Exception as error:
            raise EngineError(f"{self.name} raised {type(error).__name__}: {error}") from error
        if not isinstance(signals, Signals):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise EngineError(f"{self.name} must return Signals, not {type(signals).__name__}")
        try:
            check_signals(signals, len(candles))
        except EngineError as error:
            raise EngineError(f"{self.name}: {error}") from error
        return signals

    def judge(self, candles: Candles, parameters: Any = None) -> Judgement:
        """Signals and strength at the close of each bar; arguments and errors as of `signals`."""
        shared = Shared()
        parameters = self.Parameters() if parameters is None else parameters
        signals = self.signals(candles, parameters, shared)
        try:
            strength = self.strength(same_kind_of_memory(candles), parameters, shared)
        except Exception as error:
            raise EngineError(
                f"the strength of {self.name} raised {type(error).__name__}: {error}"
            ) from error
        if strength is not None and np.shape(strength) != (len(candles),):
            raise EngineError(f"{self.name} must give a strength for each of the {len(candles)} bars")
        return Judgement(signals.flags, strength)
