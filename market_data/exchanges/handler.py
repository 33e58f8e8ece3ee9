"""What a run of kind `download` does: one job per cryptocurrency, each going on where it last stopped."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.db.models import Count, Sum

from market_data.errors import MarketDataError
from market_data.exchanges.connection import Exchange, open_exchange
from market_data.exchanges.downloading import Downloaded, Wanted, download
from market_data.models import DownloadResult, as_datetime
from workers.dispatch import DOWNLOADS_QUEUE
from workers.handlers import FinishedJob, InvalidSpecError, JobError, PlannedJob, Spec
from workers.reporting import report

KIND = "download"
JOB_SECONDS = 3000.0
"""Well within the time limit of a job: a longer download is taken up by the next run."""


@dataclass(frozen=True, slots=True)
class DownloadSpec:
    """A request to download, as the run keeps it."""

    exchange: str
    interval: str
    symbols: list[str]
    start_ms: int | None
    end_ms: int | None

    def wanted(self, symbol: str) -> Wanted:
        """What to fetch of one cryptocurrency."""
        end_ms = (1 << 62) if self.end_ms is None else self.end_ms
        return Wanted(symbol, self.interval, self.start_ms, end_ms)


class DownloadHandler:
    """Plugs downloads into the fan-out."""

    kind = KIND
    queue: str | None = DOWNLOADS_QUEUE
    metric_names: frozenset[str] = frozenset({"added_count", "page_count"})

    def warm_up(self) -> None:
        """Nothing: ccxt is loaded only by a worker that downloads."""

    def plan(self, spec: Spec, *, owner: Any) -> Sequence[PlannedJob]:
        """One job per symbol, in the order given."""
        symbols = DownloadSpec(**spec).symbols
        if not symbols:
            raise InvalidSpecError({"symbols": ["name at least one"]})
        return [PlannedJob(symbol) for symbol in symbols]

    def execute(self, spec: Spec, key: str) -> Downloaded:
        """Download one cryptocurrency; every page is stored as it comes."""
        request = DownloadSpec(**spec)
        try:
            return download(
                _exchange(request.exchange),
                request.wanted(key),
                seconds=JOB_SECONDS,
                progress=lambda added, share: report(share, added_count=added),
            )
        except MarketDataError as error:
            raise JobError(str(error)) from error

    def store(self, outcome: Downloaded) -> None:
        """Nothing: the candles are stored already."""

    def record(self, finished: Sequence[FinishedJob], *, cached: bool) -> list[dict[str, Any]]:
        """Keep what each job has brought, for the run's summary and its event."""
        DownloadResult.objects.bulk_create(
            DownloadResult(
                job_id=done.job_id,
                symbol=done.outcome.symbol,
                series=done.outcome.series,
                added_count=done.outcome.added_count,
            )
            for done in finished
        )
        return [event_fields(done.outcome) for done in finished]

    def metrics(self, outcome: Downloaded) -> dict[str, float | None]:
        """What a predicate may ask of a finished job."""
        return {"added_count": outcome.added_count, "page_count": outcome.page_count}

    def retry_spec(self, spec: Spec, keys: Sequence[str]) -> Spec:
        """The same download of some symbols only."""
        return {**spec, "symbols": list(keys)}

    def summarise(self, run_id: UUID) -> dict[str, Any]:
        """How many candles came, and for how many cryptocurrencies."""
        return DownloadResult.objects.filter(job__run_id=run_id).aggregate(
            symbol_count=Count("pk"), added_count=Sum("added_count", default=0)
        )

    def links(self, run_id: UUID) -> dict[str, str]:
        """Nothing beyond what every run has."""
        return {}


def event_fields(done: Downloaded) -> dict[str, Any]:
    """What the event of a finished job says."""
    series = done.series
    return {
        "symbol": done.symbol,
        "added_count": done.added_count,
        "page_count": done.page_count,
        "delisted": done.delisted,
        "candle_count": series.candle_count if series else 0,
        "gap_count": series.gap_count if series else 0,
        "missing_count": series.missing_count if series else 0,
        "first_open": _iso(series.first_open_ms if series else None),
        "last_open": _iso(series.last_open_ms if series else None),
    }


@lru_cache(maxsize=8)
def _exchange(name: str) -> Exchange:
    """A process keeps its connections, and with them the markets and the pace that an exchange allows."""
    return open_exchange(name)


def _iso(time_ms: int | None) -> str | None:
    moment = as_datetime(time_ms)
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")
