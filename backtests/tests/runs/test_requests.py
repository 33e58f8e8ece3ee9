"""Requests to backtest: what is refused, with which words, and that nothing is stored then."""

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from workers.models import Event, Job, Run
from workers.tests.broker import Published

BAD = [
    ({"strategy": "nope"}, "strategy", "There is no strategy 'nope'; there are rsi, sma_cross"),
    ({"strategy": None}, "strategy", "null"),
    ({"parameters": {"period": 1}}, "parameters.period", "greater than or equal to 2"),
    ({"parameters": {"period": "x"}}, "parameters.period", "valid integer"),
    (
        {"parameters": {"speed": 3}},
        "parameters.speed",
        "There is no such parameter; there are period, oversold",
    ),
    ({"parameters": []}, "parameters", "Must be an object such as"),
    (
        {"strategy": "sma_cross", "parameters": {"fast": 30, "slow": 30}},
        "parameters",
        "must be below slow",
    ),
    ({"symbols": ["AAAUSDT", "XYZUSDT"]}, "symbols", "Unknown: XYZUSDT"),
    ({"symbols": []}, "symbols", 'Must be "all" or a list'),
    ({"symbols": [1]}, "symbols", 'Must be "all" or a list'),
    ({"symbols": "AAAUSDT"}, "symbols", 'Must be "all" or a list'),
    ({"interval": "7m"}, "interval", "not a valid choice; there are 1m, 5m"),
    ({"stop_los": 0.1}, "stop_los", "did you mean stop_loss"),
    ({"colour": "red"}, "colour", "There is no such field; there are"),
    ({"notify": {"webhok": "https://example.com"}}, "notify.webhok", "did you mean webhook"),
    ({"start": "2090-01-01"}, "start", "Must be before"),
    ({"end": "1990-01-01"}, "end", "Must be after"),
    ({"interval": "5m"}, "interval", "There are no 5m candles"),
    ({"source": "mars"}, "source", "there are 1h from test"),
    ({"start": "2021-02-01", "end": "2021-02-01"}, "end", "after start"),
    ({"start": "yesterday"}, "start", "Must be a date such as"),
    ({"start": 5}, "start", "Must be a date such as"),
    ({"start": "1990-01-01", "end": "1990-02-01"}, "symbols", "none of them has candles in this range"),
    ({"fee_rate": -0.1}, "fee_rate", "at least 0"),
    ({"fee_rate": "nan"}, "fee_rate", "valid number"),
    ({"fee_rate": "inf"}, "fee_rate", "valid number"),
    ({"slippage_rate": 2}, "slippage_rate", "at most 0.5"),
    ({"initial_cash": 0}, "initial_cash", "above 0"),
    ({"initial_cash": -5}, "initial_cash", "above 0"),
    ({"fill": "tomorrow"}, "fill", "not a valid choice"),
    ({"fixed_fee": -1}, "fixed_fee", "at least 0"),
    ({"direction": "both"}, "direction", "not a valid choice"),
    ({"equity_fraction": 0}, "equity_fraction", "above 0"),
    ({"equity_fraction": 1.1}, "equity_fraction", "at most 1"),
    ({"fixed_cash": 0}, "fixed_cash", "above 0"),
    ({"fixed_cash": 100, "equity_fraction": 0.5}, "fixed_cash", "together with equity_fraction"),
    ({"stop_loss": 1}, "stop_loss", "below 1"),
    ({"stop_loss": "inf"}, "stop_loss", "valid number"),
    ({"take_profit": -0.1}, "take_profit", "above 0"),
    ({"trailing_stop": 0}, "trailing_stop", "above 0"),
    ({"max_holding_bars": 0}, "max_holding_bars", "at least 1"),
    ({"max_holding_bars": 2.5}, "max_holding_bars", "valid integer"),
    ({"max_holding_bars": 2**41}, "max_holding_bars", "at most"),
    ({"cooldown_bars": -1}, "cooldown_bars", "at least 0"),
    ({"cooldown_bars": None}, "cooldown_bars", "null"),
    ({"order": "alphabet"}, "order", "not a valid choice"),
    ({"max_parallel": 0}, "max_parallel", "greater than or equal to 1"),
]


@pytest.mark.parametrize(
    ("change", "field", "words"), BAD, ids=[f"{field}={change}" for change, field, _ in BAD]
)
def test_a_bad_field_is_named_and_nothing_is_stored(
    client: APIClient, market: None, published: Published, change: dict[str, Any], field: str, words: str
) -> None:
    response = client.post("/api/backtests/", {"strategy": "rsi", **change}, format="json")
    problem = response.json()
    assert (response.status_code, response.headers["Content-Type"]) == (400, "application/problem+json")
    assert words in " ".join(problem["errors"][field]), problem
    assert (Run.objects.count(), Job.objects.count(), Event.objects.count(), published) == (0, 0, 0, [])


@pytest.mark.parametrize("address", ["/api/backtests/", "/api/backtests/stream/", "/api/scans/stream/"])
def test_a_body_of_another_kind_is_told_which_is_taken(client: APIClient, address: str) -> None:
    answer = client.post(address, "<run/>", content_type="text/xml")
    assert answer.status_code == 415
    assert "Send application/json." in json.loads(answer.content)["detail"]


@pytest.mark.parametrize("body", ["{", "NaN", '{"strategy": "rsi", "fee_rate": NaN}', "\xff", ""])
def test_a_body_that_is_not_json_is_a_bad_request(client: APIClient, market: None, body: str) -> None:
    response = client.post("/api/backtests/", body.encode("latin-1"), content_type="application/json")
    assert response.status_code == 400
    assert response.json()["status"] == 400


@pytest.mark.parametrize("body", ["[]", "1", '"rsi"', "null"])
def test_json_that_is_no_object_is_a_bad_request(client: APIClient, market: None, body: str) -> None:
    response = client.post("/api/backtests/", body.encode(), content_type="application/json")
    assert response.status_code == 400


def test_a_body_over_the_limit_is_too_large(client: APIClient, market: None) -> None:
    body = b'{"strategy": "' + b"x" * 1_100_000 + b'"}'
    response = client.post("/api/backtests/", body, content_type="application/json")
    assert response.status_code == 413
    assert "1048576 bytes" in response.json()["detail"]


def test_another_media_type_is_refused(client: APIClient, market: None) -> None:
    assert client.post("/api/backtests/", "strategy=rsi", content_type="text/plain").status_code == 415


def test_defaults_are_filled_in(client: APIClient, market: None, published: Published) -> None:
    response = client.post("/api/backtests/", {"strategy": "rsi"}, format="json")
    run = response.json()
    assert (response.status_code, response.headers["Location"]) == (202, run["links"]["self"])
    assert run["spec"] == {
        "strategy": "rsi",
        "parameters": {"period": 14, "smoothing": "wilder", "oversold": 30.0, "overbought": 70.0},
        "symbols": "all",
        "source": "test",
        "interval": "1h",
        "start": "2021-01-01T00:00:00Z",
        "end": "2021-02-11T16:00:00Z",
        "initial_cash": 10000.0,
        "fee_rate": 0.001,
        "slippage_rate": 0.0005,
        "fill": "next_open",
        "fixed_fee": 0.0,
        "direction": "long",
        "equity_fraction": None,
        "fixed_cash": None,
        "stop_loss": None,
        "take_profit": None,
        "trailing_stop": None,
        "max_holding_bars": None,
        "cooldown_bars": 0,
        "max_parallel": None,
        "hit": "",
        "max_hits": None,
        "max_failures": None,
        "timeout_seconds": None,
        "priority_symbols": [],
        "order": "volume",
    }


def test_symbols_are_read_in_any_case_and_once(client: APIClient, market: None, published: Published) -> None:
    body = {"strategy": "rsi", "symbols": ["aaausdt", "AAAUSDT"]}
    run = client.post("/api/backtests/", body, format="json").json()
    assert run["spec"]["symbols"] == ["AAAUSDT"]
    assert run["progress"]["total"] == 1
