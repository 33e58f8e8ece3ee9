"""Scans through the API: what the strategy says at the latest candles, and everything shared with other runs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from backtests.engine.signals import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT
from backtests.models import ScanResult
from backtests.scans.spec import DEFAULT_HIT
from backtests.strategies.registry import find_strategy
from backtests.tests.runs.conftest import START_MS, SYMBOLS, wavy_candles
from market_data.candles import Candles
from market_data.intervals import HOUR_MS
from market_data.models import Cryptocurrency
from market_data.store import write_candles
from workers.models import Run
from workers.tests.broker import Published

RunScan = Callable[..., dict[str, Any]]
UNTIL = "2021-02-11T16:00:00Z"


@pytest.fixture
def run_scan(client: APIClient, market: None, published: Published) -> RunScan:
    """POST a scan with RSI, execute its jobs, and return the run as it is afterwards."""

    def run(**body: Any) -> dict[str, Any]:
        response = client.post("/api/scans/", {"strategy": "rsi", **body}, format="json")
        assert response.status_code == 202, response.json()
        published.execute_all()
        return client.get(response.json()["links"]["self"]).json()

    return run


def rows_of(client: APIClient, run: dict[str, Any], query: str = "") -> dict[str, dict[str, Any]]:
    answer = client.get(run["links"]["results"] + query)
    assert answer.status_code == 200, answer.json()
    return {row["symbol"]: row for row in answer.json()["results"]}


def meaning(flag: int) -> tuple[str, str | None]:
    """The plain reading of one bar's signals, both sides allowed."""
    if flag & (ENTER_LONG | ENTER_SHORT):
        return "enter", "long" if flag & ENTER_LONG else "short"
    sides = [side for side, bit in (("long", EXIT_LONG), ("short", EXIT_SHORT)) if flag & bit]
    return ("exit" if sides else "hold"), sides[0] if len(sides) == 1 else None


def test_a_scan_says_what_the_strategy_says_at_the_latest_candle(
    run_scan: RunScan, client: APIClient
) -> None:
    seen: set[str] = set()
    for strategy in ("rsi", "zscore", "sma_cross", "buy_and_hold"):
        for hours in range(0, 96, 16):
            until = START_MS + (1000 - hours) * HOUR_MS
            run = run_scan(strategy=strategy, until=np.datetime64(until, "ms").item().isoformat())
            for number, symbol in enumerate(SYMBOLS):
                candles = wavy_candles(1000 - hours, phase=number)
                said = find_strategy(strategy).judge(candles)
                row = rows_of(client, run)[symbol]
                assert (row["signal"], row["side"]) == meaning(int(said.flags[-1])), (strategy, hours, symbol)
                assert row["metrics"]["close"] == candles.close[-1]
                assert row["metrics"]["bars_behind"] == 0
                if said.strength is None:
                    assert row["metrics"]["strength"] is None
                else:
                    assert row["metrics"]["strength"] == pytest.approx(said.strength[-1], rel=1e-6)
                seen.add(row["signal"])
    assert seen == {"enter", "exit", "hold"}


def test_the_latest_signal_within_some_candles_counts(run_scan: RunScan, client: APIClient) -> None:
    candles = wavy_candles(1000)
    flags = find_strategy("sma_cross").signals(candles).flags
    bar = int(np.flatnonzero(flags)[-1])
    age = len(candles) - 1 - bar
    body = {"strategy": "sma_cross", "symbols": ["AAAUSDT"]}
    row = rows_of(client, run_scan(**body, within_bars=age + 1))["AAAUSDT"]
    assert (row["signal"], row["side"]) == meaning(int(flags[bar]))
    assert row["metrics"]["age_bars"] == age
    assert np.datetime64(row["signal_time"].rstrip("Z"), "ms").astype(int) == candles.open_time_ms[bar]
    assert rows_of(client, run_scan(**body, within_bars=max(age, 1)))["AAAUSDT"]["signal"] == "hold"


def test_signals_of_the_other_side_are_left_out(run_scan: RunScan, client: APIClient) -> None:
    candles = wavy_candles(1000)
    flags = find_strategy("rsi").signals(candles).flags
    bar = int(np.flatnonzero(flags & ENTER_SHORT)[-1])
    until = np.datetime64(int(candles.open_time_ms[bar]) + HOUR_MS, "ms").item().isoformat()
    said = {}
    for direction in ("long", "short", "long_short"):
        row = rows_of(client, run_scan(symbols=["AAAUSDT"], until=until, direction=direction))["AAAUSDT"]
        said[direction] = (row["signal"], row["side"])
    assert said == {
        "long": ("exit", "long"),
        "short": ("enter", "short"),
        "long_short": ("enter", "short"),
    }


def test_only_candles_that_were_closed_count(run_scan: RunScan, client: APIClient) -> None:
    for until, hour in (
        ("2021-02-11T15:59:59Z", 14),
        ("2021-02-11T16:00:00Z", 15),
        ("2021-02-11T16:00:01Z", 15),
    ):
        row = rows_of(client, run_scan(symbols=["AAAUSDT"], until=until))["AAAUSDT"]
        assert row["last_time"].startswith(f"2021-02-11T{hour}:00:00"), until


def test_defaults_are_filled_in(client: APIClient, market: None, published: Published) -> None:
    run = client.post("/api/scans/", {"strategy": "rsi"}, format="json").json()
    assert (run["kind"], run["links"]["results"]) == ("scan", f"/api/scans/{run['id']}/results/")
    assert run["spec"] == {
        "strategy": "rsi",
        "parameters": {"period": 14, "smoothing": "wilder", "oversold": 30.0, "overbought": 70.0},
        "symbols": "all",
        "source": "test",
        "interval": "1h",
        "until": UNTIL,
        "direction": "long_short",
        "within_bars": 1,
        "max_parallel": None,
        "hit": DEFAULT_HIT,
        "max_hits": None,
        "max_failures": None,
        "timeout_seconds": None,
        "priority_symbols": [],
        "order": "volume",
    }


def test_a_scan_ends_after_so_many_signals(run_scan: RunScan, client: APIClient) -> None:
    run = run_scan(strategy="buy_and_hold", max_hits=2)
    assert (run["status"], run["reason"], run["hits"]) == ("stopped", "max_hits", 2)
    assert run["progress"]["cancelled"] == 1
    assert run["summary"] == {
        "result_count": 2,
        "enter_long_count": 2,
        "enter_short_count": 0,
        "exit_count": 0,
        "hold_count": 0,
        "strongest": None,
    }


def test_hits_are_counted_over_the_numbers_of_a_scan(run_scan: RunScan, client: APIClient) -> None:
    rows = rows_of(client, run_scan(hit="strength > 0.1 or enter == 1 and long == 1"))
    for row in rows.values():
        assert row["hit"] is (row["metrics"]["strength"] > 0.1)
    assert {row["hit"] for row in rows.values()} == {True, False}


def test_a_cryptocurrency_whose_candles_ended_long_ago_is_marked_and_no_hit(
    run_scan: RunScan, client: APIClient
) -> None:
    early = wavy_candles(500)
    write_candles(symbol="OLDUSDT", source="test", interval="1h", candles=early)
    run = run_scan(strategy="buy_and_hold")
    row = rows_of(client, run)["OLDUSDT"]
    assert (row["metrics"]["bars_behind"], row["hit"], row["signal"]) == (500, False, "enter")
    assert row["warnings"][-1] == {
        "code": "outdated",
        "message": "The latest candle opens 2021-01-21 19:00 UTC, 500 too early.",
    }
    assert run["hits"] == 3


def test_symbols_without_candles_fail_with_a_reason_and_the_others_are_scanned(
    run_scan: RunScan, client: APIClient
) -> None:
    Cryptocurrency.objects.create(symbol="NONEUSDT", base="NONE", quote="USDT")
    late = wavy_candles(10, start_ms=START_MS + 500 * HOUR_MS)
    write_candles(symbol="LATEUSDT", source="test", interval="1h", candles=late)
    write_candles(symbol="TINYUSDT", source="test", interval="1h", candles=wavy_candles(3))
    symbols = ["AAAUSDT", "NONEUSDT", "LATEUSDT", "TINYUSDT"]
    run = run_scan(symbols=symbols, until="2021-01-10")
    assert (run["progress"]["succeeded"], run["progress"]["failed"]) == (1, 3)
    events = client.get(run["links"]["events"]).json()["events"]
    reasons = {event["key"]: event["reason"] for event in events if event["type"] == "failure"}
    assert reasons["NONEUSDT"] == "no 1h candles of NONEUSDT from test"
    assert reasons["LATEUSDT"].startswith("no candle was closed at the scan's time")
    assert "needs at least 15 candles" in reasons["TINYUSDT"]


def test_scans_are_always_computed_anew(run_scan: RunScan, client: APIClient) -> None:
    first, again = run_scan(), run_scan()
    assert ScanResult.objects.count() == 2 * len(SYMBOLS)
    without_time = [
        {
            symbol: {name: value for name, value in row.items() if name != "elapsed_ms"}
            for symbol, row in rows_of(client, run).items()
        }
        for run in (first, again)
    ]
    assert without_time[0] == without_time[1]
    assert not any(row["cached"] for row in without_time[0].values())


def test_events_and_rows_of_a_scan_agree(run_scan: RunScan, client: APIClient) -> None:
    run = run_scan()
    events = client.get(run["links"]["events"]).json()["events"]
    seen = {event["key"]: event["result"] for event in events if event["type"] == "result"}
    rows = rows_of(client, run)
    assert seen.keys() == rows.keys() == set(SYMBOLS)
    for symbol, row in rows.items():
        assert seen[symbol] == {name: row[name] for name in seen[symbol]}
        assert client.get(f"{run['links']['results']}{symbol}/").json() == row
    assert events[-1]["summary"] == run["summary"]


def test_results_of_a_scan_are_sorted(run_scan: RunScan, client: APIClient) -> None:
    run = run_scan()
    rows = list(rows_of(client, run, "?ordering=-strength").values())
    strengths = [row["metrics"]["strength"] for row in rows]
    assert strengths == sorted(strengths, reverse=True)
    assert client.get(run["links"]["results"] + "?ordering=sharpe").status_code == 400


def test_a_scan_is_invisible_to_others_and_no_backtest(run_scan: RunScan, client: APIClient) -> None:
    run = run_scan()
    stranger = APIClient()
    stranger.force_authenticate(User.objects.create_user("stranger"))
    for path in ("", "AAAUSDT/"):
        assert stranger.get(run["links"]["results"] + path).status_code == 404
    assert client.get(f"/api/backtests/{run['id']}/results/").status_code == 404
    assert client.get(f"{run['links']['results']}NOPE/").status_code == 404


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"strategy": "nope"}, "strategy", "There is no strategy"),
        ({"parameters": {"period": 0}}, "parameters.period", "greater than or equal"),
        ({"direction": "up"}, "direction", "not a valid choice"),
        ({"within_bars": 0}, "within_bars", "greater than or equal to 1"),
        ({"within_bars": 10**9}, "within_bars", "less than or equal to 1000"),
        ({"until": "now"}, "until", "Must be a date"),
        ({"until": "2020-01-01"}, "symbols", "none of them has a candle"),
        ({"hit": "sharpe > 1"}, "hit", "expected a metric"),
        ({"hit": "", "max_hits": 1}, "hit", "what a hit is"),
        ({"interval": "5m"}, "interval", "There are no 5m candles"),
    ],
)
def test_a_bad_field_is_named_and_nothing_is_stored(
    client: APIClient, market: None, published: Published, body: Any, field: str, words: str
) -> None:
    answer = client.post("/api/scans/", {"strategy": "rsi", **body}, format="json")
    assert answer.status_code == 400
    assert words in " ".join(answer.json()["errors"][field])
    assert (Run.objects.count(), published) == (0, [])


def test_hits_of_earlier_scans_order_the_next(run_scan: RunScan, client: APIClient) -> None:
    falling = np.linspace(200.0, 100.0, 300)
    opening = np.concatenate(([200.0], falling[:-1]))
    times = START_MS + np.arange(700, 1000) * HOUR_MS
    crash = Candles(times, opening, opening + 0.1, falling - 0.1, falling, np.full(300, 0.001))
    write_candles(symbol="ZZZUSDT", source="test", interval="1h", candles=crash)
    run_scan(hit="strength > 2.4")
    run = run_scan(order="promise")
    keys = Run.objects.get(pk=run["id"]).jobs.order_by("position").values_list("key", flat=True)
    assert keys[0] == "ZZZUSDT"
