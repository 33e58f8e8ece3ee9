"""Candles from an exchange into the store, page by page: what is stored already is not asked for again."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from market_data.aggregation import next_period, start_of_period
from market_data.candles import CandleError, Candles
from market_data.chunks import concatenate
from market_data.exchanges.connection import Exchange, ExchangeError, Market, UnknownSymbolError
from market_data.intervals import INTERVAL_MS
from market_data.models import CandleSeries
from market_data.reused import write_apart
from market_data.store import record

EARLIEST_MS = 1_483_228_800_000
"""2017-01-01: before it hardly any exchange has candles to give."""
RULE = "downloaded"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to download.

    Attributes
    ----------
    start_ms
        The first open time that is wanted. None: whatever the series begins with, or all there is for a new one.
    end_ms
        Candles that open before this.
    """

    symbol: str
    interval: str
    start_ms: int | None = None
    end_ms: int = 1 << 62


@dataclass(frozen=True, slots=True)
class Downloaded:
    """What a download has brought.

    Attributes
    ----------
    delisted
        The exchange no longer trades it: there will be no more candles.
    """

    symbol: str
    series: CandleSeries | None
    page_count: int
    added_count: int
    delisted: bool


def download(
    exchange: Exchange,
    wanted: Wanted,
    *,
    seconds: float = float("inf"),
    progress: Callable[[int, float], object] = lambda added, share: None,
) -> Downloaded:
    """Fetch what is missing at the end of a series, and at its beginning if an earlier start is wanted.

    Every page is stored before the next is asked for: an interrupted download goes on where it stopped. The
    candle that is still growing, by the exchange's clock, is left out.

    Parameters
    ----------
    seconds
        How long it may take.
    progress
        Called after each page with the candles added so far and the share of the time range that is done.

    Raises
    ------
    UnknownSymbolError
        If the exchange does not have it.
    ExchangeError
        If the exchange does not answer, or with candles that can't be, or not within `seconds`.
    """
    exchange.check_interval(wanted.interval)
    market = exchange.market(wanted.symbol)
    end_ms = min(wanted.end_ms, start_of_period(exchange.now_ms(), wanted.interval))
    work = _Download(exchange, market, wanted.interval, time.monotonic() + seconds, progress)
    series = _stored(exchange.name, wanted)
    if series is None or series.first_open_ms is None or series.last_open_ms is None:
        work.forwards(EARLIEST_MS if wanted.start_ms is None else wanted.start_ms, end_ms)
    else:
        if wanted.start_ms is not None and not _has_been_asked(series, wanted.start_ms):
            work.backwards(wanted.start_ms, series.first_open_ms)
        work.forwards(series.last_open_ms + series.interval_ms, end_ms)
    series = _stored(exchange.name, wanted)
    if series is None and not market.active:
        raise UnknownSymbolError(
            f"{exchange.name} no longer trades {wanted.symbol} and gives no candles of it."
        )
    if series is not None and wanted.start_ms is not None:
        record(series, [{"rule": RULE, "since_ms": wanted.start_ms}])
    return Downloaded(wanted.symbol, series, work.page_count, work.added_count, delisted=not market.active)


class _Download:
    """One series while it is being fetched."""

    def __init__(
        self,
        exchange: Exchange,
        market: Market,
        interval: str,
        deadline: float,
        progress: Callable[[int, float], object],
    ) -> None:
        self.exchange = exchange
        self.market = market
        self.interval = interval
        self.deadline = deadline
        self.progress = progress
        self.page_count = 0
        self.added_count = 0

    def forwards(self, start_ms: int, stop_ms: int) -> None:
        """Fetch candles that open at `start_ms` to `stop_ms` (exclusive), and store each page as it comes."""
        for since_ms, page in self._pages(start_ms, stop_ms):
            self._store(page)
            self.progress(self.added_count, min((since_ms - start_ms) / (stop_ms - start_ms), 1.0))

    def backwards(self, start_ms: int, stop_ms: int) -> None:
        """The same from the end to the beginning, a page's span at a time.

        Whenever this is interrupted, what is stored has no hole before the candles that were there already.
        """
        if start_ms >= stop_ms:
            return
        first = self._page(next_period(start_ms, self.interval))
        if len(first) and first.open_time_ms[0] >= stop_ms:
            return  # the exchange skips to its first candle, and that is stored
        span_ms = self.exchange.page_candles * INTERVAL_MS[self.interval]
        for end_ms in range(stop_ms, start_ms, -span_ms):
            pages = [page for _, page in self._pages(max(end_ms - span_ms, start_ms), end_ms) if len(page)]
            if pages:
                self._store(concatenate(pages))
            self.progress(self.added_count, (stop_ms - end_ms) / (stop_ms - start_ms))

    def _pages(self, start_ms: int, stop_ms: int) -> Iterator[tuple[int, Candles]]:
        """The candles of a span, page by page, each with the time from which on more are wanted."""
        since_ms = next_period(start_ms, self.interval)
        while since_ms < stop_ms:
            page = self._page(since_ms).between(since_ms, stop_ms)
            if len(page):
                since_ms = int(page.open_time_ms[-1]) + INTERVAL_MS[self.interval]
            else:
                # Some exchanges answer with a span of time rather than a number of candles: a hole, or the time
                # before a coin was listed, is empty then, with candles behind it.
                since_ms += self.exchange.page_candles * INTERVAL_MS[self.interval]
            yield since_ms, page

    def _page(self, since_ms: int) -> Candles:
        if time.monotonic() > self.deadline:
            raise ExchangeError(
                f"{self.market.symbol} took too long; what has come is stored: start it again to go on."
            )
        self.page_count += 1
        return self.exchange.page(self.market, self.interval, since_ms)

    def _store(self, page: Candles) -> None:
        if not len(page):
            return
        off = [
            time_ms
            for time_ms in page.open_time_ms.tolist()
            if next_period(time_ms, self.interval) != time_ms
        ]
        if off:
            raise ExchangeError(
                f"{self.exchange.name} sent a {self.interval} candle that opens at {off[0]} ms."
            )
        try:
            write_apart(
                symbol=self.market.symbol,
                source=self.exchange.name,
                interval=self.interval,
                candles=page,
                generated=self.exchange.is_replay,
            )
        except CandleError as error:
            raise ExchangeError(f"{self.exchange.name} sent a candle that can't be: {error}.") from error
        self.added_count += len(page)


def _has_been_asked(series: CandleSeries, start_ms: int) -> bool:
    """Whether candles from a time on have been asked for already: what is missing there does not exist."""
    return any(entry["rule"] == RULE and entry["since_ms"] <= start_ms for entry in series.history)


def _stored(source: str, wanted: Wanted) -> CandleSeries | None:
    series = CandleSeries.objects.filter(
        cryptocurrency__symbol=wanted.symbol, source=source, interval=wanted.interval
    )
    return series.select_related("cryptocurrency").first()
