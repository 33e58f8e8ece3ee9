"""Every strategy by name: the built-in ones and the users' own."""

from backtests.engine.errors import EngineError
from backtests.strategies.rsi import Rsi
from backtests.strategies.sma_cross import SmaCross
from backtests.strategies.strategy import Strategy

_BUILT_IN: tuple[type[Strategy], ...] = (Rsi, SmaCross)
_strategies: dict[str, Strategy] = {kind.name: kind() for kind in _BUILT_IN}


def all_strategies() -> list[Strategy]:
    """All strategies, the built-in ones first."""
    return list(_strategies.values())


def find_strategy(name: str) -> Strategy:
    """The strategy of that name.

    Raises
    ------
    EngineError
        If there is none; lists the names there are.
    """
    try:
        return _strategies[name]
    except KeyError:
        known = ", ".join(sorted(_strategies))
        raise EngineError(f"there is no strategy {name!r}; there are {known}") from None
