"""Which price of a symbol is shown: what each source last said of it, judged against what else is known.

Nothing here waits or speaks to anybody: ticks go in, verdicts and prices come out.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from market_data.prices.sources.protocol import Source, Tick, now_ms
from market_data.prices.state import Price
from market_data.prices.tuning import Tuning

ROLES = ("primary", "secondary", "tertiary")


class Verdict(Enum):
    """What became of a tick."""

    GOOD = "good"
    OLD = "old"
    """Not newer than what the source said before."""
    REFUSED = "refused"
    """Nothing to do with prices: a wrong clock, a symbol nobody asked for."""
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict and, unless it is good, its reason."""

    verdict: Verdict
    reason: str = ""


@dataclass(slots=True)
class Desk:
    """What one source said of one symbol."""

    newest_ms: int = 0
    begins_anew: bool = False
    """Its clock may have been set meanwhile: an earlier time is not an older one."""
    raw: float | None = None
    """The last price that could be one, believed or not."""
    raw_at: float = float("-inf")
    good: Tick | None = None
    received_ms: int = 0
    good_at: float = float("-inf")
    quarantine: str = ""
    delisted: bool = False


@dataclass(slots=True)
class Shown:
    """What viewers see of a symbol."""

    price: Price
    at: float = field(default_factory=time.monotonic)


class Board:
    """The prices of all sources, and of those the ones that are shown.

    Attributes
    ----------
    shown
        By symbol; what was shown by the leader before counts too.

    Prices of the symbols in `also` are judged, as a sign of life, and never shown.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        symbols: Sequence[str],
        tuning: Tuning,
        *,
        also: Sequence[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.symbols = tuple(symbols)
        self.shown: dict[str, Shown] = {}
        self._sources = tuple(sources)
        self._tuning = tuning
        self._clock = clock
        self._punctual = {source.name for source in sources if source.late_seconds == 0}
        self._desks = [{symbol: Desk() for symbol in (*symbols, *also)} for _ in sources]

    def remember(self, prices: Mapping[str, Price]) -> None:
        """Go on from what the leader before has shown."""
        now = now_ms()
        for symbol in self.symbols:
            if symbol in prices:
                age_seconds = prices[symbol].age_ms(now) / 1000
                self.shown[symbol] = Shown(prices[symbol], self._clock() - age_seconds)

    def has_heard(self, rank: int, symbol: str) -> bool:
        """Whether a source ever gave a price of a symbol."""
        desk = self._desks[rank].get(symbol)
        return desk is not None and desk.newest_ms > 0

    def is_in_quarantine(self, rank: int, symbol: str) -> bool:
        """Whether a source's last price of a symbol is not shown because it can't be right."""
        desk = self._desks[rank].get(symbol)
        return desk is not None and bool(desk.quarantine)

    def is_plausible(self, symbol: str, price: float) -> bool:
        """Whether a price can be right, as far as what is shown of its symbol tells."""
        before = self.shown.get(symbol)
        if before is None or self._clock() - before.at > self._tuning.memory_seconds:
            return True
        return self._near(price, before.price.price)

    def desk(self, rank: int, symbol: str) -> Desk:
        """What the source of that rank said of a symbol."""
        return self._desks[rank][symbol]

    def judge(self, rank: int, tick: Tick) -> Judgement:
        """Take in what a source said, unless it can't be."""
        desk = self._desks[rank].get(tick.symbol)
        if desk is None:
            return Judgement(Verdict.REFUSED, f"nobody asked for {tick.symbol}")
        if off := self._clock_is_off(rank, tick):
            return Judgement(Verdict.REFUSED, off)
        ahead_ms = tick.exchange_time_ms - desk.newest_ms
        if ahead_ms == 0 or (ahead_ms < 0 and not desk.begins_anew):
            return Judgement(Verdict.OLD)
        desk.newest_ms, desk.begins_anew = tick.exchange_time_ms, False
        reason = self._doubt(rank, tick, desk)
        desk.quarantine = reason
        if reason:
            return Judgement(Verdict.QUARANTINED, reason)
        desk.good, desk.good_at, desk.received_ms = tick, self._clock(), now_ms()
        desk.delisted = False
        return Judgement(Verdict.GOOD)

    def forget(self, rank: int) -> None:
        """A source begins anew: what it said before its connection broke is not used again."""
        for desk in self._desks[rank].values():
            desk.good, desk.quarantine, desk.begins_anew = None, "", True

    def delist(self, rank: int, symbol: str) -> bool:
        """A source does not trade a symbol; whether that is news."""
        desk = self._desks[rank].get(symbol)
        if desk is None or desk.delisted:
            return False
        desk.delisted, desk.good = True, None
        return True

    def source_of(self, symbol: str, allowed: Sequence[int]) -> int | None:
        """The best of the allowed ranks that has a price of a symbol; None if there is none."""
        return next((rank for rank in allowed if self.has_price(rank, symbol)), None)

    def show(self, symbol: str, rank: int) -> Price | None:
        """Show what a source last said of a symbol; None if that is not newer than what is shown.

        What comes late, as from a source that is asked now and then, is as old as the source says.
        """
        desk = self._desks[rank][symbol]
        before = self.shown.get(symbol)
        if desk.good is None:
            return None
        price = self._price(rank, desk.good, desk.received_ms)
        if before and self._time_of(price) <= self._time_of(before.price):
            return None
        self.shown[symbol] = Shown(price, self._clock())
        return price

    def _time_of(self, price: Price) -> tuple[int, int]:
        """When it was the price, in ms by this host's clock: a source's own may be off by half a minute."""
        is_of_now = price.source in self._punctual
        return (price.received_time_ms if is_of_now else price.exchange_time_ms), price.exchange_time_ms

    def _price(self, rank: int, tick: Tick, received_ms: int) -> Price:
        source = self._sources[rank]
        return Price(
            symbol=tick.symbol,
            price=tick.price,
            source=source.name,
            role=ROLES[min(rank, len(ROLES) - 1)],
            exchange_time_ms=min(tick.exchange_time_ms, received_ms),
            received_time_ms=received_ms,
            change_24h=_finite(tick.change_24h),
            high_24h=_finite(tick.high_24h),
            low_24h=_finite(tick.low_24h),
            volume_24h_quote=_finite(tick.volume_24h_quote),
            is_replay=source.is_replay,
        )

    def has_price(self, rank: int, symbol: str) -> bool:
        """Whether a source has a price of a symbol that may be shown."""
        desk, source = self._desks[rank][symbol], self._sources[rank]
        fresh = self._clock() - desk.good_at <= self._tuning.standby_seconds + source.stall_seconds
        return desk.good is not None and fresh and not desk.quarantine and not desk.delisted

    def _clock_is_off(self, rank: int, tick: Tick) -> str:
        seconds = (tick.exchange_time_ms - now_ms()) / 1000
        tolerance = self._tuning.clock_tolerance_seconds
        if -tolerance - self._sources[rank].late_seconds <= seconds <= tolerance:
            return ""
        return f"its clock is {abs(seconds):.0f} s {'ahead' if seconds > 0 else 'behind'}"

    def _doubt(self, rank: int, tick: Tick, desk: Desk) -> str:
        """Why a price can't be right; empty if nothing speaks against it.

        It is doubted when most of the other sources differ (one of them may be the wrong one), or when it leaps
        from the last good price and no other source has followed.
        """
        if not (math.isfinite(tick.price) and tick.price > 0):
            return f"{tick.price:g} is no price"
        desk.raw, desk.raw_at = tick.price, self._clock()
        others = self._others(rank, tick.symbol)
        agree = sum(self._near(tick.price, other) for other in others)
        differ = len(others) - agree
        before = self.shown.get(tick.symbol)
        remembered = before is not None and self._clock() - before.at <= self._tuning.memory_seconds
        leaps = remembered and before is not None and not self._near(tick.price, before.price.price)
        if (differ >= 2 and differ > agree) or (leaps and not agree):
            known = before.price.price if leaps and before is not None else sorted(others)[len(others) // 2]
            return f"{tick.price:g} is too far from {known:g}"
        return ""

    def _others(self, rank: int, symbol: str) -> list[float]:
        """What the other sources said lately, believed or not."""
        oldest = self._clock() - self._tuning.standby_seconds * 3
        desks = [desks[symbol] for other, desks in enumerate(self._desks) if other != rank]
        return [desk.raw for desk in desks if desk.raw is not None and desk.raw_at >= oldest]

    def _near(self, price: float, known: float) -> bool:
        return abs(price - known) < self._tuning.quarantine_share * known


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
