"""One backtest of one cryptocurrency, from its candles to a Result that can be stored."""

import math
from typing import Any

import numpy as np

from backtests.digests import Digester
from backtests.encoding import encode_equity, encode_trades
from backtests.engine.backtest import Backtest, backtest
from backtests.engine.curves import downsample, sparkline
from backtests.engine.errors import EngineError
from backtests.models import Result
from backtests.spec import BacktestSpec, StrategySpec
from market_data import quality, store
from market_data.candles import Candles, IntArray
from market_data.errors import MarketDataError
from market_data.models import CandleSeries
from workers.handlers import JobError


def compute_result(spec: BacktestSpec, symbol: str) -> Result:
    """Run a backtest; the result is not stored yet.

    Raises
    ------
    JobError
        If there are no candles, or the engine refuses them; says which and why.
    """
    series = series_of(spec, symbol)
    try:
        candles = store.load_candles(series, spec.start_ms, spec.end_ms, spec.warm_up_bars)
        _require_candles(candles, spec, series)
        signals = spec.strategy.signals(candles, spec.parameters)
        outcome = backtest(candles, signals, spec.execution, start_ms=spec.start_ms, end_ms=spec.end_ms)
    except (EngineError, MarketDataError) as error:
        raise JobError(str(error)) from error
    return _result(spec, series, candles.between(spec.start_ms, spec.end_ms), outcome)


def series_of(spec: StrategySpec, symbol: str) -> CandleSeries:
    """The series that a job is about. Raises JobError if there is none."""
    series = store.find_series(source=spec.source, interval=spec.interval, symbol=symbol)
    if series is None:
        raise JobError(f"no {spec.interval} candles of {symbol} from {spec.source}")
    return series


def _require_candles(candles: Candles, spec: BacktestSpec, series: CandleSeries) -> None:
    if candles.bar_at(spec.start_ms) == len(candles):
        raise JobError(
            f"no candles in the range: {series.cryptocurrency.symbol} has candles from "
            f"{series.first_open:%Y-%m-%d %H:%M} to {series.last_open:%Y-%m-%d %H:%M} UTC"
        )


def _result(spec: BacktestSpec, series: CandleSeries, candles: Candles, outcome: Backtest) -> Result:
    gap_count, missing_count = _gaps(candles.open_time_ms, series.interval_ms)
    points = downsample(outcome.open_time_ms, outcome.equity)
    return Result(
        id=Digester(spec).digest(series),
        symbol=series.cryptocurrency.symbol,
        source=spec.source,
        interval=spec.interval,
        strategy=spec.strategy.name,
        parameters=spec.parameters_json,
        execution=spec.execution_json,
        first_open_ms=int(candles.open_time_ms[0]),
        last_open_ms=int(candles.open_time_ms[-1]),
        candle_count=len(candles),
        gap_count=gap_count,
        missing_count=missing_count,
        generated=series.generated,
        warnings=warnings_of(series, candles),
        sparkline=rounded(sparkline(points[1])),
        open_trade=None if outcome.open_trade is None else outcome.open_trade.to_record(),
        trades=encode_trades(outcome.trades),
        equity=encode_equity(*points),
        **{name: getattr(outcome.metrics, name) for name in Result.METRICS},
    )


def _gaps(open_time_ms: IntArray, interval_ms: int) -> tuple[int, int]:
    """Gaps and the candles missing in them; most ranges have as many candles as fit, which is seen at once."""
    if int(open_time_ms[-1] - open_time_ms[0]) == (len(open_time_ms) - 1) * interval_ms:
        return 0, 0
    missing = quality.missing_before(open_time_ms, interval_ms)
    return int(np.count_nonzero(missing)), int(missing.sum())


def rounded(values: list[float]) -> list[float]:
    """To 6 significant digits of the largest: a small drawing needs no more, and every event carries it."""
    largest = max(map(abs, values))
    return np.round(values, 5 - math.floor(math.log10(largest)) if largest > 0 else 0).tolist()


def warnings_of(series: CandleSeries, candles: Candles) -> list[dict[str, Any]]:
    """What a reader of a result over these candles must know about them."""
    first, last = int(candles.open_time_ms[0]), int(candles.open_time_ms[-1])
    return [dict(warning) for warning in store.warnings_between(series, first, last + 1)]
