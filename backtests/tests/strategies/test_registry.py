"""Strategies by name, and users' own ones."""

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from backtests.engine.errors import EngineError
from backtests.strategies import registry
from backtests.strategies.registry import all_strategies, find_strategy, load_modules

OWN = """
from pydantic import Field
from backtests.engine.signals import Signals
from backtests.strategies.parameters import StrategyParameters
from backtests.strategies.rsi import Rsi  # imported, not defined here
from backtests.strategies.strategy import Strategy

class Parameters(StrategyParameters):
    dip: float = Field(
        1.0, ge=0, le=50, title="Dip", description="Fall that is bought.", json_schema_extra={"unit": "%"}
    )

class BuyTheDip(Strategy):
    name = "buy_the_dip"
    title = "Buy the dip"
    description = "Buys a candle that falls, sells one that rises."
    acts_on = "level"
    Parameters = Parameters

    def look_back_bars(self, parameters):
        return 0

    def decide(self, candles, parameters, shared):
        change = 100 * (candles.close / candles.open - 1)
        return Signals.of(enter_long=change < -parameters.dip, exit_long=change > 0)
"""


@pytest.fixture(autouse=True)
def fresh_registry(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each test has a registry and a folder of modules of its own."""
    monkeypatch.setattr(registry, "_strategies", dict(registry._strategies))
    monkeypatch.setattr(registry, "_external_are_loaded", False)
    monkeypatch.syspath_prepend(str(tmp_path))


def write(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.py").write_text(text)


def test_the_built_in_strategies_are_there():
    assert [strategy.name for strategy in all_strategies()] == [
        "rsi",
        "sma_cross",
        "ema_cross",
        "macd",
        "bollinger_reversion",
        "bollinger_breakout",
        "momentum",
        "zscore",
        "donchian",
        "atr_channel",
        "buy_and_hold",
    ]
    assert find_strategy("rsi").title == "RSI reversal"


def test_an_unknown_name_is_refused_with_the_names_there_are():
    with pytest.raises(EngineError, match=r"there is no strategy 'rsj'; there are atr_channel, .*, zscore"):
        find_strategy("rsj")


def test_a_module_registers_the_strategies_defined_in_it(tmp_path: Path):
    write(tmp_path, "own_one", OWN)
    load_modules(["own_one"])
    load_modules(["own_one"])
    strategy = find_strategy("buy_the_dip")
    assert len(all_strategies()) == 12
    assert (strategy.declared_version, strategy.code_version) == (False, "undeclared")
    assert strategy.Parameters.model_json_schema()["properties"]["dip"]["unit"] == "%"


def test_modules_named_in_the_environment_are_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write(tmp_path, "own_two", OWN)
    monkeypatch.setenv("CANDLESTREAM_STRATEGIES", "own_two")
    assert find_strategy("buy_the_dip").title == "Buy the dip"


def test_entry_points_of_installed_packages_are_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write(tmp_path, "own_three", OWN)
    point = EntryPoint(name="dip", value="own_three", group="candlestream.strategies")

    def entry_points(*, group: str) -> list[EntryPoint]:
        return [point] if group == point.group else []

    monkeypatch.setattr(registry, "entry_points", entry_points)
    assert find_strategy("buy_the_dip").title == "Buy the dip"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'name = "buy_the_dip"',
            'name = "rsi"',
            "can't be called 'rsi': backtests.strategies.rsi.Rsi has that name",
        ),
        ('    title = "Buy the dip"\n', "", "must have a text as its class attribute `title`"),
        ('acts_on = "level"', 'acts_on = "mood"', "acts_on must be 'cross' or 'level', not 'mood'"),
        ("1.0, ge=0", "ge=0", "every parameter must have a valid default"),
        (
            "Parameters = Parameters",
            "Parameters = dict",
            "Parameters must be a subclass of StrategyParameters",
        ),
        ("class BuyTheDip(Strategy)", "class BuyTheDip", "defines no subclass of Strategy"),
        (
            "from pydantic",
            "from pydantyc",
            "can't be imported: ModuleNotFoundError: No module named 'pydantyc'",
        ),
        ("return 0", "return 0 +", "can't be imported: SyntaxError"),
    ],
)
def test_a_module_that_is_no_strategy_is_refused_in_a_sentence(
    old: str, new: str, message: str, tmp_path: Path, request: Any
):
    assert old in OWN
    module = f"own_{abs(hash(request.node.name))}"
    write(tmp_path, module, OWN.replace(old, new))
    with pytest.raises(EngineError, match=message):
        load_modules([module])


def test_a_module_that_does_not_exist_is_named():
    with pytest.raises(EngineError, match="strategy module 'nowhere' can't be imported: ModuleNotFoundError"):
        load_modules(["nowhere"])


ROOT = Path(__file__).parents[3]


def check(name: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """`manage.py check_strategy` with the modules in a folder."""
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(folder),
        "CANDLESTREAM_STRATEGIES": "mine",
        "CANDLESTREAM_HOME": str(folder),
        "HOME": str(folder),
        "SINGLE_USER": "1",
    }
    command = [sys.executable, "manage.py", "check_strategy", name, *options]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=100, check=False
    )


def test_the_command_says_what_a_strategy_does(tmp_path: Path):
    write(tmp_path, "mine", OWN)
    done = check("buy_the_dip", tmp_path, "--parameters", '{"dip": 0.5}')
    assert done.returncode == 0, done.stderr
    lines = done.stdout.strip().splitlines()
    assert [text.split(":")[0] for text in lines] == [
        "ok   signals",
        "ok   look-ahead",
        "ok   determinism",
        "ok   warm-up",
        "ok   speed",
    ]


def test_the_command_fails_and_says_what_is_wrong(tmp_path: Path):
    known, unknown = "candles.close / candles.open - 1", "candles.close / candles.close.max() - 0.9"
    write(tmp_path, "mine", OWN.replace(known, unknown))
    done = check("buy_the_dip", tmp_path)
    assert done.returncode == 1
    assert "FAIL look-ahead: it looks ahead: at bar" in done.stdout
    assert "CommandError: buy_the_dip is not fit to be backtested yet" in done.stderr


def test_the_command_refuses_bad_parameters_and_unknown_names(tmp_path: Path):
    write(tmp_path, "mine", OWN)
    assert "there is no strategy 'mine'" in check("mine", tmp_path).stderr
    assert "--parameters: " in check("buy_the_dip", tmp_path, "--parameters", "{").stderr
    assert "dip" in check("buy_the_dip", tmp_path, "--parameters", '{"dip": -1}').stderr
