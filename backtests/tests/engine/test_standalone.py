"""The engine works where nothing of the rest is installed."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

PROGRAM = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"django", "rest_framework", "celery", "channels", "redis", "pandas"}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
from backtests.engine.backtest import backtest
from backtests.engine.many import backtest_many
from backtests.engine.sample_candles import random_walk
from backtests.strategies.checks import check_strategy
from backtests.strategies.registry import find_strategy

candles = random_walk(500)
print(backtest(candles, find_strategy("rsi").signals(candles)).metrics.trade_count)
"""


def run(program: str) -> str:
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_backtest_runs_without_django_celery_redis_and_pandas():
    assert int(run(PROGRAM)) > 0


def test_importing_the_strategies_compiles_nothing():
    program = (
        "from backtests.strategies import registry; from backtests.engine import kernel, warm_up;"
        "print(len(kernel.simulate.signatures))"
    )
    assert run(program) == "0"
