"""Candles on the disk of the host that needs them: what the database holds, ready to be read into arrays.

A file holds about `SEGMENT_CANDLES` candles of neighbouring months, column after column, without any header:
the manifest in the series' row says what is in it. Its name carries a digest of the checksums of its months,
so a file is either the right one or not there; a change of one month leaves the other files alone. What is read
is checked: a whole file against the checksum at its end, a part of it month by month against the manifest.
The folder may be deleted at any time.
"""

import contextlib
import hashlib
import os
import struct
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from django.conf import settings

from market_data import codec
from market_data import manifest as manifests
from market_data.candles import Candles
from market_data.codec import COLUMNS
from market_data.intervals import INTERVAL_MS
from market_data.manifest import ChunkRange, Manifest

SEGMENT_CANDLES = 10_000
_MONTH_MS = 31 * 86_400_000
_DAY_SECONDS = 86_400
_ABANDONED_SECONDS = 3_600
_LOOK_SHARE = 0.05
_written_bytes = 0
_ITEM_BYTES = 8
_CHECKSUM = struct.Struct("<Q")


@dataclass(frozen=True, slots=True)
class Segment:
    """Chunks `start` to `stop` (exclusive) of a manifest, which share one file."""

    path: Path
    start: int
    stop: int
    count: int


def segments(
    folder: Path, series_id: int, interval: str, manifest: Manifest, chunks: ChunkRange
) -> Iterator[Segment]:
    """The files that hold these chunks, oldest first.

    Months are grouped by the calendar, not by their number in the manifest: a month that is added later
    changes the file it belongs to and no other.
    """
    for name, start, stop, count in _layout(interval, manifest.tobytes()):
        if start < chunks.stop and stop > chunks.start:
            yield Segment(folder / str(series_id) / name, start, stop, count)


@lru_cache(maxsize=1024)
def _layout(interval: str, manifest_bytes: bytes) -> list[tuple[str, int, int, int]]:
    """Name, first and last chunk (exclusive), and candles of each file of a series; the same until it changes."""
    manifest, span = manifests.parse(manifest_bytes), months_per_file(interval)
    groups = manifest["month"] // span
    starts = np.flatnonzero(np.diff(groups, prepend=groups[:1] - 1)).tolist()
    layout: list[tuple[str, int, int, int]] = []
    for start, stop in zip(starts, [*starts[1:], len(manifest)], strict=True):
        records = manifest[start:stop]
        digest = hashlib.blake2b(records["count"].tobytes() + records["checksum"].tobytes(), digest_size=8)
        name = f"{int(groups[start]) * span}-{digest.hexdigest()}.candles"
        layout.append((name, start, stop, int(records["count"].sum())))
    return layout


def months_per_file(interval: str) -> int:
    """How many months share a file: a year of hourly candles, one month of minutes, ten years of days."""
    per_month = _MONTH_MS // INTERVAL_MS[interval]
    return max(1, min(120, SEGMENT_CANDLES // per_month // 12 * 12 or SEGMENT_CANDLES // per_month))


def read(segment: Segment, manifest: Manifest, chunks: ChunkRange, into: Candles, at: int) -> int | None:
    """Read the wanted months of one file into arrays, from bar `at` on.

    Returns
    -------
    int or None
        How many candles were read; None when the file is absent, too short, or not what the manifest says.
    """
    start, stop = max(segment.start, chunks.start), min(segment.stop, chunks.stop)
    counts = manifest["count"]
    skipped, wanted = int(counts[segment.start : start].sum()), int(counts[start:stop].sum())
    targets = [memoryview(getattr(into, name)[at : at + wanted]).cast("B") for name in COLUMNS]
    checksum = bytearray(_CHECKSUM.size)
    try:
        descriptor = os.open(segment.path, os.O_RDONLY)
    except OSError:
        return None
    try:
        _remember_use(descriptor)
        if not _fill(descriptor, segment.count, skipped, targets, memoryview(checksum)):
            return None
    finally:
        os.close(descriptor)
    if wanted == segment.count:
        is_right = codec.checksum_of_columns(targets) == _CHECKSUM.unpack(checksum)[0]
    else:
        is_right = _matches(manifest, start, stop, targets)
    return wanted if is_right else None


def write(segment: Segment, candles: Candles) -> None:
    """Put a file in its place in one step, and drop its predecessors.

    A disk that is full or read-only costs speed, not correctness: the candles came from the database.
    """
    folder = segment.path.parent
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, suffix=".partial")
        try:
            with os.fdopen(handle, "wb") as file:
                for column in COLUMNS:
                    file.write(memoryview(getattr(candles, column)).cast("B"))
                file.write(_CHECKSUM.pack(codec.checksum(candles)))
            Path(name).replace(segment.path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
        _drop_predecessors(segment.path)
        _keep_bounded(folder.parent, segment.path.stat().st_size)


def _fill(descriptor: int, count: int, skipped: int, targets: list[memoryview], checksum: memoryview) -> bool:
    """Read columns of a file of `count` candles, from candle `skipped` on, and its checksum if that is all of it.

    False when the file has not the size that it should have.
    """
    size = count * len(COLUMNS) * _ITEM_BYTES + _CHECKSUM.size
    if os.fstat(descriptor).st_size != size:
        return False
    wanted = sum(len(target) for target in targets)
    if wanted + _CHECKSUM.size == size:
        return os.preadv(descriptor, [*targets, checksum], 0) == size
    offsets = ((column * count + skipped) * _ITEM_BYTES for column in range(len(targets)))
    return (
        sum(os.preadv(descriptor, [target], offset) for target, offset in zip(targets, offsets, strict=True))
        == wanted
    )


def _matches(manifest: Manifest, start: int, stop: int, columns: list[memoryview]) -> bool:
    """Whether months `start` to `stop`, which fill these columns, are those that the manifest speaks of."""
    at = 0
    counts, checksums = manifest["count"][start:stop].tolist(), manifest["checksum"][start:stop].tolist()
    for count, checksum in zip(counts, checksums, strict=True):
        end = at + count * _ITEM_BYTES
        if codec.checksum_of_columns([column[at:end] for column in columns]) != checksum:
            return False
        at = end
    return True


def _drop_predecessors(path: Path) -> None:
    """Remove older states of the same months, and what a killed process has left half written."""
    month = path.name.partition("-")[0]
    for other in path.parent.glob(f"{month}-*.candles"):
        if other != path:
            other.unlink(missing_ok=True)
    for partial in path.parent.glob("*.partial"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - partial.stat().st_mtime > _ABANDONED_SECONDS:
                partial.unlink()


def _remember_use(descriptor: int) -> None:
    """Let a file's time tell when it was last used, to the day."""
    if time.time() - os.fstat(descriptor).st_mtime > _DAY_SECONDS:
        with contextlib.suppress(OSError):
            os.utime(descriptor)


def _keep_bounded(folder: Path, written_bytes: int) -> None:
    """Look now and then whether all files together are too large, and let the least recently used go."""
    global _written_bytes  # noqa: PLW0603 (how much this process has written since it looked)
    _written_bytes += written_bytes
    limit = settings.CANDLE_FILES_MAX_BYTES
    if _written_bytes < limit * _LOOK_SHARE:
        return
    _written_bytes = 0
    trim(folder, limit)


def trim(folder: Path, limit_bytes: int) -> None:
    """Remove the least recently used files until the rest fits."""
    found: list[tuple[float, int, Path]] = []
    for path in folder.glob("*/*.candles"):
        with contextlib.suppress(FileNotFoundError):
            status = path.stat()
            found.append((status.st_mtime, status.st_size, path))
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total <= limit_bytes:
            break
        path.unlink(missing_ok=True)
        total -= size
