"""What a strategy is: parameters with bounds, and a function from candles to signals."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal

from backtests.engine.candle_checks import check_shapes, same_kind_of_memory
from backtests.engine.errors import EngineError
from backtests.engine.shared import Shared
from backtests.engine.signals import Signals, check_signals
from backtests.strategies.parameters import StrategyParameters
from market_data.candles import Candles


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
    version : str or None
        Raise it with every change that can change a signal. None: results are never reused.
    Parameters : type of StrategyParameters
        The parameters with defaults, bounds and units.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    description: ClassVar[str]
    acts_on: ClassVar[Literal["cross", "level"]]
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
