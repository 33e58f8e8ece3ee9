"""The whole curve of a stored result: rebuilt from its trades and the candles as they are now."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from backtests.digests import Digester
from backtests.encoding import decode_equity, decode_trades
from backtests.engine.execution import Execution
from backtests.engine.rebuilt import equity_of_trades
from backtests.engine.trades import Trade
from backtests.models import Result
from backtests.spec import BacktestSpec
from market_data import store
from market_data.candles import Candles, FloatArray
from market_data.models import CandleSeries

ROUNDING = 1e-6
"""Stored points of the curve have 7 digits."""


class CandlesGoneError(Exception):
    """The candles of a result are no longer stored; says which."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A result's account value at every bar.

    Attributes
    ----------
    warm_up : Candles
        What the strategy saw before the range.
    candles : Candles
        The range.
    equity : (n_bars,) float64
        Account value at each close of `candles`, in quote currency.
    candles_changed : bool
        The candles are no longer those that the result was computed from, as far as the result can tell: the curve
        shows the trades as they were over candles as they are.
    """

    warm_up: Candles
    candles: Candles
    equity: FloatArray
    candles_changed: bool


def rebuild_curve(spec: BacktestSpec, result: Result) -> Curve:
    """The curve of a result of a run that asked for `spec`.

    Raises
    ------
    CandlesGoneError
        If none of its candles is stored any more.
    DamagedSeriesError
        If the stored candles don't match their checksums.
    """
    series = store.find_series(source=result.source, interval=result.interval, symbol=result.symbol)
    if series is None:
        raise CandlesGoneError(f"The {result.interval} candles of {result.symbol} are no longer stored.")
    loaded, candles = _candles(spec, result, series)
    equity = equity_of_trades(candles.close, _trades(result, candles), Execution(**result.execution))
    # Months are fingerprinted whole: where one grew after the range, only the numbers tell.
    unchanged = Digester(spec).digest(series) == result.pk or _agrees(result, candles, equity)
    return Curve(loaded.bars(0, len(loaded) - len(candles)), candles, equity, not unchanged)


def _candles(spec: BacktestSpec, result: Result, series: CandleSeries) -> tuple[Candles, Candles]:
    """The result's range with its warm-up, and without."""
    end_ms = min(spec.end_ms, result.last_open_ms + series.interval_ms)
    loaded = store.load_candles(series, result.first_open_ms, end_ms, spec.warm_up_bars)
    candles = loaded.between(result.first_open_ms, end_ms)
    if not len(candles):
        raise CandlesGoneError(
            f"The {result.interval} candles of {result.symbol} in this range are no longer stored."
        )
    return loaded, candles


def _trades(result: Result, candles: Candles) -> Iterator[Trade]:
    """Its trades, placed by their times: bars may have come or gone."""
    trades = [*decode_trades(result.trades), *_open_trade(result.open_trade)]
    for trade in trades:
        yield replace(
            trade, entry_bar=candles.bar_at(trade.entry_time_ms), exit_bar=candles.bar_at(trade.exit_time_ms)
        )


def _open_trade(record: dict[str, Any] | None) -> list[Trade]:
    if record is None:
        return []
    values: dict[str, Any] = dict(record)
    values["return_"] = values.pop("return")
    for name in ("entry_time", "exit_time"):
        values[f"{name}_ms"] = _ms(values.pop(name))
    return [Trade(**values)]


def _ms(time: str) -> int:
    return round(datetime.fromisoformat(time).timestamp() * 1000)


def _agrees(result: Result, candles: Candles, equity: FloatArray) -> bool:
    """Whether the candles and the curve over them give the numbers that are stored."""
    facts = (len(candles), int(candles.open_time_ms[0]), int(candles.open_time_ms[-1]))
    if facts != (result.candle_count, result.first_open_ms, result.last_open_ms):
        return False
    time_ms, value = decode_equity(result.equity)
    bars = np.searchsorted(candles.open_time_ms, time_ms)
    growth = float(candles.close[-1]) / float(candles.open[0]) - 1.0
    return (
        bool(np.isclose(growth, result.buy_hold_return, rtol=1e-9, atol=1e-12))
        and np.array_equal(candles.open_time_ms[bars], time_ms)
        and np.allclose(equity[bars], value, rtol=ROUNDING, atol=ROUNDING * float(value.max()))
    )
