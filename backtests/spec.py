"""What a run of a strategy is to do, once validated: the common part of specs, and that of backtests."""

from dataclasses import asdict, dataclass, fields
from datetime import datetime
from functools import cached_property
from typing import Any

from backtests.engine.execution import Execution
from backtests.strategies.registry import find_strategy
from backtests.strategies.strategy import Strategy
from workers.handlers import Spec

ALL_SYMBOLS = "all"
EXECUTION_FIELDS = tuple(field.name for field in fields(Execution))


@dataclass(frozen=True)
class StrategySpec:
    """One strategy with one set of parameters, for any symbol of one source and interval; base of the kinds' own."""

    strategy_name: str
    raw_parameters: dict[str, Any]
    source: str
    interval: str

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
    def warm_up_bars(self) -> int:
        return self.strategy.warm_up_bars(self.parameters)


@dataclass(frozen=True)
class BacktestSpec(StrategySpec):
    """A strategy over one range, with execution settings."""

    start_ms: int
    end_ms: int
    execution: Execution

    @classmethod
    def parse(cls, spec: Spec) -> "BacktestSpec":
        """Read a run's spec, which was validated when the run was created."""
        return cls(
            **strategy_fields(spec),
            start_ms=to_ms(spec["start"]),
            end_ms=to_ms(spec["end"]),
            execution=_execution(spec),
        )

    @cached_property
    def execution_json(self) -> dict[str, Any]:
        return asdict(self.execution)


def strategy_fields(spec: Spec) -> dict[str, Any]:
    """The arguments of `StrategySpec` from a run's spec."""
    return {
        "strategy_name": spec["strategy"],
        "raw_parameters": spec["parameters"],
        "source": spec["source"],
        "interval": spec["interval"],
    }


def _execution(spec: Spec) -> Execution:
    """Settings of a spec; one that is null, or that an older spec does not have, keeps the engine's default."""
    return Execution(**{name: spec[name] for name in EXECUTION_FIELDS if spec.get(name) is not None})


def to_ms(time: str) -> int:
    """Milliseconds since 1970 of an ISO 8601 time with its zone."""
    return round(datetime.fromisoformat(time).timestamp() * 1000)
