"""Starting runs: once per key, not too many, in one response with their events, and in an order."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test import AsyncClient
from rest_framework.test import APIClient

from backtests.tests.runs.conftest import START_MS, wavy_candles
from market_data.intervals import HOUR_MS
from market_data.store import write_candles
from workers.models import Run
from workers.tests.broker import Published

BODY = {"strategy": "rsi", "symbols": ["AAAUSDT"]}


def post(client: APIClient, body: dict[str, Any], key: str) -> Any:
    return client.post("/api/backtests/", body, format="json", headers={"Idempotency-Key": key})


def test_the_same_key_and_body_give_the_same_run(
    client: APIClient, market: None, published: Published
) -> None:
    first, second = post(client, BODY, "k1"), post(client, BODY, "k1")
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["id"] == second.json()["id"]
    assert Run.objects.count() == 1
    assert post(client, BODY, "k2").json()["id"] != first.json()["id"]


def test_the_same_key_and_body_give_the_same_run_though_newer_candles_have_come(
    client: APIClient, market: None, published: Published
) -> None:
    first = post(client, BODY, "k1")
    later = wavy_candles(5, start_ms=START_MS + 1000 * HOUR_MS)
    write_candles(symbol="AAAUSDT", source="test", interval="1h", candles=later)
    assert post(client, BODY, "k1").json()["id"] == first.json()["id"]


def test_the_same_key_with_another_body_is_a_conflict(
    client: APIClient, market: None, published: Published
) -> None:
    post(client, BODY, "k1")
    answer = post(client, {**BODY, "fee_rate": 0.002}, "k1")
    assert (answer.status_code, Run.objects.count()) == (409, 1)
    assert "another request" in answer.json()["detail"]


def test_requests_with_one_key_that_come_at_once_start_one_run(
    trader: Any, market: None, published: Published
) -> None:
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: _post_and_disconnect(trader), range(6)))
    assert {code for code, _ in answers} == {202}
    assert len({run for _, run in answers}) == Run.objects.count() == 1


def _post_and_disconnect(trader: Any) -> tuple[int, str]:
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(trader)
    try:
        answer = post(client, BODY, "k1")
        return answer.status_code, answer.json()["id"]
    finally:
        connection.close()


def test_a_key_belongs_to_one_user(client: APIClient, market: None, published: Published) -> None:
    post(client, BODY, "k1")
    other = APIClient()
    other.force_authenticate(type(Run.objects.get().owner).objects.create_user("other"))
    assert post(other, BODY, "k1").status_code == 202
    assert Run.objects.count() == 2


def test_a_key_that_is_too_long_is_refused(client: APIClient, market: None) -> None:
    assert post(client, BODY, "k" * 101).status_code == 400


def test_a_user_can_have_only_so_many_runs_under_way(
    client: APIClient, market: None, published: Published, settings: Any
) -> None:
    settings.MAX_ACTIVE_RUNS_PER_USER = 2
    codes = [client.post("/api/backtests/", BODY, format="json").status_code for _ in range(3)]
    assert codes == [202, 202, 429]
    published.execute_all()
    assert client.post("/api/backtests/", {**BODY, "fee_rate": 0.002}, format="json").status_code == 202


def test_priority_symbols_come_first(client: APIClient, market: None, published: Published) -> None:
    body = {"strategy": "rsi", "priority_symbols": ["CCCUSDT", "AAAUSDT"]}
    client.post("/api/backtests/", body, format="json")
    keys = Run.objects.get().jobs.order_by("position").values_list("key", flat=True)
    assert list(keys) == ["CCCUSDT", "AAAUSDT", "BBBUSDT"]


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"hit": "sharpe >"}, "hit", "expected a number at the end"),
        ({"hit": "beauty > 1"}, "hit", "expected a metric"),
        ({"max_hits": 3}, "hit", "what a hit is"),
        ({"hit": "sharpe > 1", "max_hits": 0}, "max_hits", "greater than or equal to 1"),
        ({"timeout_seconds": 0}, "timeout_seconds", "above 0"),
        ({"timeout_seconds": "inf"}, "timeout_seconds", "valid number"),
        ({"priority": "urgent"}, "priority", "not a valid choice"),
        ({"priority_symbols": ["NOPE"]}, "priority_symbols", "Unknown: NOPE"),
    ],
)
def test_bad_options_are_named(client: APIClient, market: None, body: Any, field: str, words: str) -> None:
    answer = client.post("/api/backtests/", {**BODY, **body}, format="json")
    assert answer.status_code == 400
    assert words in " ".join(answer.json()["errors"][field])
    assert not Run.objects.exists()


def test_hits_are_counted_over_all_metrics(client: APIClient, market: None, published: Published) -> None:
    body = {"strategy": "rsi", "hit": "trade_count >= 1 and final_equity > 0", "max_hits": 2}
    run = client.post("/api/backtests/", body, format="json").json()
    published.execute_all()
    run = client.get(run["links"]["self"]).json()
    assert (run["status"], run["reason"], run["hits"], run["progress"]["cancelled"]) == (
        "stopped",
        "max_hits",
        2,
        1,
    )
    again = client.post("/api/backtests/", body, format="json").json()
    assert (again["status"], again["hits"], again["summary"]["cached_count"]) == ("stopped", 2, 2)


async def test_a_backtest_is_started_and_followed_in_one_response(
    trader: Any, market: None, published: Published
) -> None:
    client = AsyncClient()
    await sync_to_async(client.force_login)(trader)
    response: Any = await client.post(
        "/api/backtests/stream/", orjson.dumps(BODY), content_type="application/json"
    )
    assert (response.status_code, response["Content-Type"]) == (200, "text/event-stream")
    await sync_to_async(published.execute_all)()
    async with asyncio.timeout(30):
        text = "".join([part.decode() async for part in response])
    assert [line for line in text.splitlines() if line.startswith("id:")] == ["id: 1", "id: 2", "id: 3"]


async def test_a_bad_request_to_follow_is_answered_with_a_problem(trader: Any, market: None) -> None:
    client = AsyncClient()
    path = "/api/backtests/stream/"
    body = orjson.dumps({"strategy": "nope"})
    assert (await client.post(path, body, content_type="application/json")).status_code == 401
    await sync_to_async(client.force_login)(trader)
    answer = await client.post(path, body, content_type="application/json")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert (await client.post(path, b"{", content_type="application/json")).status_code == 400
    assert (await client.get(path)).status_code == 405
    assert not await Run.objects.aexists()
