"""Indicators that several parameter sets share."""

from collections.abc import Callable
from typing import Any, cast

import numpy as np

LARGEST_COUNT = 8
"""Arrays kept at most: with those of the account, a call stays under 12 arrays of the series' length."""


class Shared:
    """Computes an indicator once, however often it is asked for over the same candles.

    Keeps the `LARGEST_COUNT` arrays that were asked for last.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], tuple[Any, tuple[Any, ...]]] = {}

    def __call__(self, indicator: Callable[..., Any], *arguments: Any) -> Any:
        """`indicator(*arguments)`, remembered; arrays are told apart by identity."""
        key = (indicator, *(id(value) if _is_array(value) else value for value in arguments))
        known = self._known.pop(key, None)
        # The arguments are kept too: an array that lives on can't lend its identity to another one.
        self._known[key] = known or (indicator(*arguments), arguments)
        while self._array_count() > LARGEST_COUNT and len(self._known) > 1:
            self._known.pop(next(iter(self._known)))
        return self._known[key][0]

    def _array_count(self) -> int:
        return sum(len(arrays(result)) for result, _ in self._known.values())

    def results(self) -> dict[str, Any]:
        """What is remembered, by the call that made it, for example "rsi(14)"."""
        return {_call(key[0], arguments): result for key, (result, arguments) in self._known.items()}


def arrays(result: Any) -> tuple[Any, ...]:
    """The arrays of an indicator that returns one or several."""
    return cast("tuple[Any, ...]", result) if isinstance(result, tuple) else (result,)


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray)


def _call(indicator: Callable[..., Any], arguments: tuple[Any, ...]) -> str:
    plain = ", ".join(str(value) for value in arguments if not _is_array(value))
    return f"{indicator.__name__}({plain})"
