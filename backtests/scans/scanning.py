"""One scan of one cryptocurrency: the strategy's latest signal, from just as many candles as it needs."""

import math
from typing import Any

import numpy as np

from backtests.engine.backtest import ALLOWED_FLAGS
from backtests.engine.errors import EngineError
from backtests.engine.signals import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT
from backtests.execution import rounded, series_of, warnings_of
from backtests.models import ScanResult
from backtests.scans.spec import ScanSpec
from backtests.strategies.strategy import Judgement
from market_data import store
from market_data.candles import Candles
from market_data.errors import MarketDataError
from market_data.models import CandleSeries, as_datetime
from workers.handlers import JobError

SPARKLINE_BARS = 48
OUTDATED_BARS = 2
"""A cryptocurrency whose latest candle is this many behind the scan's time is marked."""

Signal, Side = ScanResult.Signal, ScanResult.Side


def scan(spec: ScanSpec, symbol: str) -> ScanResult:
    """Ask the strategy; the result belongs to no job yet.

    Raises
    ------
    JobError
        If there are no candles, or the engine refuses them; says which and why.
    """
    series = series_of(spec, symbol)
    try:
        candles = _load(spec, series)
        said = spec.strategy.judge(candles, spec.parameters)
    except (EngineError, MarketDataError) as error:
        raise JobError(str(error)) from error
    shown = candles.bars(max(len(candles) - SPARKLINE_BARS, 0), len(candles))
    last_open_ms = int(candles.open_time_ms[-1])
    bars_behind = (spec.end_ms - 1 - last_open_ms) // spec.interval_ms
    return ScanResult(
        symbol=symbol,
        **_latest_signal(spec, candles, said),
        last_open_ms=last_open_ms,
        bars_behind=bars_behind,
        close=float(candles.close[-1]),
        generated=series.generated,
        warnings=warnings_of(series, shown) + _outdated(last_open_ms, bars_behind),
        sparkline=rounded(shown.close.tolist()),
    )


def _latest_signal(spec: ScanSpec, candles: Candles, said: Judgement) -> dict[str, Any]:
    """The latest signal within the bars that count; without one, the strength is that at the latest bar."""
    recent = said.flags[-spec.within_bars :] & ALLOWED_FLAGS[spec.direction]
    speaking = np.flatnonzero(recent)
    age_bars = len(recent) - 1 - int(speaking[-1]) if speaking.size else None
    bar = len(candles) - 1 - (age_bars or 0)
    signal, side = _meaning(int(recent[-1 - (age_bars or 0)]))
    return {
        "signal": signal,
        "side": side,
        "strength": None if said.strength is None else _finite(said.strength[bar]),
        "signal_open_ms": None if age_bars is None else int(candles.open_time_ms[bar]),
        "age_bars": age_bars,
    }


def _load(spec: ScanSpec, series: CandleSeries) -> Candles:
    bars = spec.warm_up_bars + max(spec.within_bars, SPARKLINE_BARS)
    candles = store.load_candles(series, spec.end_ms, spec.end_ms, bars)
    if not len(candles):
        raise JobError(
            f"no candle was closed at the scan's time: the first opens {series.first_open:%Y-%m-%d %H:%M} UTC"
        )
    return candles


def _meaning(flag: int) -> tuple[str, str]:
    """Signal and side of allowed flags. An entry says more than the exit that comes with it."""
    if flag & ENTER_LONG:
        return Signal.ENTER, Side.LONG
    if flag & ENTER_SHORT:
        return Signal.ENTER, Side.SHORT
    if flag & EXIT_LONG and flag & EXIT_SHORT:
        return Signal.EXIT, ""
    if flag:
        return Signal.EXIT, Side.LONG if flag & EXIT_LONG else Side.SHORT
    return Signal.HOLD, ""


def _outdated(last_open_ms: int, bars_behind: int) -> list[dict[str, str]]:
    if bars_behind < OUTDATED_BARS:
        return []
    text = (
        f"The latest candle opens {as_datetime(last_open_ms):%Y-%m-%d %H:%M} UTC, {bars_behind:,} too early."
    )
    return [{"code": "outdated", "message": text}]


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
