"""Every strategy by name: the built-in ones and the users' own."""

import importlib
import os
from importlib.metadata import entry_points
from inspect import isabstract
from types import ModuleType

from backtests.engine.errors import EngineError
from backtests.strategies.atr_channel import AtrChannel
from backtests.strategies.bollinger import BollingerBreakout, BollingerReversion
from backtests.strategies.buy_and_hold import BuyAndHold
from backtests.strategies.donchian import Donchian
from backtests.strategies.ema_cross import EmaCross
from backtests.strategies.macd import Macd
from backtests.strategies.momentum import Momentum
from backtests.strategies.parameters import StrategyParameters
from backtests.strategies.rsi import Rsi
from backtests.strategies.sma_cross import SmaCross
from backtests.strategies.strategy import Strategy
from backtests.strategies.zscore import ZScore

ENTRY_POINT_GROUP = "candlestream.strategies"
MODULES_VARIABLE = "CANDLESTREAM_STRATEGIES"

BUILT_IN: tuple[type[Strategy], ...] = (
    Rsi,
    SmaCross,
    EmaCross,
    Macd,
    BollingerReversion,
    BollingerBreakout,
    Momentum,
    ZScore,
    Donchian,
    AtrChannel,
    BuyAndHold,
)

_strategies: dict[str, Strategy] = {kind.name: kind() for kind in BUILT_IN}
_external_are_loaded = False


def all_strategies() -> list[Strategy]:
    """All strategies, the built-in ones first."""
    _load_external()
    return list(_strategies.values())


def find_strategy(name: str) -> Strategy:
    """The strategy of that name.

    Raises
    ------
    EngineError
        If there is none; lists the names there are.
    """
    _load_external()
    try:
        return _strategies[name]
    except KeyError:
        known = ", ".join(sorted(_strategies))
        raise EngineError(f"there is no strategy {name!r}; there are {known}") from None


def register(kind: type[Strategy]) -> None:
    """Add a strategy; adding the same class again changes nothing.

    Raises
    ------
    EngineError
        If the class is incomplete, or its name belongs to another class.
    """
    _check_class(kind)
    known = _strategies.get(kind.name)
    if known is not None and type(known) is not kind:
        raise EngineError(
            f"{_path(kind)} can't be called {kind.name!r}: {_path(type(known))} has that name already"
        )
    if known is None:
        _strategies[kind.name] = kind()


def load_modules(names: list[str]) -> None:
    """Import modules, whose folder must be on `sys.path`, and register the strategies defined in them.

    Raises
    ------
    EngineError
        If a module can't be imported or defines no strategy; names the module.
    """
    for name in names:
        try:
            module = importlib.import_module(name)
        except Exception as error:
            raise EngineError(
                f"strategy module {name!r} can't be imported: {type(error).__name__}: {error}"
            ) from error
        kinds = _strategies_in(module)
        if not kinds:
            raise EngineError(f"strategy module {name!r} defines no subclass of Strategy")
        for kind in kinds:
            register(kind)


def _load_external() -> None:
    """Once a process: modules named in the environment, and entry points of installed packages."""
    global _external_are_loaded  # noqa: PLW0603 - a process has one registry
    if _external_are_loaded:
        return
    names = os.environ.get(MODULES_VARIABLE, "").replace(",", " ").split()
    load_modules([*names, *(point.module for point in entry_points(group=ENTRY_POINT_GROUP))])
    _external_are_loaded = True


def _strategies_in(module: ModuleType) -> list[type[Strategy]]:
    return [
        kind
        for kind in vars(module).values()
        if isinstance(kind, type)
        and issubclass(kind, Strategy)
        and kind.__module__ == module.__name__
        and not isabstract(kind)
    ]


def _check_class(kind: type[Strategy]) -> None:
    for attribute in ("name", "title", "description", "acts_on"):
        if not isinstance(getattr(kind, attribute, None), str):
            raise EngineError(f"{_path(kind)} must have a text as its class attribute `{attribute}`")
    if kind.acts_on not in ("cross", "level"):
        raise EngineError(f"{_path(kind)}: acts_on must be 'cross' or 'level', not {kind.acts_on!r}")
    if StrategyParameters not in kind.Parameters.__mro__:
        raise EngineError(f"{_path(kind)}: Parameters must be a subclass of StrategyParameters")
    try:
        kind.Parameters()
    except ValueError as error:
        raise EngineError(f"{_path(kind)}: every parameter must have a valid default: {error}") from error


def _path(kind: type[Strategy]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
