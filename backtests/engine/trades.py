"""Closed trades as columns, and the trade that is still open."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from backtests.engine import kernel
from market_data.candles import FloatArray, IntArray

Side = Literal["long", "short"]
EXIT_REASONS = ("signal", "stop_loss", "take_profit", "trailing_stop", "max_holding", "liquidation")
"""By the number that `Trades.exit_reason` holds."""


@dataclass(frozen=True, slots=True)
class Trade:
    """A closed round trip; or the position open at the end, as if left at the last close without costs."""

    side: Side
    entry_bar: int
    exit_bar: int
    entry_time_ms: int
    exit_time_ms: int
    entry_price: float
    exit_price: float
    size_units: float
    pnl: float
    return_: float
    fees: float
    exit_reason: str
    bars_held: int
    worst_excursion: float
    best_excursion: float

    def to_record(self) -> dict[str, Any]:
        """The trade as JSON-ready values; times as ISO 8601 UTC."""
        return {
            "side": self.side,
            "entry_bar": self.entry_bar,
            "exit_bar": self.exit_bar,
            "entry_time": iso_time(self.entry_time_ms),
            "exit_time": iso_time(self.exit_time_ms),
            "entry_price": self.entry_price,
            "exit_price": self.exit_price,
            "size_units": self.size_units,
            "pnl": self.pnl,
            "return": self.return_,
            "fees": self.fees,
            "exit_reason": self.exit_reason,
            "bars_held": self.bars_held,
            "worst_excursion": self.worst_excursion,
            "best_excursion": self.best_excursion,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Trades:
    """Closed trades in the order of their exits, one array per column; iterating yields `Trade`s.

    Attributes
    ----------
    side : (n_trades,) int8
        1 long, −1 short.
    entry_bar, exit_bar : (n_trades,) int64
        Bars of the fills, counted from the first bar of the range.
    entry_time_ms, exit_time_ms : (n_trades,) int64
        Open times of those bars.
    entry_price, exit_price : (n_trades,) float64
        Fill prices, slippage included.
    size_units : (n_trades,) float64
    pnl : (n_trades,) float64
        Cash won or lost after both fees, in quote currency.
    return_ : (n_trades,) float64
        `pnl / (size_units · entry_price)`.
    fees : (n_trades,) float64
        Both fees, in quote currency.
    exit_reason : (n_trades,) int8
        Index into `EXIT_REASONS`.
    worst_excursion, best_excursion : (n_trades,) float64
        Worst (≤ 0) and best (≥ 0) move of the price while the position was open, as a fraction of the entry
        price (MAE and MFE). Of the exit's bar only the open and the exit price count: of the rest nobody
        knows whether it came before.
    """

    side: NDArray[np.int8]
    entry_bar: IntArray
    exit_bar: IntArray
    entry_time_ms: IntArray
    exit_time_ms: IntArray
    entry_price: FloatArray
    exit_price: FloatArray
    size_units: FloatArray
    pnl: FloatArray
    return_: FloatArray
    fees: FloatArray
    exit_reason: NDArray[np.int8]
    worst_excursion: FloatArray
    best_excursion: FloatArray

    def __len__(self) -> int:
        return len(self.side)

    @property
    def bars_held(self) -> IntArray:
        """Bars from the entry's to the exit's; 0 when both are in the same bar."""
        return self.exit_bar - self.entry_bar

    def __iter__(self) -> Iterator[Trade]:
        columns = [getattr(self, name).tolist() for name in self.__slots__]
        for values in zip(*columns, strict=True):
            yield _trade(*values)

    def to_records(self) -> list[dict[str, Any]]:
        """One JSON-ready dict per trade; times as ISO 8601 UTC."""
        return [trade.to_record() for trade in self]


def iso_time(time_ms: int) -> str:
    """Milliseconds since 1970 as ISO 8601, for example 2021-04-05T00:00:00Z."""
    moment = datetime.fromtimestamp(time_ms / 1000, tz=UTC)
    return moment.isoformat(timespec="milliseconds" if time_ms % 1000 else "seconds").replace("+00:00", "Z")


def trades_from_rows(rows: FloatArray, open_time_ms: IntArray) -> Trades:
    """Columns of the kernel's rows of trades."""
    entry_bar = rows[:, kernel.ENTRY_BAR].astype(np.int64)
    exit_bar = rows[:, kernel.EXIT_BAR].astype(np.int64)
    return Trades(
        side=rows[:, kernel.SIDE].astype(np.int8),
        entry_bar=entry_bar,
        exit_bar=exit_bar,
        entry_time_ms=open_time_ms[entry_bar],
        exit_time_ms=open_time_ms[exit_bar],
        entry_price=rows[:, kernel.ENTRY_PRICE].copy(),
        exit_price=rows[:, kernel.EXIT_PRICE].copy(),
        size_units=rows[:, kernel.SIZE].copy(),
        pnl=rows[:, kernel.PNL].copy(),
        return_=rows[:, kernel.RETURN].copy(),
        fees=rows[:, kernel.FEES].copy(),
        exit_reason=rows[:, kernel.REASON].astype(np.int8),
        worst_excursion=rows[:, kernel.WORST].copy(),
        best_excursion=rows[:, kernel.BEST].copy(),
    )


def open_trade_from_row(row: FloatArray, open_time_ms: IntArray) -> Trade | None:
    """The position open at the end, marked at the last close; None when flat."""
    if row[kernel.SIZE] == 0.0:
        return None
    trade = next(iter(trades_from_rows(row.reshape(1, -1), open_time_ms)))
    return replace(trade, exit_reason="open")


def _trade(
    side: int,
    entry_bar: int,
    exit_bar: int,
    entry_time_ms: int,
    exit_time_ms: int,
    entry_price: float,
    exit_price: float,
    size_units: float,
    pnl: float,
    return_: float,
    fees: float,
    exit_reason: int,
    worst_excursion: float,
    best_excursion: float,
) -> Trade:
    return Trade(
        side="long" if side > 0 else "short",
        entry_bar=entry_bar,
        exit_bar=exit_bar,
        entry_time_ms=entry_time_ms,
        exit_time_ms=exit_time_ms,
        entry_price=entry_price,
        exit_price=exit_price,
        size_units=size_units,
        pnl=pnl,
        return_=return_,
        fees=fees,
        exit_reason=EXIT_REASONS[exit_reason],
        bars_held=exit_bar - entry_bar,
        worst_excursion=worst_excursion,
        best_excursion=best_excursion,
    )
