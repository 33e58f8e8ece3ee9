"""One month of candles as bytes: how a chunk is stored, and what its checksum covers.

Prices and volumes are decimal numbers of a few digits, written by an exchange. A column is therefore
stored as integers and a power of ten where that gives back every float64 bit for bit, and as float64 where
it does not. Times are stored as steps. LZ4 packs the columns: about a third of the arrays' size, and faster
to read from a database than the arrays themselves.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import Any

import numpy as np
import pyarrow as pa
import xxhash
from numpy.typing import NDArray

from market_data.candles import Candles, FloatArray, IntArray

FORMAT = 1
_LZ4 = pa.Codec("lz4_raw")
_HEADER = struct.Struct("<BBqI6B5B")  # format, unused, first time, time unit, column codes, powers of ten
_DTYPES = ("<i2", "<i4", "<i8", "<f8")
_FLOAT = 3
_UNITS_MS = (60_000, 1_000, 1)
_EXACT = 2.0**53
Block = FloatArray
"""The columns of candles as the rows of one array; the first one holds times, as int64 in the floats' place."""
COLUMNS = ("open_time_ms", "open", "high", "low", "close", "volume")


class ChunkError(ValueError):
    """Bytes that are no chunk, or not the chunk that was stored."""


def checksum(candles: Candles) -> int:
    """64-bit fingerprint of the candles themselves: independent of how they are packed.

    Returns
    -------
    int
        xxh3 over the six arrays, little-endian, one after the other.
    """
    return checksum_of_columns([memoryview(getattr(candles, name)) for name in COLUMNS])


def checksum_of_columns(columns: Iterable[Any]) -> int:
    """The same over the arrays' memory, for those who have it at hand already."""
    state = xxhash.xxh3_64()
    for column in columns:
        state.update(column)
    return state.intdigest()


def encode(candles: Candles) -> bytes:
    """Pack at least one candle; equal candles give equal bytes."""
    times = candles.open_time_ms
    steps = np.diff(times, prepend=times[:1])
    unit = next(unit for unit in _UNITS_MS if not np.any(steps % unit))
    columns: list[NDArray[Any]] = [_narrow(steps // unit)]
    powers: list[int] = []
    for name in COLUMNS[1:]:
        power, values = _as_decimals(getattr(candles, name))
        powers.append(power)
        columns.append(values)
    codes = [_DTYPES.index(column.dtype.str) for column in columns]
    header = _HEADER.pack(FORMAT, 0, int(times[0]), unit, *codes, *powers)
    return header + _LZ4.compress(b"".join(column.tobytes() for column in columns), asbytes=True)


def decode_into(data: bytes | memoryview, count: int, block: Block) -> None:
    """Unpack a chunk into a part of a block that holds a whole series.

    Parameters
    ----------
    data
        What `encode` returned.
    count
        Number of candles in it.
    block : (6, count)
        Where they go.

    Raises
    ------
    ChunkError
        If the bytes can't be a chunk of `count` candles.
    """
    try:
        version, _, first_ms, unit, *rest = _HEADER.unpack_from(data)
        if version != FORMAT:
            raise ChunkError(f"chunk has format {version}, this version reads format {FORMAT}")
        layout = _layout(*rest)
        plain = _LZ4.decompress(
            memoryview(data)[_HEADER.size :], decompressed_size=count * layout.candle_bytes
        )
    except (struct.error, OSError, IndexError) as error:
        raise ChunkError(f"chunk is damaged: {error}") from error
    times = block[0].view(np.int64)
    np.cumsum(np.frombuffer(plain, layout.times, count), out=times)
    times *= unit
    times += first_ms
    for group in layout.groups:
        values = np.frombuffer(plain, group.dtype, count * group.size, count * group.offset)
        columns = block[group.first : group.first + group.size]
        np.divide(values.reshape(group.size, count), group.divisors, out=columns)


def decode(data: bytes | memoryview, count: int) -> Candles:
    """Unpack one chunk into arrays of its own."""
    block = empty_block(count)
    decode_into(data, count, block)
    return as_candles(block)


def empty_block(count: int) -> Block:
    """Memory for `count` candles that still have to be filled."""
    return np.empty((len(COLUMNS), count), dtype=np.float64)


def as_candles(block: Block) -> Candles:
    """The candles in a block, as views."""
    return Candles(block[0].view(np.int64), *block[1:])


def empty_candles(count: int) -> Candles:
    """Arrays of `count` candles that still have to be filled; one block of memory."""
    return as_candles(empty_block(count))


@dataclass(frozen=True, slots=True)
class _Group:
    """Neighbouring columns of one type, which are turned into floats together."""

    first: int
    size: int
    dtype: np.dtype[Any]
    offset: int
    divisors: FloatArray


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the columns of a chunk lie one after the other; offsets are per candle."""

    candle_bytes: int
    times: np.dtype[Any]
    groups: tuple[_Group, ...]


@lru_cache(maxsize=1024)
def _layout(*codes_and_powers: int) -> _Layout:
    """The layout that a header speaks of: most chunks share one of a few."""
    dtypes = [np.dtype(_DTYPES[code]) for code in codes_and_powers[: len(COLUMNS)]]
    divisors = np.array([10.0**power for power in codes_and_powers[len(COLUMNS) :]])
    groups: list[_Group] = []
    offset = dtypes[0].itemsize
    for dtype, columns in groupby(range(1, len(COLUMNS)), key=dtypes.__getitem__):
        first, *others = columns
        size = 1 + len(others)
        groups.append(_Group(first, size, dtype, offset, divisors[first - 1 : first - 1 + size, np.newaxis]))
        offset += size * dtype.itemsize
    return _Layout(offset, dtypes[0], tuple(groups))


def _narrow(values: IntArray) -> NDArray[Any]:
    """The same integers in the smallest type that holds them."""
    low, high = int(values.min()), int(values.max())
    for dtype in ("<i2", "<i4"):
        limits = np.iinfo(dtype)
        if limits.min <= low and high <= limits.max:
            return values.astype(dtype)
    return values


def _as_decimals(values: FloatArray) -> tuple[int, NDArray[Any]]:
    """Integers and the power of ten to divide them by; the floats themselves where that would lose a bit."""
    top = float(values.max())
    for power in (8, 4, 0):
        if top * 10.0**power >= _EXACT:
            continue
        scaled = np.rint(values * 10.0**power)
        if np.array_equal(scaled / 10.0**power, values):
            return _without_trailing_zeros(scaled.astype(np.int64), power)
    return 0, values


def _without_trailing_zeros(scaled: IntArray, power: int) -> tuple[int, NDArray[Any]]:
    common = int(np.gcd.reduce(scaled))
    divisor = 1
    while power and common % (divisor * 10) == 0:
        divisor *= 10
        power -= 1
    return power, _narrow(scaled // divisor if divisor > 1 else scaled)
