"""Candles that close while the feed runs are appended to their series; those it did not hear of are fetched.

Only series of the source's own name are touched, so an imported file is never mixed with an exchange's candles.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from django.db import DatabaseError, InterfaceError

from market_data import store
from market_data.aggregation import start_of_period
from market_data.candles import CandleError, Candles
from market_data.codec import empty_candles
from market_data.errors import MarketDataError
from market_data.exchanges.connection import Exchange, ExchangeError, Market
from market_data.exchanges.downloading import Wanted, download
from market_data.intervals import INTERVAL_MS
from market_data.models import CandleSeries
from market_data.prices.kept import Kept
from market_data.prices.lease import ReplacedError
from market_data.prices.sources.protocol import ClosedCandle
from market_data.prices.threads import DatabaseThread

logger = logging.getLogger(__name__)
GATHER_SECONDS = 0.2
CHECK_SECONDS = 0.5
FETCH_SECONDS = 60.0
FETCH_ATTEMPTS = 2
"""The keeper itself comes back to it."""
RELOAD_SECONDS = 30.0
"""Series may be made or deleted while they are kept current."""
MOST_ARRIVED = 5000
"""Candles that wait for the database; what comes beyond them is fetched later."""
LEAP = 20.0
"""Closes of neighbouring candles that differ more than so many times are nonsense."""
Key = tuple[str, str]
"""A symbol and an interval."""


class CandleKeeper:
    """Keeps the series of one source current.

    Parameters
    ----------
    source
        Name of the series' source in the store.
    open_exchange
        Connects to the REST interface that fills gaps; called in the database thread.
    is_plausible
        Whether a symbol's close can be right, as far as its live prices tell.
    is_replay
        Begin series that are not there, marked as generated. Else only those are kept current that came by a
        download: a series that began in the middle would pass for one that has no earlier candles.
    confirm
        Raises ReplacedError when another feed leads by now; called in the database thread before anything is stored.
    """

    def __init__(
        self,
        source: str,
        symbols: Sequence[str],
        intervals: Sequence[str],
        *,
        thread: DatabaseThread,
        open_exchange: Callable[[], Exchange],
        is_plausible: Callable[[str, float], bool],
        is_replay: bool,
        confirm: Callable[[], None],
        patience_seconds: float,
    ) -> None:
        self._source, self._symbols, self._intervals = source, tuple(symbols), tuple(intervals)
        self._thread, self._open_exchange = thread, open_exchange
        self._is_plausible, self._is_replay = is_plausible, is_replay
        self._confirm, self._patience_seconds = confirm, patience_seconds
        self._series: dict[Key, Kept] = {}
        self._arrived: list[ClosedCandle] = []
        self._closed_ms = dict.fromkeys(self._intervals, 0)
        self._exchange: Exchange | None = None

    def keys(self) -> list[Key]:
        """The series that are kept current."""
        return list(self._series)

    async def load(self) -> None:
        """Find out which series there are and how far they go; what is known of those that stay is kept."""
        found = await self._thread.run(self._load)
        for key, kept in found.items():
            known = self._series.get(key, kept)
            known.last_open_ms = kept.last_open_ms
            found[key] = known
        self._series = found

    def put(self, candle: ClosedCandle) -> None:
        """A candle that has closed, in any order and any number of times."""
        kept = self._series.get((candle.symbol, candle.interval))
        known = kept is not None and (kept.last_open_ms is None or candle.open_time_ms > kept.last_open_ms)
        aligned = known and start_of_period(candle.open_time_ms, candle.interval) == candle.open_time_ms
        has_room = len(self._arrived) < MOST_ARRIVED
        if aligned and has_room and self._is_plausible(candle.symbol, candle.close):
            self._arrived.append(candle)

    def tell_time(self, time_ms: int) -> None:
        """The exchange's time: candles that end before it have closed."""
        for interval, closed_ms in self._closed_ms.items():
            self._closed_ms[interval] = max(closed_ms, start_of_period(time_ms, interval))

    async def run(self) -> None:
        """Write what arrives, and fetch what does not, until cancelled.

        Raises
        ------
        ReplacedError
            If another feed leads by now.
        """
        checked_at, loaded_at = 0.0, time.monotonic()
        while True:
            await asyncio.sleep(GATHER_SECONDS)
            try:
                if self._arrived:
                    arrived, self._arrived = self._arrived, []
                    await self._thread.run(lambda arrived=arrived: self._append(arrived))
                if time.monotonic() - loaded_at >= RELOAD_SECONDS:
                    await self.load()
                    loaded_at = time.monotonic()
                if time.monotonic() - checked_at >= CHECK_SECONDS:
                    checked_at = 0.0 if await self._fetch_missing() else time.monotonic()
            except ReplacedError:
                raise
            except (DatabaseError, InterfaceError) as error:
                logger.warning("candles of %s can't be stored: %s", self._source, error)
                await asyncio.sleep(1)
            except Exception:
                # Whatever the database or an exchange did: what is missing is still missing, and fetched.
                logger.exception("candles of %s could not be stored", self._source)
                await asyncio.sleep(1)

    def _load(self) -> dict[Key, Kept]:
        stored = CandleSeries.objects.filter(
            source=self._source, interval__in=self._intervals, cryptocurrency__symbol__in=self._symbols
        ).values_list("cryptocurrency__symbol", "interval", "last_open_ms")
        found = {(symbol, interval): Kept(last) for symbol, interval, last in stored if last is not None}
        if self._is_replay:
            for symbol in self._symbols:
                for interval in self._intervals:
                    found.setdefault((symbol, interval), Kept(None))
        return found

    def _append(self, arrived: Iterable[ClosedCandle]) -> None:
        """Write candles that follow what is stored; one that leaves a gap waits to be fetched with the gap."""
        rows: dict[Key, dict[int, ClosedCandle]] = {}
        for candle in arrived:
            rows.setdefault((candle.symbol, candle.interval), {})[candle.open_time_ms] = candle
        for key, candles in rows.items():
            if not self._is_as_known(key):
                continue
            kept = self._series[key]
            next_ms = min(candles) if kept.last_open_ms is None else kept.last_open_ms + INTERVAL_MS[key[1]]
            run: list[ClosedCandle] = []
            while next_ms in candles:
                run.append(candles[next_ms])
                next_ms += INTERVAL_MS[key[1]]
            if run:
                self._write(key, run)

    def _is_as_known(self, key: Key) -> bool:
        """Whether a series still ends where it is thought to.

        It does not when it was deleted, or is being downloaded anew: a candle of now would leave a hole before it.
        """
        kept = self._series.get(key)
        if kept is None:
            return False
        stored = self._stored(key)
        if stored is None and not self._is_replay:
            del self._series[key]
            return False
        last_open_ms = stored.last_open_ms if stored else None
        is_as_known, kept.last_open_ms = kept.last_open_ms == last_open_ms, last_open_ms
        return is_as_known

    def _stored(self, key: Key) -> CandleSeries | None:
        symbol, interval = key
        series = store.find_series(source=self._source, interval=interval, symbol=symbol)
        return series if series is not None and series.base is None else None

    def _write(self, key: Key, run: Sequence[ClosedCandle]) -> None:
        symbol, interval = key
        self._confirm()
        try:
            series = store.write_candles(
                symbol=symbol,
                source=self._source,
                interval=interval,
                candles=_as_candles(run),
                generated=self._is_replay,
            )
        except CandleError as error:
            logger.warning("%s sent a candle of %s that can't be: %s", self._source, symbol, error)
        else:
            self._series[key].last_open_ms = series.last_open_ms

    async def _fetch_missing(self) -> bool:
        """Fetch what one series lacks; whether there was one. What has arrived meanwhile comes first."""
        for key, kept in self._series.items():
            closed_ms = self._closed_ms[key[1]]
            if kept.should_be_fetched(closed_ms - INTERVAL_MS[key[1]], self._patience_seconds):
                await self._thread.run(lambda key=key, end_ms=closed_ms: self._fetch(key, end_ms))
                kept.plan_retry(closed_ms - INTERVAL_MS[key[1]])
                return True
        return False

    def _fetch(self, key: Key, end_ms: int) -> None:
        if not self._is_as_known(key):
            return
        symbol, interval = key
        try:
            if self._exchange is None:
                self._exchange = self._open_exchange()
                self._exchange.attempts = FETCH_ATTEMPTS
                self._exchange.check = self._check
            download(self._exchange, Wanted(symbol, interval, end_ms=end_ms), seconds=FETCH_SECONDS)
        except MarketDataError as error:
            logger.warning("candles of %s could not be fetched: %s", symbol, error)
        if (series := self._stored(key)) is not None:
            self._series[key].last_open_ms = series.last_open_ms

    def _check(self, market: Market, page: Candles) -> None:
        """Refuse candles that are no market's, before they are stored, and those that another feed stores."""
        self._confirm()
        leaps = np.abs(np.diff(np.log(np.maximum(page.close, 1e-300))))
        if len(leaps) and leaps.max() > np.log(LEAP):
            at_ms = int(page.open_time_ms[int(leaps.argmax()) + 1])
            raise ExchangeError(
                f"{self._source}'s {market.symbol} leaps more than {LEAP:g}-fold at {at_ms} ms; "
                "if that is right, `download_candles` stores it."
            )
        if (
            len(page)
            and not self._is_plausible(market.symbol, float(page.close[-1]))
            and self._is_recent(page)
        ):
            raise ExchangeError(f"{self._source}'s last candle of {market.symbol} is far from its price.")

    def _is_recent(self, page: Candles) -> bool:
        """Whether the last candle of a page ended so lately that its close must be near the price of now."""
        step_ms = int(page.open_time_ms[-1] - page.open_time_ms[-2]) if len(page) > 1 else 0
        newest_ms = max(self._closed_ms.values())
        return int(page.open_time_ms[-1]) + 3 * step_ms >= newest_ms


def _as_candles(run: Sequence[ClosedCandle]) -> Candles:
    candles = empty_candles(len(run))
    for bar, candle in enumerate(run):
        candles.open_time_ms[bar] = candle.open_time_ms
        for name in ("open", "high", "low", "close", "volume"):
            getattr(candles, name)[bar] = getattr(candle, name)
    return candles
