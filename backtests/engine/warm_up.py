"""Compile, or load from the cache, what a worker process needs, before its first job."""

import numpy as np

from backtests.engine.backtest import backtest
from backtests.strategies.registry import all_strategies
from market_data.candles import Candles


def warm_up_kernels() -> None:
    """Run every strategy once over a few made-up candles; call it when a worker process starts."""
    for strategy in all_strategies():
        parameters = strategy.Parameters()
        candles = _made_up_candles(strategy.look_back_bars(parameters) + 10)
        backtest(candles, strategy.signals(candles, parameters))


def _made_up_candles(n_bars: int) -> Candles:
    bars = np.arange(n_bars)
    close = 100.0 + np.sin(bars / 5.0)
    return Candles(bars * 3_600_000, close.copy(), close + 1.0, close - 1.0, close, np.ones(n_bars))
