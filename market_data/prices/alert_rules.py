"""When an alert fires: a price that is crossed, a move that is large enough. Pure; one rule per armed alert."""

from collections import deque
from dataclasses import dataclass, field

from market_data.prices.models import Alert

STEPS = 60
"""Lowest and highest are kept for so many parts of a move's time, so that every rule is small."""


@dataclass(slots=True)
class Crossing:
    """Fires when the price passes a level, or reaches it, from the other side.

    Attributes
    ----------
    side
        1 where the last price was above the level, -1 where it was below; None where that is not known yet.
    """

    level: float
    direction: str
    side: int | None = None

    def see(self, price: float, at_ms: int) -> bool:
        """Take a price; whether the alert fires."""
        del at_ms
        before, side = self.side, _sign(price - self.level)
        if side == 0:  # reached: as good as passed
            side = -before if before is not None else None
        self.side = side
        if before is None or side is None or side == before:
            return False
        return self.direction == Alert.Direction.EITHER or (side > 0) == (
            self.direction == Alert.Direction.UP
        )


@dataclass(slots=True)
class Move:
    """Fires when the price is far enough from its lowest or highest of the last minutes.

    Attributes
    ----------
    change
        The move that it fired for, as a fraction.
    """

    fraction: float
    minutes: int
    direction: str
    change: float = 0.0
    _parts: deque[list[float]] = field(default_factory=deque[list[float]])

    def see(self, price: float, at_ms: int) -> bool:
        """Take a price; whether the alert fires."""
        self._add(price, at_ms)
        lowest = min(part[1] for part in self._parts)
        highest = max(part[2] for part in self._parts)
        rise, fall = price / lowest - 1.0, price / highest - 1.0
        wants_up = self.direction != Alert.Direction.DOWN
        wants_down = self.direction != Alert.Direction.UP
        self.change = rise if wants_up and (rise >= -fall or not wants_down) else fall
        return (wants_up and rise >= self.fraction) or (wants_down and -fall >= self.fraction)

    def _add(self, price: float, at_ms: int) -> None:
        """Keep the lowest and highest price of each part of the time, and forget parts that are over."""
        part_ms = self.minutes * 60_000 // STEPS
        number = at_ms // part_ms
        while self._parts and self._parts[0][0] < number - STEPS:
            self._parts.popleft()
        if not self._parts or self._parts[-1][0] < number:
            self._parts.append([number, price, price])
        part = self._parts[-1]
        part[1], part[2] = min(part[1], price), max(part[2], price)


Rule = Crossing | Move


def rule_of(alert: Alert) -> Rule:
    """The rule that an alert describes, as it was armed."""
    if alert.kind == Alert.Kind.CROSSES:
        assert alert.price is not None, "a crossing has a price"
        return Crossing(alert.price, alert.direction, alert.side)
    assert alert.fraction is not None, "a move has a size"
    assert alert.minutes is not None, "a move has a time"
    return Move(alert.fraction, alert.minutes, alert.direction)


def side_of(price: float, level: float) -> int | None:
    """On which side of a level a price is; None on it."""
    return _sign(price - level) or None


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)
