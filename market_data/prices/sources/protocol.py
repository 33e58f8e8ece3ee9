"""What a source of prices is: a name, and a stream of what it says."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from market_data.errors import MarketDataError


class SourceError(MarketDataError):
    """A source that failed; says how.

    Attributes
    ----------
    retry_after_seconds
        How long the source asked to be left alone; 0 if it did not.
    """

    def __init__(self, reason: str, *, retry_after_seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after_seconds = retry_after_seconds


@dataclass(frozen=True, slots=True)
class Tick:
    """A price as a source gives it; nothing has been checked yet.

    Attributes
    ----------
    exchange_time_ms
        When it was the price by the exchange's clock; where the exchange does not say: when it was received.
    change_24h
        As a fraction.
    """

    symbol: str
    price: float
    exchange_time_ms: int
    change_24h: float | None = None
    high_24h: float | None = None
    low_24h: float | None = None
    volume_24h_quote: float | None = None


@dataclass(frozen=True, slots=True)
class ClosedCandle:
    """A candle that will not change any more."""

    symbol: str
    interval: str
    open_time_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: float


@dataclass(frozen=True, slots=True)
class Delisted:
    """A symbol that the source does not trade, or no longer."""

    symbol: str


Event = Tick | ClosedCandle | Delisted


class Pace:
    """How often a source is asked: fast while it is in use, slowly while it stands by."""

    def __init__(self, *, poll_seconds: float, standby_seconds: float) -> None:
        self._poll_seconds, self._standby_seconds = poll_seconds, standby_seconds
        self._in_use = asyncio.Event()

    @property
    def in_use(self) -> bool:
        """Whether the source's prices are shown."""
        return self._in_use.is_set()

    def use(self, wanted: bool) -> None:
        """Take the source into use, which ends a slow wait at once, or let it stand by."""
        if wanted:
            self._in_use.set()
        else:
            self._in_use.clear()

    async def wait(self, least_seconds: float = 0.0) -> None:
        """Wait until it is time to ask again; `least_seconds` is what the source can bear at most."""
        if self.in_use:
            await asyncio.sleep(max(self._poll_seconds, least_seconds))
            return
        # Not `wait_for`: when the event comes at the moment of a cancellation, it forgets the cancellation.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(self._standby_seconds, least_seconds)):
                await self._in_use.wait()


class Source(Protocol):
    """Where prices come from.

    Attributes
    ----------
    name
        What users see: `binance`, `ccxt:kraken`, `coingecko`, `replay`.
    series_source
        Under which name the store has this source's candles; None if it gives none.
    stall_seconds
        A silence of this length, while in use, means that it has stalled.
    late_seconds
        How old its prices may be when they come.
    """

    @property
    def name(self) -> str: ...
    @property
    def series_source(self) -> str | None: ...
    @property
    def is_replay(self) -> bool: ...
    @property
    def stall_seconds(self) -> float: ...
    @property
    def late_seconds(self) -> float: ...

    def events(
        self, symbols: Sequence[str], candles: Sequence[tuple[str, str]], pace: Pace
    ) -> AsyncGenerator[list[Event]]:
        """What it says of the symbols, and closed candles of (symbol, interval), until it fails.

        Raises
        ------
        SourceError
            When it fails in any way.
        """
        ...


def now_ms() -> int:
    """This host's time, in milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


def number(value: object) -> float | None:
    """A number that a source wrote as a number or as text; None if it is neither."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except ValueError:
        return None
