"""How orders are sized, filled and closed: every setting of a backtest that is not the strategy's."""

import math
from dataclasses import dataclass, fields
from typing import Literal

from backtests.engine.errors import EngineError

Fill = Literal["next_open", "same_close"]
Direction = Literal["long", "short", "long_short"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """Execution settings. All rates and stops are fractions: 0.001 is 0.1 %.

    Attributes
    ----------
    initial_cash : float
        Account value before the first bar, in quote currency.
    fee_rate, fixed_fee : float
        Every order costs `size_units · fill_price · fee_rate + fixed_fee`.
    slippage_rate : float
        Buys fill at `price · (1 + slippage_rate)`, sells at `price · (1 − slippage_rate)`.
    fill : "next_open" or "same_close"
        Where an order decided at a bar's close is filled.
    direction : "long", "short" or "long_short"
        Entries on the other side are ignored; with "long_short" an opposite entry reverses the position.
    equity_fraction : float
        Share of equity that an entry spends, its fees included; 1 is all equity.
    fixed_cash : float or None
        Quote currency that an entry spends instead, its fees included; never more than the equity.
    stop_loss, take_profit : float or None
        Distance of the stop and of the target from the entry fill price, as a fraction of that price.
    trailing_stop : float or None
        Distance of the stop from the best price since entry, as a fraction of the entry fill price.
    max_holding_bars : int or None
        A position still open is closed this many bars after its entry.
    cooldown_bars : int
        Entries decided within this many bars after a stop, the stop's bar being the first, are ignored.
    """

    initial_cash: float = 10_000.0
    fee_rate: float = 0.001
    fixed_fee: float = 0.0
    slippage_rate: float = 0.0005
    fill: Fill = "next_open"
    direction: Direction = "long"
    equity_fraction: float = 1.0
    fixed_cash: float | None = None
    stop_loss: float | None = None
    take_profit: float | None = None
    trailing_stop: float | None = None
    max_holding_bars: int | None = None
    cooldown_bars: int = 0

    def __post_init__(self) -> None:
        """Refuse settings out of range.

        Raises
        ------
        EngineError
            Names the setting, its value and its bounds.
        """
        for field in fields(self):
            _check(field.name, getattr(self, field.name))


# Lowest and highest value, and whether each is itself allowed.
_BOUNDS: dict[str, tuple[float, float, bool, bool]] = {
    "initial_cash": (0.0, 1e15, False, True),
    "fee_rate": (0.0, 0.5, True, True),
    "fixed_fee": (0.0, 1e15, True, True),
    "slippage_rate": (0.0, 0.5, True, True),
    "equity_fraction": (0.0, 1.0, False, True),
    "fixed_cash": (0.0, 1e15, False, True),
    "stop_loss": (0.0, 1.0, False, False),
    "take_profit": (0.0, 1e6, False, True),
    "trailing_stop": (0.0, 1.0, False, False),
    "max_holding_bars": (1, 2**40, True, True),
    "cooldown_bars": (0, 2**40, True, True),
}
_CHOICES = {"fill": ("next_open", "same_close"), "direction": ("long", "short", "long_short")}
_OPTIONAL = {"fixed_cash", "stop_loss", "take_profit", "trailing_stop", "max_holding_bars"}
_WHOLE = {"max_holding_bars", "cooldown_bars"}


def _check(name: str, value: object) -> None:
    if name in _CHOICES:
        if value not in _CHOICES[name]:
            raise EngineError(f"{name} must be one of {', '.join(_CHOICES[name])}, not {value!r}")
    elif not (value is None and name in _OPTIONAL):
        _check_number(name, value)


def _check_number(name: str, value: object) -> None:
    kinds = (int,) if name in _WHOLE else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds):
        raise EngineError(f"{name} must be a {'whole ' if name in _WHOLE else ''}number, not {value!r}")
    lowest, highest, with_lowest, with_highest = _BOUNDS[name]
    too_low = value < lowest or (value == lowest and not with_lowest)
    too_high = value > highest or (value == highest and not with_highest)
    if math.isnan(value) or too_low or too_high:
        raise EngineError(
            f"{name} must be {'at least' if with_lowest else 'above'} {lowest:g} and "
            f"{'at most' if with_highest else 'below'} {highest:g}, not {value:g}"
        )
