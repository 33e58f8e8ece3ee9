"""One strategy with many parameter sets over one series: metrics only, at the speed of the kernel."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from pydantic import BaseModel, ValidationError

from backtests.engine import kernel
from backtests.engine.backtest import cut, kernel_arguments, range_metrics
from backtests.engine.candle_checks import check_candles, same_kind_of_memory
from backtests.engine.errors import EngineError
from backtests.engine.execution import Execution
from backtests.engine.metrics import Metrics
from backtests.engine.shared import Shared
from backtests.engine.signals import Signals
from market_data.candles import Candles


class SignalSource(Protocol):
    """What `backtest_many` needs of a strategy."""

    @property
    def Parameters(self) -> type[BaseModel]: ...  # noqa: N802 - a class

    def signals(self, candles: Candles, parameters: Any = None, shared: Shared | None = None) -> Signals: ...


def backtest_many(
    candles: Candles,
    strategy: SignalSource,
    parameter_sets: Sequence[BaseModel | Mapping[str, Any]],
    execution: Execution | None = None,
    *,
    start_ms: int | None = None,
    end_ms: int | None = None,
) -> list[Metrics]:
    """Metrics of `backtest` for each parameter set, without equity curves and trades.

    Indicators are shared between sets: RSI(14) is computed once for a hundred thresholds. Sets are therefore
    worked through in the order of their values, but answered in the order given.

    Parameters
    ----------
    candles : Candles
        The series; bars before `start_ms` are warm-up.
    strategy : Strategy
        From the registry, or your own.
    parameter_sets : sequence of Parameters or mappings
        What is left out of a mapping takes its default.
    execution : Execution, optional
        Costs, fills, sizes and stops, the same for all sets.
    start_ms, end_ms : int, optional
        The range, milliseconds since 1970 UTC; by default all candles.

    Raises
    ------
    EngineError
        If candles or signals break a rule, no candle is in the range, or a set is invalid; names the set.
    """
    interval_ms = check_candles(candles)
    candles = same_kind_of_memory(candles)
    execution = execution or Execution()
    models = [_model(strategy, index, values) for index, values in enumerate(parameter_sets)]
    nothing = np.empty(0)
    shared = Shared()
    days = None
    results: dict[int, Metrics] = {}
    for index in sorted(range(len(models)), key=lambda index: _order(models[index])):
        signals = strategy.signals(candles, models[index], shared)
        inside, flags = cut(candles, signals.flags, start_ms, end_ms)
        days = days or kernel.day_ends(inside.open_time_ms, interval_ms)
        totals, _, _ = kernel.simulate(*kernel_arguments(inside, days, flags, execution, nothing, False))
        results[index] = range_metrics(totals, inside, interval_ms, execution.initial_cash)
    return [results[index] for index in range(len(models))]


def _model(strategy: SignalSource, index: int, values: BaseModel | Mapping[str, Any]) -> BaseModel:
    if isinstance(values, strategy.Parameters):
        return values
    if isinstance(values, BaseModel):
        raise EngineError(
            f"parameter set {index} is of {type(values).__name__}, not {strategy.Parameters.__name__}"
        )
    try:
        return strategy.Parameters(**values)
    except ValidationError as error:
        raise EngineError(f"parameter set {index} is invalid: {_faults(error)}") from error


def _faults(error: ValidationError) -> str:
    faults = error.errors(include_url=False)
    return "; ".join(": ".join([*map(str, fault["loc"]), fault["msg"]]) for fault in faults)


def _order(model: BaseModel) -> list[tuple[float, str]]:
    """A key that brings sets with the same values in the first fields together."""
    return [(float(v), "") if isinstance(v, int | float) else (0.0, str(v)) for v in model.__dict__.values()]
