"""What a backtest is asked to do, once validated: the spec of a run of kind `backtest`."""

from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from backtests.engine.execution import Execution
from backtests.strategies.registry import find_strategy
from backtests.strategies.strategy import Strategy
from workers.handlers import Spec

ALL_SYMBOLS = "all"
EXECUTION_FIELDS = ("initial_cash", "fee_rate", "slippage_rate", "fill")
"""Execution settings that a request may name; the others keep their defaults."""


@dataclass(frozen=True)
class BacktestSpec:
    """One strategy with one set of parameters over one range, for any symbol of one source and interval."""

    strategy_name: str
    raw_parameters: dict[str, Any]
    source: str
    interval: str
    start_ms: int
    end_ms: int
    execution: Execution

    @classmethod
    def parse(cls, spec: Spec) -> "BacktestSpec":
        """Read a run's spec, which was validated when the run was created."""
        return cls(
            strategy_name=spec["strategy"],
            raw_parameters=spec["parameters"],
            source=spec["source"],
            interval=spec["interval"],
            start_ms=to_ms(spec["start"]),
            end_ms=to_ms(spec["end"]),
            execution=Execution(**{name: spec[name] for name in EXECUTION_FIELDS}),
        )

    @cached_property
    def strategy(self) -> Strategy:
        return find_strategy(self.strategy_name)

    @cached_property
    def parameters(self) -> Any:
        return self.strategy.Parameters.model_validate(self.raw_parameters)

    @cached_property
    def parameters_json(self) -> dict[str, Any]:
        return self.parameters.model_dump(mode="json")

    @cached_property
    def execution_json(self) -> dict[str, Any]:
        return asdict(self.execution)

    @cached_property
    def warm_up_bars(self) -> int:
        return self.strategy.warm_up_bars(self.parameters)


def to_ms(time: str) -> int:
    """Milliseconds since 1970 of an ISO 8601 time with its zone."""
    return round(datetime.fromisoformat(time).timestamp() * 1000)
