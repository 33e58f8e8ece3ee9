"""The feed process: waits for its turn to lead, leads, and gives the lead back when it ends."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module

from django.conf import settings
from django.db import DatabaseError, InterfaceError

from market_data.exchanges.connection import open_exchange
from market_data.prices import lease, state
from market_data.prices.activity import Activity
from market_data.prices.board import Board
from market_data.prices.following import check_intervals, check_symbols, has_room, symbols_to_follow
from market_data.prices.keeping import CandleKeeper
from market_data.prices.leading import Leader
from market_data.prices.lease import ReplacedError
from market_data.prices.replay.exchange import RunningReplay, replaying
from market_data.prices.replay.stored import stored_symbols
from market_data.prices.sources.binance import BUSY_SYMBOL
from market_data.prices.sources.opening import REPLAY, check_names, open_source
from market_data.prices.sources.protocol import Source
from market_data.prices.state import StateUnavailableError
from market_data.prices.threads import DatabaseThread
from market_data.prices.tuning import Tuning
from market_data.prices.writing import Writer
from workers.cancelling import cancel, raise_if_cancelled

logger = logging.getLogger(__name__)
FOLLOW_SECONDS = 0.4
LOOK_SECONDS = 30.0
"""Between two looks at whether the store has more symbols to follow."""


@dataclass(frozen=True, slots=True)
class _Before:
    """What the leader before has left in Redis."""

    prices: dict[str, state.Price]
    histories: dict[str, list[tuple[int, float]]]
    activity: list[dict[str, object]]


class Feed:
    """One process of those of which one leads.

    Raises
    ------
    MarketDataError
        When settings name sources that there are not.
    """

    def __init__(self) -> None:
        self._tuning = Tuning.of_settings()
        self._names: list[str] = settings.PRICE_SOURCES
        check_names(self._names)
        check_symbols(settings.PRICE_SYMBOLS)
        check_intervals(settings.PRICE_INTERVALS)
        self._holder = lease.own_name()
        self._can_read = True
        self._leases, self._candles = DatabaseThread("feed-lease"), DatabaseThread("feed-candles")

    async def run(self, stopped: asyncio.Event) -> None:
        """Follow and lead until stopped."""
        async with contextlib.AsyncExitStack() as stack:
            replay = None
            if REPLAY in self._names:
                replay = await stack.enter_async_context(replaying(self._candles))
            if set(self._names) - {REPLAY, "coingecko"}:
                # Loading it takes two seconds of a core: now, so that a takeover need not wait for it.
                await asyncio.to_thread(import_module, "ccxt.async_support")
            stopping = asyncio.create_task(stopped.wait())
            try:
                while not stopped.is_set():
                    term = await self._acquire()
                    if term is None:
                        await asyncio.wait([stopping], timeout=FOLLOW_SECONDS)
                    else:
                        await self._lead(term, stopping, replay)
            finally:
                stopping.cancel()
                self._leases.end()
                self._candles.end()

    async def _acquire(self) -> int | None:
        try:
            term = await self._leases.run(lambda: lease.acquire(self._holder, self._tuning.lease_seconds))
        except (DatabaseError, InterfaceError) as error:
            if self._can_read:  # it is asked several times a second
                logger.warning("the lease can't be read, it is tried again: %s", error)
            self._can_read = False
            return None
        self._can_read = True
        return term

    async def _lead(self, term: int, stopping: "asyncio.Task[bool]", replay: RunningReplay | None) -> None:
        logger.info("leads, term %d", term)
        keeping = asyncio.create_task(self._keep_lease(term))
        leading = asyncio.create_task(self._serve(term, replay))
        try:
            await asyncio.wait([stopping, keeping, leading], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (keeping, leading):
                task.cancel()
            outcomes = await asyncio.gather(keeping, leading, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, Exception) and not _means_replaced(outcome):
                logger.error("leading failed; it is tried again", exc_info=outcome)
                await asyncio.wait([stopping], timeout=1.0)
        logger.info("leads no more")
        with contextlib.suppress(DatabaseError, InterfaceError):
            await self._leases.run(lambda: lease.release(term))

    async def _keep_lease(self, term: int) -> None:
        """Renew until a later term has begun. While the database is away nobody else can know of one."""
        while True:
            await asyncio.sleep(self._tuning.lease_seconds / 3)
            try:
                if not await self._leases.run(lambda: lease.renew(term, self._tuning.lease_seconds)):
                    return
            except (DatabaseError, InterfaceError) as error:
                logger.warning("the lease can't be renewed: %s", error)

    async def _serve(self, term: int, replay: RunningReplay | None) -> None:
        sources = [open_source(name, replay_url=replay.url if replay else "") for name in self._names]
        async with Writer(term) as writer:
            is_other_market = replay is not None and await replay.renew()
            symbols = await self._candles.run(lambda: self._symbols(replay.symbols if replay else ()))
            with contextlib.suppress(state.RedisError, OSError):
                await writer.forget_others(() if is_other_market else symbols)
            raise_if_cancelled()
            before = await asyncio.to_thread(_read_before, symbols)
            also = () if BUSY_SYMBOL in symbols else (BUSY_SYMBOL,)
            board = Board(sources, symbols, self._tuning, also=also)
            board.remember(before.prices)
            confirm = partial(lease.confirm, term)
            keepers = await self._keepers(sources, symbols, board, replay, confirm)
            leader = Leader(
                name=self._holder,
                writer=writer,
                sources=sources,
                symbols=symbols,
                tuning=self._tuning,
                keepers=keepers,
                board=board,
                activity=Activity(self._tuning, before.activity),
                histories=before.histories,
                confirm=confirm,
            )
            await self._lead_until_more(leader, symbols, replay)

    async def _lead_until_more(
        self, leader: Leader, symbols: Sequence[str], replay: RunningReplay | None
    ) -> None:
        """Lead until the store has symbols that would be followed too: then begin again, with those."""
        tasks = [asyncio.create_task(leader.run()), asyncio.create_task(self._until_more(symbols, replay))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await cancel(tasks)
        for task in tasks:
            if not task.cancelled():
                task.result()

    async def _until_more(self, followed: Sequence[str], replay: RunningReplay | None) -> None:
        """Wait for new symbols while there is room; until no more of them come, as in the middle of a download."""
        before: set[str] = set()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            is_made_up = replay is not None and replay.is_made_up
            if not (is_made_up or has_room(settings.PRICE_SYMBOLS, followed)):
                continue
            with contextlib.suppress(DatabaseError, InterfaceError):
                stored = set(await self._candles.run(stored_symbols)) if replay else set[str]()
                played = stored or (replay.symbols if replay else ())
                wanted = set(await self._candles.run(lambda played=played: self._symbols(played)))
                is_more = bool(wanted - set(followed)) or (is_made_up and bool(stored))
                if is_more and wanted == before:
                    return
                before = wanted

    def _symbols(self, played: Collection[str]) -> list[str]:
        """What is followed when a replay, if there is one, plays these symbols."""
        symbols = symbols_to_follow(settings.PRICE_SYMBOLS)
        if self._names != [REPLAY]:
            return symbols
        return [symbol for symbol in symbols if symbol in played] or sorted(played)

    async def _keepers(
        self,
        sources: Sequence[Source],
        symbols: Sequence[str],
        board: Board,
        replay: RunningReplay | None,
        confirm: Callable[[], None],
    ) -> dict[int, CandleKeeper]:
        keepers: dict[int, CandleKeeper] = {}
        for rank, source in enumerate(sources):
            if (name := source.series_source) is None:
                continue
            keepers[rank] = CandleKeeper(
                name,
                symbols,
                settings.PRICE_INTERVALS,
                thread=self._candles,
                open_exchange=replay.open_exchange
                if replay and source.is_replay
                else lambda name=name: open_exchange(name),
                is_plausible=board.is_plausible,
                is_replay=source.is_replay,
                confirm=confirm,
                patience_seconds=self._tuning.candle_patience_seconds,
            )
            await keepers[rank].load()
        return keepers


def _read_before(symbols: Sequence[str]) -> _Before:
    try:
        prices = state.latest(symbols)
        histories = {symbol: state.history(symbol) for symbol in prices}
        return _Before(prices, histories, state.activity())
    except StateUnavailableError as error:
        logger.warning("%s", error)
        return _Before({}, {}, [])


def _means_replaced(error: Exception) -> bool:
    if isinstance(error, ExceptionGroup):
        return any(_means_replaced(one) for one in error.exceptions)
    return isinstance(error, ReplacedError)
