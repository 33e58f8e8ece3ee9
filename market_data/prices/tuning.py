"""The times and limits by which a feed judges its sources; settings may change each by its name."""

from dataclasses import dataclass, fields
from typing import Self

from django.conf import settings

from market_data.errors import MarketDataError


class InvalidTuningError(MarketDataError):
    """`PRICE_FEED` says what can't be."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """What `PRICE_FEED` may change.

    Attributes
    ----------
    poll_seconds, standby_seconds
        How often a source that must be asked is asked: one in use, and one that stands by.
    healthy_seconds
        How long a better source must have worked before it is used again.
    first_wait_seconds, longest_wait_seconds
        Between two attempts at a source that fails: twice as long each time.
    clock_tolerance_seconds
        A price whose exchange time is further from this host's clock is refused.
    quarantine_share
        A price that is so far off what else is known of the symbol, as a fraction, is not shown.
    memory_seconds
        How long a good price counts when the next one is judged.
    large_move, large_move_seconds
        A change that is worth an entry in the activity: a fraction, and within how long.
    point_seconds
        Between two points of a symbol's history.
    candle_patience_seconds
        How long a closed candle may take to come by itself before it is fetched.
    lease_seconds
        How long a leader that fell silent is waited for.
    """

    poll_seconds: float = 2.0
    standby_seconds: float = 15.0
    healthy_seconds: float = 30.0
    first_wait_seconds: float = 1.0
    longest_wait_seconds: float = 60.0
    clock_tolerance_seconds: float = 30.0
    quarantine_share: float = 0.5
    memory_seconds: float = 300.0
    large_move: float = 0.02
    large_move_seconds: float = 300.0
    point_seconds: float = 5.0
    candle_patience_seconds: float = 5.0
    lease_seconds: float = 3.0

    @classmethod
    def of_settings(cls) -> Self:
        """The defaults with what `PRICE_FEED` says.

        Raises
        ------
        InvalidTuningError
            If it names something that is not there, or gives it no number above or equal to 0.
        """
        changes = settings.PRICE_FEED
        known = {field.name for field in fields(cls)}
        for name, value in changes.items():
            if (
                name not in known
                or isinstance(value, bool)
                or not isinstance(value, int | float)
                or value < 0
            ):
                raise InvalidTuningError(
                    f"PRICE_FEED: {name} can't be {value!r}; it gives numbers to some of {', '.join(sorted(known))}."
                )
        return cls(**changes)
