"""The main job, end to end, on real candles: one request, a whole market, live results."""

from collections.abc import Iterator
from pathlib import Path
from statistics import fmean, median
from typing import Any

import httpx
import orjson
import pytest
from websockets.sync.client import connect

from tests.stack import RunningStack

pytestmark = [pytest.mark.real_candles, pytest.mark.timeout(600)]

SERIES, CANDLES = 76, 2_567_273


@pytest.fixture
def client(stack: RunningStack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.url, timeout=30) as client:
        yield client


def follow(stack: RunningStack, run: dict[str, Any]) -> list[dict[str, Any]]:
    with connect(stack.websocket_url + run["links"]["websocket"], compression=None) as socket:
        return [orjson.loads(text) for text in socket]


def test_a_whole_market_ends_in_results_with_its_warnings(
    stack: RunningStack, client: httpx.Client, candles_dir: Path
) -> None:
    stack.manage("import_candles", str(candles_dir / "spot_1h"), "--source", "binance")
    series = [one for coin in client.get("/api/cryptocurrencies/").json() for one in coin["series"]]
    assert sum(one["candle_count"] for one in series) == CANDLES
    run = client.post("/api/backtests/", json={"strategy": "rsi"}).raise_for_status().json()
    assert run["progress"]["total"] == len(series) >= SERIES

    events = follow(stack, run)

    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    results = {event["key"]: event["result"] for event in events if event["type"] == "result"}
    failures = {event["key"]: event["reason"] for event in events if event["type"] == "failure"}
    assert len(results) + len(failures) == run["progress"]["total"]
    assert not failures
    assert "reused_symbol" in {warning["code"] for warning in results["LUNAUSDT"]["warnings"]}
    assert "halt" in {warning["code"] for warning in results["FTTUSDT"]["warnings"]}
    _check_summary(events[-1]["summary"], [result["metrics"]["total_return"] for result in results.values()])
    ftt = client.get(f"{run['links']['results']}FTTUSDT/").json()
    assert (ftt["candles"]["gap_count"], ftt["candles"]["missing_count"]) == (5, 7478)


def _check_summary(summary: dict[str, Any], returns: list[float]) -> None:
    assert summary["median_return"] == pytest.approx(median(returns))
    assert summary["mean_return"] == pytest.approx(fmean(returns))
    assert summary["best"]["total_return"] == max(returns)
    assert summary["worst"]["total_return"] == min(returns)
    assert summary["computed_count"] == len(returns)


def test_the_same_request_again_computes_nothing(
    stack: RunningStack, client: httpx.Client, candles_dir: Path
) -> None:
    files = [str(candles_dir / "spot_1d" / f"{name}.parquet") for name in ("BTCUSDT", "ETHUSDT")]
    stack.manage("import_candles", *files, "--source", "binance")
    body = {"strategy": "sma_cross", "interval": "1d"}
    first = follow(stack, client.post("/api/backtests/", json=body).json())
    again = client.post("/api/backtests/", json=body).json()
    assert (again["status"], again["summary"]["cached_count"]) == ("completed", 2)
    kept = ("median_return", "best", "worst")
    assert {name: first[-1]["summary"][name] for name in kept} == {
        name: again["summary"][name] for name in kept
    }
