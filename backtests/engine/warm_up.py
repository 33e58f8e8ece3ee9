"""Compile, or load from the cache, what a worker process needs, before its first job."""

import logging
from typing import Any, Literal, get_args, get_origin

from backtests.engine.backtest import backtest
from backtests.engine.curves import downsample
from backtests.engine.errors import EngineError
from backtests.engine.sample_candles import random_walk
from backtests.strategies.registry import all_strategies
from backtests.strategies.strategy import Strategy

logger = logging.getLogger(__name__)


def warm_up_kernels() -> None:
    """Run every strategy once, with each choice it offers, over made-up candles.

    Call it when a worker process starts. A custom strategy that fails is logged: its jobs will say why.
    """
    for strategy in all_strategies():
        for values in _choices(strategy):
            try:
                _run_once(strategy, values)
            except EngineError as error:
                logger.warning("strategy %s could not be warmed up: %s", strategy.name, error)


def _run_once(strategy: Strategy, values: dict[str, Any]) -> None:
    parameters = strategy.Parameters(**values)
    candles = random_walk(strategy.look_back_bars(parameters) + 600)
    outcome = backtest(candles, strategy.signals(candles, parameters))
    downsample(outcome.open_time_ms, outcome.equity)


def _choices(strategy: Strategy) -> list[dict[str, Any]]:
    """The defaults, and each other choice of each parameter that is one of a few."""
    fields = strategy.Parameters.model_fields.items()
    choices = [
        (name, get_args(field.annotation))
        for name, field in fields
        if get_origin(field.annotation) is Literal
    ]
    return [{}, *({name: value} for name, values in choices for value in values)]
