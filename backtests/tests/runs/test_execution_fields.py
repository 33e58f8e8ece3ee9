"""Every execution setting of a request reaches the engine, and is part of what a result depends on."""

from collections.abc import Callable
from typing import Any

from rest_framework.test import APIClient

from backtests.engine.backtest import backtest
from backtests.engine.execution import Execution
from backtests.models import ResultLink
from backtests.spec import EXECUTION_FIELDS, BacktestSpec
from backtests.strategies.registry import find_strategy
from backtests.tests.runs.conftest import wavy_candles
from workers.models import Run

RunBacktest = Callable[..., dict[str, Any]]

SETTINGS: tuple[dict[str, Any], ...] = (
    {"initial_cash": 5000.0},
    {"fee_rate": 0.01},
    {"fixed_fee": 3.0},
    {"slippage_rate": 0.01},
    {"fill": "same_close"},
    {"direction": "short"},
    {"direction": "long_short"},
    {"equity_fraction": 0.5},
    {"fixed_cash": 700.0},
    {"stop_loss": 0.005},
    {"take_profit": 0.003},
    {"trailing_stop": 0.004},
    {"max_holding_bars": 3},
    {"stop_loss": 0.005, "cooldown_bars": 40},
)


def result_of(run: dict[str, Any]) -> Any:
    return ResultLink.objects.select_related("result").get(job__run_id=run["id"]).result


def test_every_setting_of_the_engine_is_tried_here() -> None:
    assert {name for settings in SETTINGS for name in settings} == set(EXECUTION_FIELDS)


def test_every_setting_reaches_the_engine_and_is_part_of_the_digest(
    run_backtest: RunBacktest, client: APIClient
) -> None:
    candles = wavy_candles(1000)
    signals = find_strategy("rsi").signals(candles)
    seen = {result_of(run_backtest(symbols=["AAAUSDT"])).pk: {}}
    outcomes = {repr(backtest(candles, signals).metrics)}
    for settings in SETTINGS:
        run = run_backtest(symbols=["AAAUSDT"], **settings)
        result = result_of(run)
        expected = backtest(candles, signals, Execution(**settings))
        assert result.pk not in seen, f"{settings} and {seen[result.pk]} share a digest"
        assert {name: run["spec"][name] for name in settings} == settings
        assert {name: result.execution[name] for name in settings} == settings
        assert result.final_equity == expected.metrics.final_equity
        assert result.trade_count == expected.metrics.trade_count
        seen[result.pk] = settings
        outcomes.add(repr(expected.metrics))
    assert len(outcomes) == len(SETTINGS) + 1, "a setting that changes no number proves nothing"


def test_null_is_the_default_and_shares_its_result(run_backtest: RunBacktest) -> None:
    first = run_backtest(symbols=["AAAUSDT"])
    again = run_backtest(symbols=["AAAUSDT"], equity_fraction=1.0, stop_loss=None, fixed_cash=None)
    assert again["summary"]["cached_count"] == 1
    assert result_of(first) == result_of(again)


def test_a_spec_of_before_these_settings_existed_is_read_with_the_defaults(run_backtest: RunBacktest) -> None:
    spec = Run.objects.get(pk=run_backtest(symbols=["AAAUSDT"])["id"]).spec
    old = {name: value for name, value in spec.items() if name not in {"stop_loss", "direction", "fixed_fee"}}
    assert BacktestSpec.parse(old).execution == Execution()
