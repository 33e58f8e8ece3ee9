"""What a run of kind `import` does: one job that reads one uploaded file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, Sum

from market_data.adjusting import Adjustment
from market_data.errors import MarketDataError
from market_data.importers.importing import Imported, ImportOptions, import_file
from market_data.models import ImportResult, Upload, as_datetime
from market_data.uploads import spool
from workers.dispatch import DOWNLOADS_QUEUE
from workers.handlers import FinishedJob, InvalidSpecError, JobError, PlannedJob, Spec
from workers.reporting import report

KIND = "import"
KEY_LENGTH = 64
MOST_IN_EVENT, MOST_WARNINGS = 50, 10


@dataclass(frozen=True, slots=True)
class FileImported:
    """What has been found in a file."""

    upload_id: str
    found: list[Imported]
    dry_run: bool

    @property
    def candle_count(self) -> int:
        """Of all cryptocurrencies together."""
        return sum(one.candle_count for one in self.found)


class ImportHandler:
    """Plugs imports into the fan-out."""

    kind = KIND
    queue: str | None = DOWNLOADS_QUEUE
    metric_names: frozenset[str] = frozenset({"candle_count"})

    def warm_up(self) -> None:
        """Nothing that takes time."""

    def plan(self, spec: Spec, *, owner: Any) -> Sequence[PlannedJob]:
        """One job, named as the file."""
        if not Upload.objects.filter(pk=spec["upload"], imported_at=None).exists():
            raise InvalidSpecError({"upload": ["The uploaded file is no longer kept; send it again."]})
        return [PlannedJob(spec["file"][:KEY_LENGTH])]

    def execute(self, spec: Spec, key: str) -> FileImported:
        """Import the file; done twice it changes nothing."""
        try:
            with spool.fetched(spec["upload"]) as path:
                found = import_file(
                    path,
                    options_of(spec),
                    dry_run=spec["dry_run"],
                    progress=lambda share, step: report(share, step=step),
                )
        except MarketDataError as error:
            raise JobError(str(error)) from error
        return FileImported(spec["upload"], found, spec["dry_run"])

    def store(self, outcome: FileImported) -> None:
        """Nothing: the candles are stored already."""

    def record(self, finished: Sequence[FinishedJob], *, cached: bool) -> list[dict[str, Any]]:
        """Keep what was found, and let the file go that is no longer needed."""
        for job in finished:
            done: FileImported = job.outcome
            ImportResult.objects.create(
                job_id=job.job_id,
                symbol_count=len(done.found),
                candle_count=done.candle_count,
                found=[described(one) for one in done.found],
            )
            if not done.dry_run:
                spool.mark_imported(done.upload_id)
        return [_event_fields(job.outcome) for job in finished]

    def metrics(self, outcome: FileImported) -> dict[str, float | None]:
        """What a predicate may ask of a finished job."""
        return {"candle_count": outcome.candle_count}

    def retry_spec(self, spec: Spec, keys: Sequence[str]) -> Spec:
        """The same file again."""
        return spec

    def summarise(self, run_id: UUID) -> dict[str, Any]:
        """How much was found."""
        return ImportResult.objects.filter(job__run_id=run_id).aggregate(
            file_count=Count("pk"),
            symbol_count=Sum("symbol_count", default=0),
            candle_count=Sum("candle_count", default=0),
        )

    def links(self, run_id: UUID) -> dict[str, str]:
        """Where to read what was found."""
        return {"imported": f"/api/imports/{run_id}/"}


def options_of(spec: Spec) -> ImportOptions:
    """What the user has said about the file."""
    return ImportOptions(
        source=spec["source"],
        symbol=spec["symbol"],
        interval=spec["interval"],
        columns=spec["columns"],
        adjustments=[Adjustment(**adjustment) for adjustment in spec["adjust"]],
        split_reused=not spec["keep_reused"],
    )


def described(imported: Imported) -> dict[str, Any]:
    """What was found of one cryptocurrency, as JSON."""
    return {
        "file": imported.file,
        "symbol": imported.symbol,
        "interval": imported.interval,
        "layout": imported.layout,
        "columns": imported.columns,
        "times": imported.written_as,
        "candle_count": imported.candle_count,
        "first_open": _iso(imported.first_open_ms),
        "last_open": _iso(imported.last_open_ms),
        "repairs": imported.repairs,
        "warnings": imported.warnings,
        "series": [series.pk for series in imported.series],
    }


def _event_fields(done: FileImported) -> dict[str, Any]:
    """What the event says: the first of a large archive's cryptocurrencies, the rest is read elsewhere."""
    first = [described(one) for one in done.found[:MOST_IN_EVENT]]
    return {
        "dry_run": done.dry_run,
        "symbol_count": len(done.found),
        "candle_count": done.candle_count,
        "found": [{**one, "warnings": one["warnings"][:MOST_WARNINGS]} for one in first],
    }


def _iso(time_ms: int) -> str:
    moment = as_datetime(time_ms)
    assert moment is not None, "a time is given"
    return moment.isoformat().replace("+00:00", "Z")
