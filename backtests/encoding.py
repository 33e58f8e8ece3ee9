"""Trades and equity curves as compressed columns: about 6 KB a result instead of 350."""

import zlib

import numpy as np
from numpy.typing import NDArray

from backtests.engine.trades import Trades
from market_data.candles import FloatArray, IntArray

TRADES_FORMAT: tuple[tuple[str, str], ...] = (
    ("side", "<i1"),
    ("exit_reason", "<i1"),
    ("entry_bar", "<i4"),
    ("exit_bar", "<i4"),
    ("entry_time_ms", "<i8"),
    ("exit_time_ms", "<i8"),
    ("entry_price", "<f8"),
    ("exit_price", "<f8"),
    ("size_units", "<f8"),
    ("pnl", "<f8"),
    ("worst_excursion", "<f4"),
    ("best_excursion", "<f4"),
)
"""Stored columns; return and fees follow from the others exactly enough to leave them out."""
BYTES_PER_TRADE = sum(np.dtype(kind).itemsize for _, kind in TRADES_FORMAT)


def encode_trades(trades: Trades) -> bytes:
    """Columns of closed trades, compressed."""
    columns = [_shuffled(getattr(trades, name).astype(kind)) for name, kind in TRADES_FORMAT]
    return _compressed(b"".join(columns))


def decode_trades(data: bytes | memoryview) -> Trades:
    """The trades that `encode_trades` was given; excursions to 7 digits."""
    raw = zlib.decompress(data)
    count, at = len(raw) // BYTES_PER_TRADE, 0
    columns: dict[str, NDArray[np.generic]] = {}
    for name, kind in TRADES_FORMAT:
        size = np.dtype(kind).itemsize * count
        columns[name] = _unshuffled(raw[at : at + size], kind, count)
        at += size
    return _with_derived(columns)


def encode_equity(time_ms: IntArray, value: FloatArray) -> bytes:
    """Points of an equity curve, compressed; values to 7 digits, which a drawing can't tell."""
    return _compressed(_shuffled(time_ms.astype("<i8")) + _shuffled(value.astype("<f4")))


def decode_equity(data: bytes | memoryview) -> tuple[IntArray, FloatArray]:
    """Times and values of the points that `encode_equity` was given."""
    raw = zlib.decompress(data)
    count = len(raw) // 12
    time_ms = _unshuffled(raw[: 8 * count], "<i8", count).astype(np.int64)
    return time_ms, _unshuffled(raw[8 * count :], "<f4", count).astype(np.float64)


def _with_derived(columns: "dict[str, NDArray[np.generic]]") -> Trades:
    whole = {"entry_bar", "exit_bar", "entry_time_ms", "exit_time_ms"}
    small = {"side", "exit_reason"}
    values = {
        name: column.astype(np.int8 if name in small else np.int64 if name in whole else np.float64)
        for name, column in columns.items()
    }
    entry, exit_, size = values["entry_price"], values["exit_price"], values["size_units"]
    gross = values["side"] * (exit_ - entry) * size
    values["fees"] = gross - values["pnl"]
    values["return_"] = values["pnl"] / (size * entry)
    return Trades(**values)  # pyright: ignore[reportArgumentType]


def _compressed(data: bytes) -> bytes:
    """Compress runs of equal bytes only: prices are mostly noise, in which zlib would look for matches in vain."""
    compressor = zlib.compressobj(level=1, strategy=zlib.Z_RLE)
    return compressor.compress(data) + compressor.flush()


def _shuffled(column: "NDArray[np.generic]") -> bytes:
    """First bytes of all numbers, then second bytes …: neighbours are alike, which zlib likes."""
    return np.ascontiguousarray(column).view(np.uint8).reshape(-1, column.itemsize).T.tobytes()


def _unshuffled(data: bytes, kind: str, count: int) -> "NDArray[np.generic]":
    size = np.dtype(kind).itemsize
    return np.frombuffer(data, np.uint8).reshape(size, count).T.copy().view(kind).ravel()
