"""`manage.py import_candles`: candles from files into the store."""

from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from market_data.adjusting import parse_adjustment
from market_data.errors import MarketDataError
from market_data.importers.importing import SOURCE, Imported, ImportOptions, files_in, import_file
from market_data.importers.layout import FIELDS
from market_data.intervals import INTERVAL_MS
from market_data.models import CandleSeries, as_datetime
from market_data.quality import SeriesWarning

BAR_WIDTH = 20


class Command(BaseCommand):
    """Import candles from files: what they hold is recognised, checked, and shown."""

    help = "Import candles from Parquet, CSV (also gz, zip), Feather and JSON files, or folders of them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Files, and what to say about them instead of having it recognised."""
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files or folders")
        parser.add_argument(
            "--source", default=SOURCE, help=f"where the candles come from (default {SOURCE!r})"
        )
        parser.add_argument(
            "--symbol", help="the cryptocurrency, instead of the one in the file's name or column"
        )
        parser.add_argument(
            "--interval", choices=list(INTERVAL_MS), help="instead of the distance of the candles"
        )
        parser.add_argument(
            "--columns",
            type=_columns,
            default={},
            metavar="FIELD=NAME,…",
            help=f"the file's names of {', '.join(FIELDS)} and symbol, instead of the recognised ones",
        )
        parser.add_argument(
            "--adjust",
            action="append",
            default=[],
            metavar="SYMBOL=FACTOR@DATE",
            help="candles before the date are in old units, FACTOR new coins for each old one",
        )
        parser.add_argument(
            "--keep-reused", action="store_true", help="do not split a symbol that was given to another coin"
        )
        parser.add_argument("--dry-run", action="store_true", help="show what is recognised; store nothing")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Import one file after the other, a line for each; a bad one does not hold up the others."""
        wanted = _import_options(options)
        files = files_in(options["paths"])
        candle_count = refused = 0
        for number, path in enumerate(files, start=1):
            try:
                progress = self._progress(f"{number}/{len(files)} {path.name}")
                found = import_file(path, wanted, dry_run=options["dry_run"], progress=progress)
            except MarketDataError as error:
                refused += 1
                self._clear()
                self.stderr.write(f"{number}/{len(files)} refused: {error}")
                continue
            self._clear()
            candle_count += sum(imported.candle_count for imported in found)
            for imported in found:
                self.stdout.write(f"{number}/{len(files)} {_line(imported)}")
        verb = "Recognised" if options["dry_run"] else "Imported"
        self.stdout.write(
            f"{verb} {candle_count:,} candles from {len(files) - refused} of {len(files)} files."
        )
        if not files or refused:
            raise CommandError(f"{refused} of {len(files)} refused." if files else "No files there.")

    def _progress(self, place: str) -> Callable[[float, str], object]:
        """Shows the share that is done, in place, where there is a terminal."""
        if not self.stdout.isatty():
            return lambda share, step: None
        return lambda share, step: self.stdout.write(_bar(place, share, step), ending="\r")

    def _clear(self) -> None:
        """Takes the progress away, for the line of what has come of it."""
        if self.stdout.isatty():
            self.stdout.write("\r\x1b[K", ending="")


def _bar(place: str, share: float, step: str) -> str:
    filled = round(share * BAR_WIDTH)
    return f"{place} {'█' * filled}{'░' * (BAR_WIDTH - filled)} {share:4.0%} {step:<8}"


def _import_options(options: dict[str, Any]) -> ImportOptions:
    try:
        adjustments = [parse_adjustment(text) for text in options["adjust"]]
    except MarketDataError as error:
        raise CommandError(str(error)) from error
    return ImportOptions(
        source=options["source"],
        symbol=options["symbol"],
        interval=options["interval"],
        columns=options["columns"],
        adjustments=adjustments,
        split_reused=not options["keep_reused"],
    )


def _columns(text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in text.split(",")]
    return {field.strip(): name.strip() for field, _, name in pairs}


def _line(imported: Imported) -> str:
    first, last = as_datetime(imported.first_open_ms), as_datetime(imported.last_open_ms)
    text = f"{imported.symbol} {imported.interval}: {imported.candle_count:,} candles"
    text += f", {first:%Y-%m-%d} to {last:%Y-%m-%d}"
    if imported.repairs:
        text += "; rows " + ", ".join(f"{rule}: {rows:,}" for rule, rows in sorted(imported.repairs.items()))
    if not imported.series:
        columns = ", ".join(f"{field}={name}" for field, name in imported.columns.items())
        text += f" [{imported.file}: layout {imported.layout}, {columns}, times as {imported.written_as}]"
        return _with_warnings(text, imported.warnings)
    *former, present = imported.series
    text += _gaps(present)
    if former:
        names = ", ".join(f"{series.cryptocurrency.symbol} ({series.candle_count:,})" for series in former)
        text += f"; candles of former coins of that name are in {names}"
    return _with_warnings(text, present.warnings)


def _gaps(series: CandleSeries) -> str:
    if not series.gap_count:
        return ""
    gaps = "1 gap" if series.gap_count == 1 else f"{series.gap_count:,} gaps"
    candles = "1 candle" if series.missing_count == 1 else f"{series.missing_count:,} candles"
    return f"; {gaps} ({candles} missing)"


def _with_warnings(text: str, warnings: Sequence[SeriesWarning]) -> str:
    lines = [warning["message"] for warning in warnings if warning["code"] != "jump"]
    return "\n      ".join([text, *lines])
