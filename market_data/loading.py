"""Months of a series into memory: from this host's files, and from the database where those lack them."""

from collections.abc import Iterator, Sequence

from django.conf import settings

from market_data import chunks as chunk_rows
from market_data import codec, local_files
from market_data.candles import Candles
from market_data.chunks import StoredChunk
from market_data.codec import Block
from market_data.local_files import Segment
from market_data.manifest import ChunkRange, Manifest
from market_data.models import CandleSeries

CANDLES_AT_ONCE = 100_000
"""About so many are read with one query; packed, they take 1.3 MB."""


def load_chunks(series: CandleSeries, manifest: Manifest, chunks: ChunkRange) -> Candles | None:
    """All candles of some chunks; None when the database no longer holds what the manifest says.

    Raises
    ------
    DamagedSeriesError
        If a month in the database does not match its checksum.
    """
    files = local_files.segments(settings.CANDLE_FILES_DIR, series.pk, series.interval, manifest, chunks)
    loaded = codec.empty_block(sum(file.wanted_count for file in files))
    missing: list[tuple[Segment, Block]] = []
    at = 0
    for file in files:
        part = loaded[:, at : at + file.wanted_count]
        at += file.wanted_count
        if not local_files.read(file, manifest, part):
            missing.append((file, part))
    are_filled = all(_fill(series.pk, manifest, some) for some in _at_once(missing))
    return codec.as_candles(loaded) if are_filled else None


def _at_once(missing: Sequence[tuple[Segment, Block]]) -> Iterator[list[tuple[Segment, Block]]]:
    """Files that are filled with one query."""
    some: list[tuple[Segment, Block]] = []
    for file, part in missing:
        if some and sum(other.count for other, _ in some) + file.count > CANDLES_AT_ONCE:
            yield some
            some = []
        some.append((file, part))
    if some:
        yield some


def _fill(series_id: int, manifest: Manifest, missing: Sequence[tuple[Segment, Block]]) -> bool:
    """Read what some files lack, and write them; False when the series has been changed meanwhile."""
    files = [file for file, _ in missing]
    stored = _read_database(series_id, manifest, files)
    if stored is None:
        return False
    for file, part in missing:
        months = stored[: file.stop - file.start]
        del stored[: file.stop - file.start]
        whole = part if file.is_whole else codec.empty_block(file.count)
        chunk_rows.unpack_into(months, whole)
        local_files.write(file, whole)
        if whole is not part:
            part[:] = whole[:, file.skipped_count : file.skipped_count + file.wanted_count]
    local_files.clean_up(files)
    return True


def _read_database(series_id: int, manifest: Manifest, files: Sequence[Segment]) -> list[StoredChunk] | None:
    """The stored chunks of some files; None if they are not those of the manifest."""
    expected: list[tuple[int, int, int]] = []
    for file in files:
        records = manifest[file.start : file.stop]
        columns = (records[name].tolist() for name in ("month", "count", "checksum"))
        expected += zip(*columns, strict=True)
    stored = chunk_rows.read_chunks(series_id, [month for month, _, _ in expected])
    found = [(chunk.month, chunk.count, chunk.checksum) for chunk in stored]
    return stored if found == expected else None
