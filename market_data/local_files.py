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
import secrets
import struct
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from django.conf import settings

from market_data import codec
from market_data import manifest as manifests
from market_data.codec import COLUMNS, Block
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
    """Chunks `start` to `stop` (exclusive) of a manifest, which share one file, and those of them that are wanted."""

    folder: str
    name: str
    start: int
    stop: int
    count: int
    wanted: ChunkRange
    skipped_count: int
    wanted_count: int

    @property
    def path(self) -> str:
        """Where the file is, or would be."""
        return f"{self.folder}/{self.name}"

    @property
    def is_whole(self) -> bool:
        """Whether all of it is wanted."""
        return self.wanted_count == self.count


def segments(
    folder: Path, series_id: int, interval: str, manifest: Manifest, chunks: ChunkRange
) -> list[Segment]:
    """The files that hold these chunks, oldest first.

    Months are grouped by the calendar, not by their number in the manifest: a month that is added later
    changes the file it belongs to and no other.
    """
    series_folder = f"{folder}/{series_id}"
    return [
        _segment(series_folder, file, manifest, chunks)
        for file in _layout(interval, manifest.tobytes())
        if file.start < chunks.stop and file.stop > chunks.start
    ]


def _segment(folder: str, file: "_File", manifest: Manifest, chunks: ChunkRange) -> Segment:
    wanted = ChunkRange(max(file.start, chunks.start), min(file.stop, chunks.stop))
    skipped_count, wanted_count = 0, file.count
    if (wanted.start, wanted.stop) != (file.start, file.stop):
        counts = manifest["count"]
        skipped_count = int(counts[file.start : wanted.start].sum())
        wanted_count = int(counts[wanted.start : wanted.stop].sum())
    return Segment(folder, file.name, file.start, file.stop, file.count, wanted, skipped_count, wanted_count)


@dataclass(frozen=True, slots=True)
class _File:
    """Name, first and last chunk (exclusive), and candles of a file."""

    name: str
    start: int
    stop: int
    count: int


@lru_cache(maxsize=1024)
def _layout(interval: str, manifest_bytes: bytes) -> list[_File]:
    """The files of a series; the same until it changes."""
    manifest, span = manifests.parse(manifest_bytes), months_per_file(interval)
    groups = manifest["month"] // span
    starts = np.flatnonzero(np.diff(groups, prepend=groups[:1] - 1)).tolist()
    layout: list[_File] = []
    for start, stop in zip(starts, [*starts[1:], len(manifest)], strict=True):
        records = manifest[start:stop]
        digest = hashlib.blake2b(records["count"].tobytes() + records["checksum"].tobytes(), digest_size=8)
        name = f"{int(groups[start]) * span}-{digest.hexdigest()}.candles"
        layout.append(_File(name, start, stop, int(records["count"].sum())))
    return layout


def months_per_file(interval: str) -> int:
    """How many months share a file: a year of hourly candles, one month of minutes, ten years of days."""
    per_month = _MONTH_MS // INTERVAL_MS[interval]
    return max(1, min(120, SEGMENT_CANDLES // per_month // 12 * 12 or SEGMENT_CANDLES // per_month))


def read(segment: Segment, manifest: Manifest, into: Block) -> bool:
    """Read the wanted months of one file into memory that has just room for them.

    Returns
    -------
    bool
        False when the file is absent, too short, or not what the manifest says.
    """
    checksum = bytearray(_CHECKSUM.size)
    try:
        descriptor = os.open(segment.path, os.O_RDONLY)
    except OSError:
        return False
    try:
        status = os.fstat(descriptor)
        if status.st_size != file_bytes(segment) or not _fill(descriptor, segment, into, checksum):
            return False
        _remember_use(descriptor, status)
    finally:
        os.close(descriptor)
    if segment.is_whole:
        return codec.checksum_of_columns(into) == _CHECKSUM.unpack(checksum)[0]
    return _matches(manifest[segment.wanted.start : segment.wanted.stop], into)


def write(segment: Segment, candles: Block) -> None:
    """Put a file in its place in one step.

    A disk that is full or read-only costs speed, not correctness: the candles came from the database. Nobody
    waits for the disk either: a file that a power failure has damaged is noticed when it is read.
    """
    with contextlib.suppress(OSError):
        partial = f"{segment.path}.{secrets.token_hex(8)}.partial"
        descriptor = _create(partial)
        try:
            checksum = _CHECKSUM.pack(codec.checksum_of_columns(candles))
            if os.writev(descriptor, [*candles, checksum]) != file_bytes(segment):
                raise OSError("the disk is full")
            os.replace(partial, segment.path)  # noqa: PTH105 (a Path costs as much as the call)
        except OSError:
            Path(partial).unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)


def clean_up(written: Sequence[Segment]) -> None:
    """After files of one series were written: drop their predecessors, and keep the whole folder bounded."""
    folder = Path(written[0].folder)
    with contextlib.suppress(OSError):
        _drop_predecessors(folder, {one.name for one in written})
        _keep_bounded(folder.parent, sum(map(file_bytes, written)))


def file_bytes(segment: Segment) -> int:
    """The size of a file that is whole."""
    return segment.count * len(COLUMNS) * _ITEM_BYTES + _CHECKSUM.size


def _fill(descriptor: int, segment: Segment, into: Block, checksum: bytearray) -> bool:
    """Read columns of a file from its first wanted candle on, and its checksum if that is all of it."""
    if segment.is_whole:
        return os.preadv(descriptor, [*into, checksum], 0) == file_bytes(segment)
    offsets = ((row * segment.count + segment.skipped_count) * _ITEM_BYTES for row in range(len(into)))
    return (
        sum(os.preadv(descriptor, [row], offset) for row, offset in zip(into, offsets, strict=True))
        == into.nbytes
    )


def _matches(records: Manifest, months: Block) -> bool:
    """Whether these months, one after the other, are those that the manifest speaks of."""
    at = 0
    for count, checksum in zip(records["count"].tolist(), records["checksum"].tolist(), strict=True):
        if codec.checksum_of_columns(months[:, at : at + count]) != checksum:
            return False
        at += count
    return True


def _create(path: str) -> int:
    """Open a new file for writing, in a folder that may have to be made first."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        return os.open(path, flags, 0o600)
    except FileNotFoundError:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, flags, 0o600)


def _drop_predecessors(folder: Path, names: set[str]) -> None:
    """Remove older states of the same months, and what a killed process has left half written."""
    months = {name.partition("-")[0] for name in names}
    for name in os.listdir(folder):  # noqa: PTH208 (names are all that is needed)
        if name.endswith(".partial"):
            _remove_abandoned(folder / name)
        elif name not in names and name.partition("-")[0] in months:
            (folder / name).unlink(missing_ok=True)


def _remove_abandoned(partial: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        if time.time() - partial.stat().st_mtime > _ABANDONED_SECONDS:
            partial.unlink()


def _remember_use(descriptor: int, status: os.stat_result) -> None:
    """Let a file's time tell when it was last used, to the day."""
    if time.time() - status.st_mtime > _DAY_SECONDS:
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
