"""The engine's speed and memory, beside vectorbt and backtesting.py: `python -m benchmarks.engine`.

Same series, same process, alternating, medians. Ours is a whole backtest: checks, indicators, signals, execution,
equity, trades, all metrics. The others get our signals for nothing, and compute the metrics they have in common.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from backtests.engine.backtest import backtest
from backtests.engine.execution import Execution
from backtests.engine.many import backtest_many
from backtests.engine.sample_candles import random_walk
from backtests.engine.signals import ENTER_LONG, EXIT_LONG, Flags
from backtests.engine.warm_up import warm_up_kernels
from backtests.strategies.registry import BUILT_IN, find_strategy
from backtests.strategies.strategy import Strategy
from benchmarks.report import Table, save
from market_data.candles import Candles

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import vectorbt

    from backtests.tests.engine.peers import backtesting_outcome

BARS = 43_800
SETS = 100
TURN_NS = 20_000_000
REAL = Path(__file__).parents[2] / "shared" / "data" / "spot_1h" / "BTCUSDT.parquet"
EXECUTION = Execution(slippage_rate=0.0)


def main() -> None:
    """Measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--slow-rounds", type=int, default=2, help="of backtesting.py")
    parser.add_argument("--candles", type=Path, default=REAL, help="a Parquet file with an hourly series")
    options = parser.parse_args()
    warm_up_kernels()
    candles = _candles(options.candles)
    figures = {
        "series": options.candles.stem if options.candles.is_file() else "random walk",
        "strategies": _strategies(candles, options.rounds, options.slow_rounds),
        "many": _many(candles, max(3, options.rounds // 3)),
        "fresh_process": _fresh_process(),
    }
    save(Path("engine.json"), figures)


def _candles(path: Path) -> Candles:
    """Real candles where there are some, else made-up ones."""
    if not path.is_file():
        return random_walk(BARS)
    table = pq.read_table(path).slice(0, BARS)
    times = table["datetime"].to_numpy().astype("datetime64[ms]").astype(np.int64)
    return Candles(times, *(np.array(table[field.name], dtype=np.float64) for field in fields(Candles)[1:]))


def _strategies(candles: Candles, rounds: int, slow_rounds: int) -> dict[str, dict[str, float]]:
    table = Table(
        f"One backtest of {len(candles):,} hourly bars with all metrics, ns a bar",
        ["strategy", "signals", "whole", "… after others", "vectorbt", "×", "backtesting.py", "×"],
    )
    figures = {kind.name: _strategy(kind(), candles, rounds, slow_rounds) for kind in BUILT_IN}
    names = ("signals", "ours", "ours after others", "vectorbt", "backtesting_py")
    figures["mean"] = {name: statistics.mean(row[name] for row in figures.values()) for name in names}
    for name, row in figures.items():
        row["times_vectorbt"] = row["vectorbt"] / row["ours"]
        row["times_backtesting_py"] = row["backtesting_py"] / row["ours"]
        table.add(
            name,
            row["signals"],
            row["ours"],
            row["ours after others"],
            row["vectorbt"],
            row["times_vectorbt"],
            row["backtesting_py"],
            row["times_backtesting_py"],
        )
    table.print()
    return figures


def _strategy(strategy: Strategy, candles: Candles, rounds: int, slow_rounds: int) -> dict[str, float]:
    flags = strategy.signals(candles).flags
    contenders: dict[str, tuple[Callable[[], Any], int]] = {
        "signals": (lambda: strategy.signals(candles), rounds),
        "ours": (lambda: backtest(candles, strategy.signals(candles), EXECUTION).trades, rounds),
        "vectorbt": (lambda: _vectorbt(candles, flags), rounds),
        "backtesting_py": (lambda: backtesting_outcome(candles, flags, EXECUTION), slow_rounds),
    }
    return {name: ns / len(candles) for name, ns in _alternating(contenders).items()}


def _alternating(contenders: dict[str, tuple[Callable[[], Any], int]]) -> dict[str, float]:
    """Median nanoseconds of each, in turns of at least 20 ms each, the first turn not counted.

    `… after others` is the median of the first calls of the turns: what ran in between has emptied the caches.
    """
    first: dict[str, list[int]] = {name: [] for name in contenders}
    times: dict[str, list[int]] = {name: [] for name in contenders}
    for turn in range(-1, max(rounds for _, rounds in contenders.values())):
        for name, (function, rounds) in contenders.items():
            if turn < rounds:
                calls = _turn(function)
                times[name] += calls if turn >= 0 else []
                first[name] += calls[:1] if turn >= 0 else []
    return {name: statistics.median(values) for name, values in times.items()} | {
        f"{name} after others": statistics.median(values) for name, values in first.items()
    }


def _turn(function: Callable[[], Any]) -> list[int]:
    calls = [_time(function)]
    while sum(calls) < TURN_NS:
        calls.append(_time(function))
    return calls


def _time(function: Callable[[], Any]) -> int:
    start = time.perf_counter_ns()
    function()
    return time.perf_counter_ns() - start


def _vectorbt(candles: Candles, flags: Flags) -> list[Any]:
    """Next-open fills with its fees; the metrics that both have."""
    late = np.concatenate((np.zeros(1, dtype=np.uint8), flags[:-1]))
    return _vectorbt_metrics(candles, late & ENTER_LONG != 0, late & EXIT_LONG != 0)


def _vectorbt_metrics(candles: Candles, entries: Any, exits: Any) -> list[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        portfolio: Any = vectorbt.Portfolio.from_signals(
            pd.Series(candles.close),
            entries,
            exits,
            price=pd.Series(candles.open),
            fees=EXECUTION.fee_rate,
            init_cash=EXECUTION.initial_cash,
            freq="1h",
        )
        return [
            portfolio.total_return(),
            portfolio.annualized_return(),
            portfolio.annualized_volatility(),
            portfolio.sharpe_ratio(),
            portfolio.sortino_ratio(),
            portfolio.max_drawdown(),
            portfolio.calmar_ratio(),
            portfolio.trades.win_rate(),
            portfolio.trades.profit_factor(),
            portfolio.trades.expectancy(),
            portfolio.trades.sqn(),
        ]


def _many(candles: Candles, rounds: int) -> dict[str, float]:
    """A hundred pairs of RSI thresholds; vectorbt broadcasts them over the columns of one portfolio."""
    pairs = [(20.0 + low, 60.0 + high) for low in range(0, 20, 2) for high in range(0, 20, 2)]
    sets = [{"oversold": low, "overbought": high} for low, high in pairs]
    periods = [{"period": 5 + index, "oversold": 30.0} for index in range(SETS)]
    crosses = [{"fast": 5 + 2 * fast, "slow": 30 + 4 * slow} for fast in range(10) for slow in range(10)]
    rsi, sma_cross = find_strategy("rsi"), find_strategy("sma_cross")

    def broadcast() -> list[Any]:
        indicator: Any = vectorbt.RSI.run(candles.close, window=14, ewm=True)
        values = indicator.rsi.to_numpy()
        entries = pd.DataFrame({index: values < low for index, (low, _) in enumerate(pairs)})
        exits = pd.DataFrame({index: values > high for index, (_, high) in enumerate(pairs)})
        return _vectorbt_metrics(candles, entries, exits)

    medians = _alternating(
        {
            "rsi_thresholds": (lambda: backtest_many(candles, rsi, sets, EXECUTION), rounds),
            "rsi_periods": (lambda: backtest_many(candles, rsi, periods, EXECUTION), rounds),
            "sma_cross": (lambda: backtest_many(candles, sma_cross, crosses, EXECUTION), rounds),
            "vectorbt_rsi_thresholds": (broadcast, 2),
        }
    )
    figures = {name: ns / len(candles) / SETS for name, ns in medians.items()}
    figures["times_vectorbt"] = figures["vectorbt_rsi_thresholds"] / figures["rsi_thresholds"]
    table = Table(f"backtest_many with {SETS} parameter sets, ns a bar a set", ["sets", "ns"])
    for name in medians:
        table.add(name.replace("_", " "), figures[name])
    table.add("× vectorbt", figures["times_vectorbt"])
    table.print()
    return figures


FRESH = f"""
import json, statistics, time
import numpy as np
start = time.perf_counter()
from backtests.engine.backtest import backtest
from backtests.engine.sample_candles import random_walk
from backtests.engine.warm_up import warm_up_kernels
from backtests.strategies.registry import BUILT_IN
imported = time.perf_counter()
warm_up_kernels()
warm = time.perf_counter()
candles = random_walk({BARS})

def peak_kb():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])

def once(strategy, candles):
    begin = time.perf_counter()
    backtest(candles, strategy.signals(candles))
    return time.perf_counter() - begin

strategies = [kind() for kind in BUILT_IN]
first = [once(strategy, candles) for strategy in strategies]
later = [statistics.median(once(strategy, candles) for _ in range(15)) for strategy in strategies]
long = random_walk(2_000_000)
arrays = {{}}
for strategy in strategies:
    open("/proc/self/clear_refs", "w").write("5")
    before = peak_kb()
    outcome = backtest(long, strategy.signals(long))
    arrays[strategy.name] = (peak_kb() - before) * 1024 / 8 / len(long)
print(json.dumps({{
    "import_s": imported - start,
    "warm_up_s": warm - imported,
    "first_call_over_median": max(a / b for a, b in zip(first, later)),
    "peak_arrays": max(arrays.values()),
}}))
"""


def _fresh_process() -> dict[str, float]:
    """What a worker process meets: kernels come from the cache on disk; the memory of a call over 2 million bars."""
    done = subprocess.run([sys.executable, "-c", FRESH], capture_output=True, text=True, check=True)
    figures = json.loads(done.stdout)
    table = Table("A fresh worker process", ["", "figure"])
    table.add("importing strategies and engine, s", figures["import_s"])
    table.add("warming up from the cache, s", figures["warm_up_s"])
    table.add("first call / median, worst strategy", figures["first_call_over_median"])
    table.add("peak memory of a call, float64 arrays of the series' length", figures["peak_arrays"])
    table.print()
    return figures


if __name__ == "__main__":
    main()
