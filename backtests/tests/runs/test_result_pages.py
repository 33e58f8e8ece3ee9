"""Lists of results while they grow, and which of them are hits."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from backtests.models import ResultLink
from backtests.tests.runs.conftest import wavy_candles
from market_data.store import write_candles
from workers import execution
from workers.models import Event
from workers.tests.broker import Published

SYMBOLS = [f"C{number}USDT" for number in range(7)]
BODY = {"strategy": "rsi", "symbols": SYMBOLS}


def start(client: APIClient, **more: Any) -> dict[str, Any]:
    for number, symbol in enumerate(SYMBOLS):
        write_candles(symbol=symbol, source="test", interval="1h", candles=wavy_candles(300, phase=number))
    return client.post("/api/backtests/", {**BODY, **more}, format="json").json()


def test_no_row_is_lost_or_doubled_between_pages_while_rows_arrive(
    client: APIClient, market: None, published: Published
) -> None:
    run = start(client)
    seen: list[str] = []
    for page in range(1, 5):
        for _ in range(min(2, len(published))):
            execution.execute_job(
                job_id=published.pop()
            )  # the last position first: it must not push others back
        answer = client.get(f"{run['links']['results']}?page_size=2&page={page}").json()
        seen += [row["symbol"] for row in answer["results"]]
    assert sorted(seen) == SYMBOLS
    assert seen != sorted(seen)


@pytest.mark.parametrize("ordering", ["total_return", "-total_return", "symbol", "-position", "arrival"])
def test_pages_of_a_run_under_way_are_of_the_moment_of_the_first(
    client: APIClient, market: None, published: Published, ordering: str
) -> None:
    run = start(client)
    for _ in range(4):
        execution.execute_job(job_id=published.pop())
    there = {row["symbol"] for row in client.get(run["links"]["results"]).json()["results"]}
    address = f"{run['links']['results']}?page_size=1&ordering={ordering}"
    seen: list[dict[str, Any]] = []
    page = {"next": address}
    while address := page["next"]:
        page = client.get(address).json()
        assert (page["count"], page["until"]) == (4, 5)
        seen += page["results"]
        if published:
            execution.execute_job(job_id=published.pop())
    assert not published
    assert len(seen) == len(there) == 4
    assert {row["symbol"] for row in seen} == there
    assert seen == client.get(f"{run['links']['results']}?ordering={ordering}&until=5").json()["results"]
    later = client.get(f"{run['links']['events']}?after={page['until']}").json()["events"]
    assert {event["key"] for event in later if event["type"] == "result"} == {*SYMBOLS} - there


def test_results_are_listed_up_to_an_event(client: APIClient, market: None, published: Published) -> None:
    address = start(client)["links"]["results"]
    published.execute_all()
    assert [client.get(f"{address}?until={seq}").json()["count"] for seq in (0, 1, 2, 8, 99)] == [
        0,
        0,
        1,
        7,
        7,
    ]
    for wrong in ("-1", "x", "", "9" * 30, "1&page=%00"):
        answer = client.get(f"{address}?until={wrong}")
        assert answer.status_code in (400, 404), wrong
    assert "until must be" in client.get(f"{address}?until=x").json()["errors"]["until"][0]
    second = client.get(f"{address}?page_size=2&page=2&ordering=-sharpe").json()
    assert "until=9" in second["previous"], "the last event is the run's end"


def test_rows_come_in_the_order_of_their_events(
    client: APIClient, market: None, published: Published
) -> None:
    start(client, symbols=SYMBOLS[2:4])
    published.execute_all()
    run = start(client, hit="trade_count >= 0")
    while published:
        execution.execute_job(job_id=published.pop())
    events = client.get(run["links"]["events"]).json()["events"]
    announced = [(event["seq"], event["key"]) for event in events if event["type"] == "result"]
    links = ResultLink.objects.filter(job__run_id=run["id"]).order_by("seq")
    assert [(link.seq, link.job.key) for link in links.select_related("job")] == announced
    assert [row["symbol"] for row in client.get(run["links"]["results"]).json()["results"]] == [
        key for _, key in announced
    ]


def test_rows_say_which_results_are_hits(client: APIClient, market: None, published: Published) -> None:
    run = start(client, hit="total_return > -0.245")
    published.execute_all()
    rows = client.get(run["links"]["results"]).json()["results"]
    assert {row["hit"] for row in rows} == {True, False}
    assert all(row["hit"] is (row["metrics"]["total_return"] > -0.245) for row in rows)
    hits = client.get(run["links"]["results"] + "?hit=true").json()["results"]
    assert hits == [row for row in rows if row["hit"]]
    assert len(hits) == client.get(run["links"]["self"]).json()["hits"]
    assert client.get(f"{run['links']['results']}{hits[0]['symbol']}/").json()["hit"] is True
    assert client.get(run["links"]["results"] + "?hit=perhaps").status_code == 400


def test_reused_results_are_hits_of_the_run_that_reuses_them(
    client: APIClient, market: None, published: Published
) -> None:
    start(client)
    published.execute_all()
    run = start(client, hit="total_return > -0.245")
    rows = client.get(run["links"]["results"]).json()["results"]
    assert all(row["cached"] and row["hit"] is (row["metrics"]["total_return"] > -0.245) for row in rows)
    assert Event.objects.filter(run_id=run["id"], type="result").count() == len(rows) == len(SYMBOLS)


def test_rows_of_a_run_without_a_predicate_are_neither_hits_nor_others(
    client: APIClient, market: None, published: Published
) -> None:
    run = start(client)
    published.execute_all()
    rows = client.get(run["links"]["results"]).json()["results"]
    assert [row["hit"] for row in rows] == [None] * len(SYMBOLS)
