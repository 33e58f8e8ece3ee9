"""The exact curve of a result, rebuilt on request."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from backtests.engine.backtest import backtest
from backtests.engine.curves import drawdowns
from backtests.strategies.registry import find_strategy
from backtests.tests.runs.conftest import START_MS, wavy_candles
from market_data.candles import Candles
from market_data.intervals import HOUR_MS
from market_data.models import CandleSeries
from market_data.store import append_candles, write_candles

RunBacktest = Callable[..., dict[str, Any]]
RANGE = {"start": "2021-01-10", "end": "2021-02-01"}


def address(run: dict[str, Any], query: str = "") -> str:
    return f"{run['links']['results']}AAAUSDT/curve/{query}"


def curve_of(client: APIClient, run: dict[str, Any], query: str = "") -> dict[str, Any]:
    response = client.get(address(run, query))
    assert response.status_code == 200, response.json()
    return response.json()


def engines_curve(candles: Candles, **settings: Any) -> Any:
    start, end = (int(np.datetime64(RANGE[name], "ms").astype(int)) for name in ("start", "end"))
    return backtest(candles, find_strategy("rsi").signals(candles), start_ms=start, end_ms=end, **settings)


def test_every_bar_of_the_curve_is_the_engines(run_backtest: RunBacktest, client: APIClient) -> None:
    curve = curve_of(client, run_backtest(**RANGE))
    expected = engines_curve(wavy_candles(1000))
    assert curve["time_ms"] == expected.open_time_ms.tolist()
    assert curve["equity"] == pytest.approx(expected.equity.tolist(), rel=1e-9)
    assert curve["drawdown"] == pytest.approx(drawdowns(expected.equity, 10_000.0).tolist(), abs=1e-6)
    assert max(curve["drawdown"]) == pytest.approx(expected.metrics.max_drawdown, abs=1e-6)
    assert (curve["bar_count"], curve["candles_changed"]) == (22 * 24, False)


def test_months_multiply_to_the_whole_return(run_backtest: RunBacktest, client: APIClient) -> None:
    run = run_backtest()
    months = curve_of(client, run)["monthly_returns"]
    assert list(months) == ["2021-01", "2021-02"]
    detail = client.get(f"{run['links']['results']}AAAUSDT/").json()
    growth = np.prod([1.0 + value for value in months.values()])
    assert growth - 1.0 == pytest.approx(detail["metrics"]["total_return"], rel=1e-9)


def test_warm_up_candles_come_along_as_the_strategy_saw_them(
    run_backtest: RunBacktest, client: APIClient
) -> None:
    warm_up = curve_of(client, run_backtest(**RANGE))["warm_up"]
    strategy = find_strategy("rsi")
    count = min(strategy.warm_up_bars(strategy.Parameters()), 9 * 24)
    assert warm_up["close"] == wavy_candles(1000).close[9 * 24 - count : 9 * 24].tolist()
    assert warm_up["time_ms"][-1] == START_MS + (9 * 24 - 1) * HOUR_MS


def test_fewer_points_keep_the_extremes(run_backtest: RunBacktest, client: APIClient) -> None:
    run = run_backtest()
    whole, some = curve_of(client, run), curve_of(client, run, "?max_points=100")
    assert len(some["time_ms"]) <= 100 < len(whole["time_ms"]) == some["bar_count"]
    assert (min(some["equity"]), max(some["equity"])) == (min(whole["equity"]), max(whole["equity"]))
    assert some["monthly_returns"] == whole["monthly_returns"]


def test_a_changed_candle_is_said(run_backtest: RunBacktest, client: APIClient) -> None:
    run = run_backtest(**RANGE)
    candles = wavy_candles(1000)
    candles.high[700] = candles.close[700] = candles.close[700] + 20.0
    held = candles.close[400] - 3.0
    candles.low[400] = candles.close[400] = held
    write_candles(symbol="AAAUSDT", source="test", interval="1h", candles=candles)
    assert curve_of(client, run)["candles_changed"] is True


def test_candles_after_the_range_are_no_change(run_backtest: RunBacktest, client: APIClient) -> None:
    """Though they lie in the same month, whose fingerprint they change."""
    run = run_backtest()
    later = wavy_candles(50, start_ms=START_MS + 1000 * HOUR_MS)
    append_candles(CandleSeries.objects.get(cryptocurrency__symbol="AAAUSDT"), later)
    curve = curve_of(client, run)
    assert (curve["bar_count"], curve["candles_changed"]) == (1000, False)


def test_without_candles_there_is_no_curve_and_a_reason(run_backtest: RunBacktest, client: APIClient) -> None:
    run = run_backtest()
    CandleSeries.objects.filter(cryptocurrency__symbol="AAAUSDT").delete()
    response = client.get(address(run))
    assert response.status_code == 404
    assert response.json()["detail"] == "The 1h candles of AAAUSDT are no longer stored."
    assert client.get(f"{run['links']['results']}AAAUSDT/").status_code == 200


@pytest.mark.parametrize("points", ["3", "many", "1000000"])
def test_a_wrong_number_of_points_is_named(run_backtest: RunBacktest, client: APIClient, points: str) -> None:
    response = client.get(address(run_backtest(), f"?max_points={points}"))
    assert response.status_code == 400
    assert "max_points" in response.json()["errors"]


def test_a_curve_belongs_to_the_runs_owner(run_backtest: RunBacktest, client: APIClient) -> None:
    run = run_backtest()
    assert client.get(address(run).replace("AAA", "NONE")).status_code == 404
    stranger = APIClient()
    stranger.force_authenticate(User.objects.create_user("stranger"))
    assert stranger.get(address(run)).status_code == 404
