"""What `benchmarks.market_data` measures on one database."""

import json
import os
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet
from django.conf import settings
from django.db import connection

from market_data import chunks, codec, sample, store
from market_data.candles import Candles
from market_data.importers.importing import ImportOptions, import_file
from market_data.models import CandleChunk, CandleSeries

CANDLES = 43_800
FILE_CANDLES = 10 * CANDLES
FOREVER_MS = 4_000_000_000_000
Figures = dict[str, dict[str, dict[str, float]]]


def measure(folder: Path, symbols: int) -> Figures:
    """Everything, on an empty database."""
    coin = next(sample.generate(symbol_count=1, candle_count=CANDLES))
    series = _write(coin)
    return {
        f"One series of {CANDLES:,} candles into arrays": _reading(folder, series, coin.candles),
        "Local files of a series, by what shares a file": _file_layouts(folder, series, coin.candles),
        "Import": _importing(folder),
        "Bytes a candle": _sizes(),
        f"{symbols} series of {CANDLES:,} candles into a fresh worker": _market(symbols),
    }


def _write(coin: sample.SampleCoin) -> CandleSeries:
    return store.write_candles(
        symbol=coin.symbol, source="sample", interval="1h", candles=coin.candles, generated=True
    )


def _reading(folder: Path, series: CandleSeries, candles: Candles) -> dict[str, dict[str, float]]:
    frame = pd.DataFrame({name: getattr(candles, name) for name in codec.COLUMNS})
    text = frame.to_json(orient="records")
    frame.to_parquet(folder / "frame.parquet")
    months = series.chunk_records["month"].tolist()
    stored = chunks.read_chunks(series.pk, months)

    def cold() -> None:
        shutil.rmtree(settings.CANDLE_FILES_DIR, ignore_errors=True)
        store.load_candles(series, 0, FOREVER_MS)

    slow = _median_ms(lambda: pd.DataFrame(json.loads(text)), 5)
    times = {
        "JSON cache and pandas": slow,
        "Parquet file": _median_ms(
            lambda: pa_parquet.read_table(folder / "frame.parquet", use_threads=False)
        ),
        "database and write local files": _median_ms(cold),
        "database: query": _median_ms(lambda: chunks.read_chunks(series.pk, months)),
        "database: unpack and check": _median_ms(lambda: chunks.unpack(stored)),
        "local files, checked": _median_ms(lambda: store.load_candles(series, 0, FOREVER_MS), 101),
        "checksum of the range, no files": _median_ms(
            lambda: store.range_checksum(series, 0, FOREVER_MS, 14)
        ),
    }
    return {name: {"ms": ms, "times faster than JSON": slow / ms} for name, ms in times.items()}


def _file_layouts(folder: Path, series: CandleSeries, candles: Candles) -> dict[str, dict[str, float]]:
    """A month, a year or all in one file: what reading all costs, and writing after one appended candle."""
    counts = series.chunk_records["count"].tolist()
    rows: dict[str, dict[str, float]] = {}
    for name, months in (("a month", 1), ("a year", 12), ("the series", len(counts))):
        sizes = [sum(counts[at : at + months]) for at in range(0, len(counts), months)]
        paths = [folder / f"layout-{number}" for number in range(len(sizes))]
        at = 0
        for path, size in zip(paths, sizes, strict=True):
            columns = (getattr(candles, column)[at : at + size].tobytes() for column in codec.COLUMNS)
            path.write_bytes(b"".join(columns))
            at += size
        last = paths[-1].read_bytes()
        rows[name] = {
            "files": len(paths),
            "read ms": _median_ms(lambda p=paths, s=sizes: _read_files(p, s), 51),
            "write the last ms": _median_ms(lambda d=last: (folder / "layout-new").write_bytes(d)),
        }
    return rows


def _read_files(paths: list[Path], sizes: list[int]) -> Candles:
    candles = codec.empty_candles(sum(sizes))
    at = 0
    for path, size in zip(paths, sizes, strict=True):
        descriptor = os.open(path, os.O_RDONLY)
        columns = [memoryview(getattr(candles, name)[at : at + size]).cast("B") for name in codec.COLUMNS]
        os.preadv(descriptor, columns, 0)
        os.close(descriptor)
        at += size
    return candles


def _importing(folder: Path) -> dict[str, dict[str, float]]:
    coin = next(sample.generate(symbol_count=1, candle_count=FILE_CANDLES, interval="15m", seed=7))
    columns = {name: getattr(coin.candles, name) for name in codec.COLUMNS[1:]}
    numbers = pa.table({"open_time": coin.candles.open_time_ms, **columns})
    text = pa.table({"datetime": coin.candles.open_time_ms.astype("datetime64[ms]").astype(str), **columns})
    pa_parquet.write_table(numbers, folder / "AUSDT.parquet")
    pa_csv.write_csv(numbers, folder / "BUSDT.csv")
    pa_csv.write_csv(text, folder / "CUSDT.csv")
    rates: dict[str, dict[str, float]] = {}
    for name, file in (
        ("Parquet", "AUSDT.parquet"),
        ("CSV, times as milliseconds", "BUSDT.csv"),
        ("CSV, times as text", "CUSDT.csv"),
    ):
        started = time.perf_counter()
        import_file(folder / file, ImportOptions(source="benchmark"))
        rates[name] = {"candles a second": FILE_CANDLES / (time.perf_counter() - started)}
    CandleSeries.objects.filter(source="benchmark").delete()
    return rates


def _sizes() -> dict[str, dict[str, float]]:
    packed = sum(len(data) for data in CandleChunk.objects.values_list("data", flat=True))
    rows = {"packed": packed / CANDLES, "arrays": 48.0}
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM FULL market_data_candlechunk")
            cursor.execute("SELECT pg_total_relation_size('market_data_candlechunk')")
            rows["table with index"] = cursor.fetchone()[0] / CANDLES
    return {name: {"bytes": size} for name, size in rows.items()}


def _market(symbols: int) -> dict[str, dict[str, float]]:
    made = made_cpu = 0.0
    for coin in sample.generate(symbol_count=symbols, candle_count=CANDLES):
        elapsed, used = _clocks(lambda coin=coin: _write(coin))
        made, made_cpu = made + elapsed, made_cpu + used
    shutil.rmtree(settings.CANDLE_FILES_DIR, ignore_errors=True)
    market = store.load_series(source="sample", interval="1h")
    rows = {"write to the database": _spent(made, made_cpu, symbols)}
    for size in (1, 8, 32):
        times = [_clocks(lambda size=size: _read_together(market, size)) for _ in range(3)]
        elapsed, used = map(statistics.median, zip(*times, strict=True))
        rows[f"of the first load, the queries alone, {size} series each"] = _spent(elapsed, used, symbols)
    for name in ("first load: database, then local files", "second load: local files"):
        elapsed, used = _clocks(lambda: [store.load_candles(series, 0, FOREVER_MS) for series in market])
        rows[name] = _spent(elapsed, used, symbols)
    return rows


def _clocks(function: Callable[[], Any]) -> tuple[float, float]:
    """Seconds that a call takes, and those of them that this process computes."""
    started, used = time.perf_counter(), time.process_time()
    function()
    return time.perf_counter() - started, time.process_time() - used


def _spent(elapsed: float, used: float, symbols: int) -> dict[str, float]:
    return {
        "ms": elapsed * 1e3,
        "ms a series": elapsed * 1e3 / symbols,
        "of it processor": used * 1e3 / symbols,
    }


def _read_together(market: list[CandleSeries], size: int) -> None:
    """The packed months of all series, those of some series with one query."""
    for at in range(0, len(market), size):
        wanted = [series.pk for series in market[at : at + size]]
        places = ", ".join(["%s"] * len(wanted))
        chunks.read_packed(f"series_id IN ({places}) ORDER BY series_id, month", wanted)


def _median_ms(function: Callable[[], Any], rounds: int = 21) -> float:
    times: list[float] = []
    for _ in range(rounds):
        started = time.perf_counter()
        function()
        times.append(time.perf_counter() - started)
    return float(np.round(statistics.median(times) * 1e3, 4))
