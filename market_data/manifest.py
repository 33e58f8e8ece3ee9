"""The table of contents of a series: one fixed-size record per stored month.

It travels in the series' own row, so that one row tells a worker which local files to open and which candles
a backtest over some range will see, without a look at a single chunk.
"""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from market_data.candles import IntArray

RECORD = np.dtype(
    [
        ("month", "<i4"),  # months since January 1970, UTC
        ("count", "<i4"),
        ("first_ms", "<i8"),
        ("last_ms", "<i8"),
        ("checksum", "<u8"),
        ("zero_volume_count", "<i4"),
        ("gap_count", "<i4"),  # inside the month; the gaps between months follow from first and last
        ("missing_count", "<i8"),
        ("quote_volume", "<f8"),
    ]
)
Manifest = NDArray[np.void]
"""Records of dtype `RECORD`, oldest month first."""


@dataclass(frozen=True, slots=True)
class ChunkRange:
    """Chunks `start` to `stop` (exclusive) of a manifest."""

    start: int
    stop: int


def parse(data: bytes | memoryview) -> Manifest:
    """The records of a stored manifest."""
    return np.frombuffer(bytes(data), dtype=RECORD)


def months_of(open_time_ms: IntArray) -> NDArray[np.int32]:
    """The UTC month of each time, counted from January 1970."""
    return open_time_ms.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int32)


def month_name(month: int) -> str:
    """`2024-03` for the 651st month after January 1970's."""
    return str(np.datetime64(month, "M"))


def touched(manifest: Manifest, start_ms: int, end_ms: int, warm_up_bars: int) -> ChunkRange:
    """The chunks that `start_ms <= open time < end_ms` and that many candles before it can touch.

    Whole months only: it may name one month more than strictly needed, never one less, and the same for
    everyone who asks.
    """
    start = int(np.searchsorted(manifest["last_ms"], start_ms, side="left"))
    stop = int(np.searchsorted(manifest["first_ms"], end_ms, side="left"))
    wanted = warm_up_bars
    while wanted > 0 and start > 0:
        start -= 1
        wanted -= int(manifest["count"][start])
    return ChunkRange(start, max(start, stop))


def fingerprint(manifest: Manifest, chunks: ChunkRange) -> str:
    """32 hex digits that are equal exactly when these months hold equal candles."""
    digest = hashlib.blake2b(digest_size=16)
    for name in ("month", "count", "checksum"):
        digest.update(manifest[name][chunks.start : chunks.stop].tobytes())
    return digest.hexdigest()


def gaps_between_months(manifest: Manifest, interval_ms: int) -> tuple[int, int]:
    """How many gaps lie between one stored month and the next, and how many candles are missing in them."""
    steps = (manifest["first_ms"][1:] - manifest["last_ms"][:-1]) // interval_ms - 1
    return int(np.count_nonzero(steps > 0)), int(steps[steps > 0].sum())


def recent_daily_quote_volume(manifest: Manifest, interval_ms: int) -> float:
    """Traded value per day over the last two stored months, in quote currency: what markets are sorted by."""
    recent = manifest[-2:]
    if not len(recent):
        return 0.0
    days = (int(recent["last_ms"][-1]) + interval_ms - int(recent["first_ms"][0])) / 86_400_000
    return float(recent["quote_volume"].sum()) / max(days, 1.0)
