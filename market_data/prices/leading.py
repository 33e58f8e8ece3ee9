"""What a feed does while it leads: listens to the sources, chooses, publishes, and keeps series current."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from market_data.prices.activity import Activity
from market_data.prices.alert_watch import AlertWatch
from market_data.prices.board import ROLES, Board, Verdict
from market_data.prices.keeping import CandleKeeper
from market_data.prices.publishing import PERIOD_SECONDS, Publisher
from market_data.prices.selection import Selection
from market_data.prices.sources.protocol import ClosedCandle, Delisted, Event, Source, Tick, now_ms
from market_data.prices.sources.supervision import Supervised
from market_data.prices.tuning import Tuning
from market_data.prices.writing import Writer

WATCH_SECONDS = 0.1


class Leader:
    """One term of leadership, from `run` to its cancellation."""

    def __init__(
        self,
        *,
        name: str,
        writer: Writer,
        sources: Sequence[Source],
        symbols: Sequence[str],
        tuning: Tuning,
        keepers: dict[int, CandleKeeper],
        board: Board,
        activity: Activity,
        histories: dict[str, list[tuple[int, float]]],
        confirm: Callable[[], None],
    ) -> None:
        self._name, self._symbols, self._tuning = name, tuple(symbols), tuning
        self._board, self._activity, self._keepers = board, activity, keepers
        self._sources = [
            Supervised(source, rank, tuning, self._take, self._source_failed)
            for rank, source in enumerate(sources)
        ]
        self._selection = Selection(self._sources, tuning)
        self._since_ms = now_ms()
        self._was_out = False
        self._has_ended = False
        shown = {symbol: shown.price for symbol, shown in board.shown.items()}
        self._alerts = AlertWatch(confirm)
        self._publisher = Publisher(writer, activity, tuning, self._status, prices=shown, histories=histories)

    async def run(self) -> None:
        """Lead until cancelled.

        Raises
        ------
        ExceptionGroup
            With a `ReplacedError` when another feed leads by now.
        """
        async with self._alerts, asyncio.TaskGroup() as tasks:
            tasks.create_task(self._publish())
            tasks.create_task(self._watch())
            for one in self._sources:
                keeper = self._keepers.get(one.rank)
                tasks.create_task(one.run(self._symbols, keeper.keys if keeper else list))
            for keeper in self._keepers.values():
                tasks.create_task(keeper.run())
            try:
                await asyncio.Event().wait()
            finally:
                self._has_ended = True  # redis-py may swallow the cancellation of a write

    async def _publish(self) -> None:
        while not self._has_ended:
            await asyncio.sleep(PERIOD_SECONDS)
            await self._publisher.flush()

    async def _watch(self) -> None:
        while True:
            for one in self._sources:
                one.check()
            self._choose("it works again")
            self._use_what_is_needed()
            await asyncio.sleep(WATCH_SECONDS)

    def _take(self, source: Supervised, events: list[Event]) -> bool:
        """Take in what a source said; whether any of it was of use."""
        heard = False
        for event in events:
            if isinstance(event, Tick):
                heard |= self._take_tick(source, event)
            elif isinstance(event, ClosedCandle):
                if keeper := self._keepers.get(source.rank):
                    keeper.put(event)
            else:
                self._take_delisted(source, event)
        return heard

    def _take_tick(self, source: Supervised, tick: Tick) -> bool:
        was_in_quarantine = self._board.is_in_quarantine(source.rank, tick.symbol)
        judgement = self._board.judge(source.rank, tick)
        if judgement.verdict is Verdict.GOOD:
            if keeper := self._keepers.get(source.rank):
                keeper.tell_time(min(tick.exchange_time_ms, now_ms()))
            if not source.is_healthy:
                return True  # shown when the source is chosen
        else:
            source.doubt = judgement.reason or source.doubt
        if judgement.verdict is Verdict.QUARANTINED and not was_in_quarantine:
            self._activity.add(
                "quarantined", symbol=tick.symbol, source=source.source.name, reason=judgement.reason
            )
        self._show(tick.symbol)
        return judgement.verdict is Verdict.GOOD

    def _take_delisted(self, source: Supervised, event: Delisted) -> None:
        had_it = self._board.has_heard(source.rank, event.symbol)
        if self._board.delist(source.rank, event.symbol) and (had_it or source.rank == 0):
            self._activity.add("delisted", symbol=event.symbol, source=source.source.name)
            self._show(event.symbol)

    def _show(self, symbol: str) -> None:
        """Show the best price there is of a symbol, if it is a new one."""
        if symbol not in self._symbols:
            return
        rank = self._board.source_of(symbol, self._selection.allowed)
        before = self._board.shown.get(symbol)
        price = None if rank is None else self._board.show(symbol, rank)
        if price is not None:
            self._activity.notice(before.price if before else None, price)
            self._publisher.put(price)
            self._alerts.see([price])

    def _source_failed(self, source: Supervised) -> None:
        self._board.forget(source.rank)
        self._choose(source.reason)
        self._publisher.hurry()

    def _choose(self, reason: str) -> None:
        """Choose the source in use again, and tell if it is another one."""
        before = self._selection.main
        if not self._selection.update():
            return
        self._use_what_is_needed()
        self._since_ms = now_ms()
        self._tell_of_change(before, self._selection.main, reason)
        for symbol in self._symbols:
            self._show(symbol)
        self._publisher.hurry()

    def _tell_of_change(self, before: int | None, main: int | None, reason: str) -> None:
        if main is None:
            self._was_out = True
            self._activity.add("outage", reason=reason)
            return
        name = self._sources[main].source.name
        if before is None and self._was_out:
            self._was_out = False
            self._activity.add("recovered", source=name)
        else:
            self._activity.add(
                "source_change",
                source=name,
                role=_role(main),
                before=None if before is None else self._sources[before].source.name,
                reason=reason if before is not None else "the feed began",
            )

    def _use_what_is_needed(self) -> None:
        """Ask the source in use at full pace, and those that step in for symbols that it lacks."""
        lacking = set(self._symbols)
        allowed = self._selection.allowed
        for one in self._sources:
            needed = one.rank in allowed and any(
                not self._board.desk(one.rank, symbol).delisted for symbol in lacking
            )
            one.use(needed)
            if needed and one.healthy_seconds > WATCH_SECONDS:
                lacking -= {symbol for symbol in lacking if self._board.has_price(one.rank, symbol)}

    def _status(self) -> dict[str, Any]:
        main = self._selection.main
        chosen = None if main is None else self._sources[main]
        return {
            "leader": self._name,
            "source": chosen.source.name if chosen else None,
            "role": None if main is None else _role(main),
            "since_ms": self._since_ms,
            "beat_ms": now_ms(),
            "is_replay": chosen.source.is_replay if chosen else False,
            "sources": [one.as_json(_role(one.rank)) for one in self._sources],
        }


def _role(rank: int) -> str:
    return ROLES[min(rank, len(ROLES) - 1)]
