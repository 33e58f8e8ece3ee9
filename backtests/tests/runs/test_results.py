"""Results through the API: numbers, order, reuse, and what is never reused."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
import orjson
import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from backtests import retention
from backtests.engine.backtest import backtest
from backtests.models import Result, ResultLink
from backtests.strategies.registry import find_strategy
from backtests.tests.runs.conftest import START_MS, SYMBOLS, wavy_candles
from market_data.candles import Candles
from market_data.intervals import HOUR_MS
from market_data.models import Cryptocurrency
from market_data.store import write_candles
from workers import retention as workers_retention
from workers.models import Event, Run
from workers.tests.broker import Published

RunBacktest = Callable[..., dict[str, Any]]


def results_of(client: APIClient, run: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    response = client.get(run["links"]["results"] + query)
    assert response.status_code == 200, response.json()
    return response.json()["results"]


def test_every_symbol_ends_in_a_result_that_equals_the_engines(
    run_backtest: RunBacktest, client: APIClient
) -> None:
    run = run_backtest()
    assert (run["status"], run["progress"]["succeeded"]) == ("completed", 3)
    for number, symbol in enumerate(SYMBOLS):
        candles = wavy_candles(1000, phase=number)
        expected = backtest(candles, find_strategy("rsi").signals(candles))
        detail = client.get(f"{run['links']['results']}{symbol}/").json()
        assert detail["metrics"]["total_return"] == expected.metrics.total_return
        assert detail["metrics"]["sharpe"] == expected.metrics.sharpe
        assert len(detail["trades"]) == expected.metrics.trade_count > 0
        for shown, trade in zip(detail["trades"], expected.trades.to_records(), strict=True):
            exact = {name for name, value in trade.items() if not isinstance(value, float)}
            assert {name: shown[name] for name in exact} == {name: trade[name] for name in exact}
            for name in trade.keys() - exact:
                assert shown[name] == pytest.approx(trade[name], rel=1e-6 if "excursion" in name else 1e-9), (
                    name
                )
        assert detail["equity"]["value"][-1] == pytest.approx(expected.equity[-1], rel=1e-6)
        assert detail["candles"]["count"] == 1000


def test_results_are_sorted_by_any_metric_with_undefined_ones_last(
    run_backtest: RunBacktest, client: APIClient
) -> None:
    run = run_backtest()
    returns = [row["metrics"]["total_return"] for row in results_of(client, run, "?ordering=-total_return")]
    assert returns == sorted(returns, reverse=True)
    Result.objects.filter(symbol="AAAUSDT").update(sharpe=None)
    for ordering in ("sharpe", "-sharpe"):
        assert results_of(client, run, f"?ordering={ordering}")[-1]["symbol"] == "AAAUSDT"


def test_results_are_searched_and_paged(run_backtest: RunBacktest, client: APIClient) -> None:
    run = run_backtest()
    assert [row["symbol"] for row in results_of(client, run, "?search=bbb")] == ["BBBUSDT"]
    page = client.get(run["links"]["results"] + "?ordering=symbol&page_size=2&page=2").json()
    assert (page["count"], [row["symbol"] for row in page["results"]]) == (3, ["CCCUSDT"])


def test_an_unknown_order_is_a_bad_request(run_backtest: RunBacktest, client: APIClient) -> None:
    response = client.get(run_backtest()["links"]["results"] + "?ordering=owner__password")
    assert response.status_code == 400
    assert "total_return" in response.json()["errors"]["ordering"][0]


def test_a_repeated_run_links_every_result_and_computes_none(
    run_backtest: RunBacktest, client: APIClient, published: Published
) -> None:
    first = run_backtest()
    again = client.post("/api/backtests/", {"strategy": "rsi"}, format="json").json()
    assert published == []
    assert (again["status"], again["summary"]["cached_count"], again["summary"]["computed_count"]) == (
        "completed",
        3,
        0,
    )
    assert {name: again["summary"][name] for name in ("mean_return", "best", "worst")} == {
        name: first["summary"][name] for name in ("mean_return", "best", "worst")
    }
    assert Result.objects.count() == 3
    assert all(row["cached"] for row in results_of(client, again))


def test_a_run_mixes_linked_and_fresh_results(run_backtest: RunBacktest) -> None:
    run_backtest(symbols=["BBBUSDT"])
    summary = run_backtest()["summary"]
    assert (summary["cached_count"], summary["computed_count"]) == (1, 2)


@pytest.mark.parametrize(
    "change",
    [
        {"parameters": {"period": 15}},
        {"fee_rate": 0.002},
        {"initial_cash": 5000},
        {"fill": "same_close"},
        {"start": "2021-01-10"},
        {"end": "2021-02-01"},
        {"strategy": "sma_cross"},
    ],
    ids=str,
)
def test_a_changed_request_reuses_nothing(run_backtest: RunBacktest, change: dict[str, Any]) -> None:
    run_backtest()
    assert run_backtest(**change)["summary"]["cached_count"] == 0


def test_a_changed_candle_in_the_range_is_computed_anew(run_backtest: RunBacktest) -> None:
    run_backtest()
    candles = wavy_candles(1000)
    candles.close[500] += 0.1
    write_candles(symbol="AAAUSDT", source="test", interval="1h", candles=candles)
    summary = run_backtest()["summary"]
    assert (summary["cached_count"], summary["computed_count"]) == (2, 1)


def test_candles_after_the_range_do_not_spoil_a_result(run_backtest: RunBacktest) -> None:
    body = {"start": "2021-01-01", "end": "2021-02-01"}
    run_backtest(**body)
    later = wavy_candles(50, start_ms=START_MS + 1000 * HOUR_MS)
    write_candles(symbol="AAAUSDT", source="test", interval="1h", candles=later)
    assert run_backtest(**body)["summary"]["cached_count"] == 3


def test_a_new_version_of_a_strategy_is_computed_anew(
    run_backtest: RunBacktest, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_backtest()
    monkeypatch.setattr(type(find_strategy("rsi")), "version", "next")
    assert run_backtest()["summary"]["cached_count"] == 0


def test_a_strategy_without_a_version_is_never_reused(
    run_backtest: RunBacktest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(find_strategy("rsi")), "version", None)
    run_backtest()
    assert run_backtest()["summary"]["cached_count"] == 0


def test_symbols_without_candles_fail_with_a_reason_and_the_others_run(
    run_backtest: RunBacktest, client: APIClient
) -> None:
    Cryptocurrency.objects.create(symbol="NONEUSDT", base="NONE", quote="USDT")
    late = wavy_candles(10, start_ms=START_MS + 5000 * HOUR_MS)
    write_candles(symbol="LATEUSDT", source="test", interval="1h", candles=late)
    run = run_backtest(symbols=[*SYMBOLS, "NONEUSDT", "LATEUSDT"], end="2021-02-01")
    assert (run["status"], run["progress"]["succeeded"], run["progress"]["failed"]) == ("completed", 3, 2)
    events = client.get(run["links"]["events"]).json()["events"]
    reasons = {event["key"]: event["reason"] for event in events if event["type"] == "failure"}
    assert reasons["NONEUSDT"] == "no 1h candles of NONEUSDT from test"
    assert reasons["LATEUSDT"].startswith("no candles in the range: LATEUSDT has candles from 2021-07-28")


def test_a_series_too_short_for_the_strategy_fails_with_a_reason(
    run_backtest: RunBacktest, client: APIClient
) -> None:
    write_candles(symbol="TINYUSDT", source="test", interval="1h", candles=wavy_candles(3))
    run = run_backtest(symbols=["TINYUSDT", "AAAUSDT"])
    events = client.get(run["links"]["events"]).json()["events"]
    (failure,) = [event for event in events if event["type"] == "failure"]
    assert "needs at least 15 candles, there are 3" in failure["reason"]


def test_warnings_on_a_series_travel_with_its_result(run_backtest: RunBacktest, client: APIClient) -> None:
    candles = wavy_candles(600)
    moved = np.where(np.arange(600) < 300, 0, 400 * HOUR_MS)
    gappy = Candles(
        candles.open_time_ms + moved,
        *(getattr(candles, n) for n in ("open", "high", "low", "close", "volume")),
    )
    write_candles(symbol="GAPUSDT", source="test", interval="1h", candles=gappy)
    run = run_backtest(symbols=["GAPUSDT"])
    (row,) = results_of(client, run)
    assert [warning["code"] for warning in row["warnings"]] == ["halt"]
    detail = client.get(f"{run['links']['results']}GAPUSDT/").json()
    assert (detail["candles"]["gap_count"], detail["candles"]["missing_count"]) == (1, 400)


def test_snapshot_and_events_agree_with_a_fresh_snapshot(
    run_backtest: RunBacktest, client: APIClient
) -> None:
    """Whoever has seen all events knows what the tables say."""
    run = run_backtest()
    events = [orjson.loads(body) for body in Event.objects.order_by("seq").values_list("body", flat=True)]
    seen = {event["key"]: event["result"] for event in events if event["type"] == "result"}
    rows = {row["symbol"]: row for row in results_of(client, run)}
    assert seen.keys() == rows.keys()
    for symbol, row in rows.items():
        for part in ("warnings", "sparkline", "generated"):
            assert seen[symbol][part] == row[part]
        assert seen[symbol]["metrics"] == {name: row["metrics"][name] for name in Result.HEADLINE}
    last = events[-1]
    assert {name: last[name] for name in ("status", "reason", "summary", "progress")} == {
        name: run[name] for name in ("status", "reason", "summary", "progress")
    }
    assert last["seq"] == run["last_seq"]


def test_a_run_is_invisible_to_other_users(run_backtest: RunBacktest) -> None:
    run = run_backtest()
    stranger = APIClient()
    stranger.force_authenticate(User.objects.create_user("stranger"))
    for link in ("self", "events", "results"):
        assert stranger.get(run["links"][link]).status_code == 404
    assert stranger.get(f"{run['links']['results']}AAAUSDT/").status_code == 404
    assert stranger.get("/api/runs/").json()["results"] == []


def test_a_result_of_a_symbol_that_was_not_asked_for_is_not_found(
    run_backtest: RunBacktest, client: APIClient
) -> None:
    run = run_backtest(symbols=["AAAUSDT"])
    assert client.get(f"{run['links']['results']}BBBUSDT/").status_code == 404


def test_deleting_a_run_keeps_results_that_others_point_to(run_backtest: RunBacktest, trader: Any) -> None:
    run_backtest()
    run_backtest()
    trader.runs.first().delete()
    assert (Result.objects.count(), ResultLink.objects.count()) == (3, 3)


def test_pruning_deletes_old_runs_and_then_results_that_nobody_points_to(run_backtest: RunBacktest) -> None:
    run_backtest()
    later = run_backtest(parameters={"period": 9})
    assert workers_retention.prune_runs(older_than=timedelta(days=1)) == 0
    Run.objects.exclude(pk=later["id"]).update(ended_at=timezone.now() - timedelta(days=2))
    assert workers_retention.prune_runs(older_than=timedelta(days=1)) == 1
    assert retention.prune_results(older_than=timedelta(days=1)) == 0
    assert retention.prune_results(older_than=timedelta(0)) == 3
    assert (Run.objects.count(), Result.objects.count(), ResultLink.objects.count()) == (1, 3, 3)
