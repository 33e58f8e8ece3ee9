"""What makes no sense gets a clear answer over every transport, and leaves nothing behind."""

from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import Client

from backtests.models import SavedScan
from backtests.tests.runs.conftest import SYMBOLS, wavy_candles
from market_data.store import write_candles
from tests.security.test_ended_logins import opened
from workers.models import ApiToken, Job, Run
from workers.runs import create_run
from workers.tests.broker import Published, keep_messages
from workers.tests.counting.handler import counting_spec

STARTS = ("/api/backtests/", "/api/backtests/stream/", "/api/scans/", "/api/scans/stream/")
READS = ("", "events/", "events/?wait=1", "stats/", "stream/", "deliveries/")
VERBS = ("stop", "pause", "resume", "retry")
NO_NUMBERS = ("-1", "x", "1.5", "", "%00", "9" * 30, "1e3", "٣")


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> Published:
    return keep_messages(monkeypatch)


@pytest.fixture
def trader(transactional_db: None, published: Published) -> Any:
    for number, symbol in enumerate(SYMBOLS):
        write_candles(symbol=symbol, source="test", interval="1h", candles=wavy_candles(200, phase=number))
    return User.objects.create_user("trader")


@pytest.fixture
def client(trader: Any) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(trader)
    return client


@pytest.fixture
def ended(trader: Any, published: Published) -> Run:
    run = create_run(owner=trader, kind="count", spec=counting_spec(2))
    published.execute_all()
    run.refresh_from_db()
    return run


def post(client: Client, path: str, body: Any, **headers: str) -> Any:
    return client.post(path, body, content_type="application/json", headers=headers)


async def close_of(trader: Any, path: str) -> tuple[int, str]:
    """How the server closes a WebSocket that it does not keep."""
    secret = await sync_to_async(ApiToken.issue)(owner=trader)
    socket = opened("poll", path, (b"authorization", f"Bearer {secret}".encode()))
    await socket.open()
    code = await socket.end()
    return code, socket.reason


def test_a_run_that_does_not_exist_is_not_found_by_any_verb(client: Client) -> None:
    path = f"/api/runs/{uuid4()}/"
    answers = [client.get(path + read) for read in READS]
    answers += [post(client, f"{path}{verb}/", {}) for verb in VERBS]
    answers += [
        client.patch(path, {"priority": "high"}, content_type="application/json"),
        client.delete(path),
    ]
    answers += [client.get(f"/api/{kind}/{uuid4()}/results/") for kind in ("backtests", "scans")]
    for answer in answers:
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
        assert answer.json()["detail"] == "There is no such run."


def test_control_of_an_ended_run_leaves_it_as_it_is(client: Client, ended: Run) -> None:
    before = Run.objects.values().get()
    path = f"/api/runs/{ended.pk}/"
    for verb in ("stop", "pause", "resume"):
        answer = post(client, f"{path}{verb}/", {})
        assert (answer.status_code, answer.json()["status"]) == (200, "completed")
    assert post(client, f"{path}retry/", {}).status_code == 409
    body = {"priority": "high", "keys": ["1", "no such job"]}
    assert client.patch(path, body, content_type="application/json").status_code == 200
    assert Run.objects.values().get() == before


@pytest.mark.parametrize("after", NO_NUMBERS)
async def test_an_event_number_that_is_none_is_named(
    client: Client, trader: Any, ended: Run, after: str
) -> None:
    path = f"/runs/{ended.pk}/"
    get = sync_to_async(client.get)
    for address in (f"/api{path}events/?after={after}", f"/api{path}stream/?after={after}"):
        answer = await get(address)
        assert (answer.status_code, list(answer.json()["errors"])) == (400, ["after"])
    code, reason = await close_of(trader, f"/ws{path}?after={after}")
    assert (code, "0 or more" in reason) == (4400, True)


async def test_who_knows_all_events_of_an_ended_run_is_told_that_there_are_no_more(
    client: Client, trader: Any, ended: Run
) -> None:
    path = f"/runs/{ended.pk}/"
    get = sync_to_async(client.get)
    assert await close_of(trader, f"/ws{path}?after={ended.last_seq}") == (1000, "")
    assert (await get(f"/api{path}stream/?after={ended.last_seq}")).status_code == 204
    page = (await get(f"/api{path}events/?after={ended.last_seq}&wait=20")).json()
    assert page == {"events": [], "last_seq": ended.last_seq, "ended": True}


async def test_who_claims_to_know_an_event_that_is_not_there_is_not_kept_waiting_for_it(
    client: Client, trader: Any, ended: Run
) -> None:
    active = await sync_to_async(create_run)(owner=trader, kind="count", spec=counting_spec(2))
    get = sync_to_async(client.get)
    for run in (ended, active):
        code, reason = await close_of(trader, f"/ws/runs/{run.pk}/?after={run.last_seq + 1}")
        assert (code, reason) == (4400, f"after must be at most {run.last_seq}, the last event so far")
    assert (await get(f"/api/runs/{ended.pk}/stream/?after=99")).status_code == 204
    refused = await get(f"/api/runs/{active.pk}/stream/", headers={"Last-Event-ID": "99"})
    assert (refused.status_code, "at most 1" in refused.json()["errors"]["after"][0]) == (400, True)
    page = (await get(f"/api/runs/{active.pk}/events/?after=99")).json()
    assert page == {"events": [], "last_seq": 1, "ended": False}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"hit": "sharpe >= "}, "hit"),
        ({"hit": "no_such_metric > 1"}, "hit"),
        ({"hit": "__import__('os').system('true')"}, "hit"),
        ({"hit": "(" * 5000}, "hit"),
        ({"max_hits": 5}, "hit"),
        ({"notify": {"webhook": "http://127.0.0.1/"}}, "notify.webhook"),
        ({"notify": {"webhook": "https://[::1]:8000/"}}, "notify.webhook"),
        ({"notify": {"webhook": "https://169.254.169.254/latest/"}}, "notify.webhook"),
        ({"notify": {"webhook": "file:///etc/passwd"}}, "notify.webhook"),
        ({"notify": {"webhook": "no address"}}, "notify.webhook"),
        ({"notify": {"email": True}}, "notify.email"),
    ],
)
def test_a_request_with_a_bad_option_is_named_and_starts_nothing(
    client: Client, fields: dict[str, Any], named: str
) -> None:
    for path in STARTS:
        if path.startswith("/api/scans/") and "max_hits" in fields:
            continue  # of a scan a hit is a signal, if nothing else is said
        answer = post(client, path, {"strategy": "rsi", **fields})
        assert (answer.status_code, list(answer.json()["errors"])) == (400, [named]), path
    if "max_hits" not in fields:
        body = {"name": "each hour", "request": {"strategy": "rsi", **fields}}
        assert post(client, "/api/saved-scans/", body).status_code == 400
    assert not Run.objects.exists()
    assert not Job.objects.exists()
    assert not SavedScan.objects.exists()


def test_a_key_is_good_for_one_request_whichever_way_it_is_sent(client: Client, trader: Any) -> None:
    key, body = {"Idempotency-Key": "k1"}, {"strategy": "rsi"}
    run = post(client, "/api/backtests/", body, **key).json()
    again = post(client, "/api/backtests/stream/", body, **key)
    assert (again.status_code, again["Location"]) == (200, run["links"]["self"])
    for path in STARTS:
        answer = post(client, path, {**body, "interval": "1h"}, **key)
        assert (answer.status_code, answer["Content-Type"]) == (409, "application/problem+json"), path
    assert Run.objects.count() == 1
    other = Client()
    other.force_login(User.objects.create_user("other"))
    theirs = post(other, "/api/backtests/", body, **key).json()
    assert theirs["id"] != run["id"]
