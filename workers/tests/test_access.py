"""Who may see what, over REST and over WebSocket."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.test import APIClient, APIRequestFactory

from workers import access, connections, credentials, retention, tickets
from workers.models import ApiToken, Run, Ticket
from workers.tests.broker import Published
from workers.tests.sockets import bearer, close_code


@pytest.fixture(autouse=True)
def known_host(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver.local", "testserver"]


@pytest.fixture
def ended_run(count: Any, published: Published) -> Run:
    run = count(2)
    published.execute_all()
    return run


def test_a_token_opens_the_api_until_it_expires(owner: Any) -> None:
    secret = ApiToken.issue(owner=owner, name="script")
    client = APIClient(headers={"Authorization": f"Bearer {secret}"})
    assert client.get("/api/runs/").status_code == 200
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    response = client.get("/api/runs/")
    assert (response.status_code, response.json()["detail"]) == (401, "The token is unknown or has expired.")


def test_only_the_hash_of_a_token_is_stored(owner: Any) -> None:
    secret = ApiToken.issue(owner=owner)
    assert secret not in str(ApiToken.objects.values().get())


@pytest.mark.parametrize("header", ["Bearer", "Bearer x y", "Bearer nope", "Token "])
def test_a_malformed_token_is_refused(owner: Any, header: str) -> None:
    response = APIClient(headers={"Authorization": header}).get("/api/runs/")
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_a_disabled_user_has_no_access(owner: Any) -> None:
    secret = ApiToken.issue(owner=owner)
    User.objects.update(is_active=False)
    assert APIClient(headers={"Authorization": f"Bearer {secret}"}).get("/api/runs/").status_code == 401


def test_staff_see_the_runs_of_all(ended_run: Run) -> None:
    client = APIClient()
    client.force_authenticate(User.objects.create_user("operator", is_staff=True))
    assert client.get(f"/api/runs/{ended_run.pk}/").status_code == 200


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "", "99999999999999999999", "٣"])
def test_a_bad_event_number_is_named(ended_run: Run, owner: Any, after: str) -> None:
    client = APIClient()
    client.force_authenticate(owner)
    response = client.get(f"/api/runs/{ended_run.pk}/events/", {"after": after})
    assert response.status_code == 400
    assert "0 or more" in response.json()["errors"]["after"][0]


def test_events_are_read_from_a_number_on(ended_run: Run, owner: Any) -> None:
    client = APIClient()
    client.force_authenticate(owner)
    page = client.get(f"/api/runs/{ended_run.pk}/events/", {"after": 2}).json()
    assert ([event["seq"] for event in page["events"]], page["last_seq"], page["ended"]) == ([3, 4], 4, True)
    assert client.get(f"/api/runs/{ended_run.pk}/events/", {"after": 99}).json()["events"] == []


def test_runs_are_filtered_by_status(ended_run: Run, owner: Any, count: Any) -> None:
    active = count(2)
    client = APIClient()
    client.force_authenticate(owner)
    found = client.get("/api/runs/", {"status": "active"}).json()["results"]
    assert [run["id"] for run in found] == [str(active.pk)]
    assert client.get("/api/runs/", {"status": "asleep"}).status_code == 400


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("rsi", ["rsi", "rsi download"]),
        ("RSI period 53", ["rsi"]),
        ("period 5", ["rsi"]),
        ("2", []),
        ("over", ["rsi"]),
        ("rsi|macd", ["rsi", "macd", "rsi download"]),
        ("completed", ["macd"]),
        ("1h macd", ["macd"]),
        ("period|fast running", ["rsi"]),
        ("BTCUSDT", []),
        ("symbols", []),
        ("50%", []),
        ("(.*", []),
        ("|", ["rsi", "macd", "rsi download"]),
        ("\\", []),
        ("日本 😀", []),
        ("", ["rsi", "macd", "rsi download"]),
    ],
)
def test_runs_are_found_by_how_their_words_begin(owner: Any, search: str, found: list[str]) -> None:
    def store(status: str, **spec: Any) -> Run:
        return Run.objects.create(owner=owner, kind="count", status=status, spec=spec, total=1)

    market = {"symbols": ["BTCUSDT"], "source": "binance", "interval": "1h"}
    runs = {
        "rsi": store("running", strategy="rsi", parameters={"period": 53, "over_sold": 30}, **market),
        "macd": store("completed", strategy="macd", parameters={"fast": 12}, **market),
        "rsi download": store("stopped", file="rsi-prices.csv"),
    }
    client = APIClient()
    client.force_authenticate(owner)
    listed = client.get("/api/runs/", {"search": search}).json()["results"]
    assert {run["id"] for run in listed} == {str(runs[name].pk) for name in found}
    for name, run in runs.items():
        by_id = client.get("/api/runs/", {"search": str(run.pk)[:13].upper()}).json()["results"]
        assert [run["id"] for run in by_id] == [str(runs[name].pk)]


@pytest.mark.parametrize("search", ["x" * 10_000, "a b " * 20, "\0"])
def test_a_search_that_is_too_much_is_refused_at_its_field(owner: Any, search: str) -> None:
    client = APIClient()
    client.force_authenticate(owner)
    response = client.get("/api/runs/", {"search": search})
    assert response.status_code == 400
    assert list(response.json()["errors"]) == ["search"]


def test_a_search_finds_no_runs_of_somebody_else(ended_run: Run) -> None:
    client = APIClient()
    client.force_authenticate(User.objects.create_user("eve"))
    assert client.get("/api/runs/", {"search": str(ended_run.pk)}).json()["count"] == 0


async def test_a_socket_follows_its_owners_run_to_the_end(ended_run: Run, owner: Any) -> None:
    secret = await sync_to_async(ApiToken.issue)(owner=owner)
    code, texts = await close_code(f"/ws/runs/{ended_run.pk}/?after=1", bearer(secret))
    assert (code, [text[:8] for text in texts]) == (1000, ['{"seq":2', '{"seq":3', '{"seq":4'])


async def test_a_socket_knows_the_session_of_a_browser(ended_run: Run, owner: Any) -> None:
    client = Client()
    await sync_to_async(client.force_login)(owner)
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    code, texts = await close_code(f"/ws/runs/{ended_run.pk}/", (b"cookie", cookie.encode()))
    assert (code, len(texts)) == (1000, 4)


async def test_a_changed_password_ends_the_sessions_of_before(ended_run: Run, owner: Any) -> None:
    client = Client()
    await sync_to_async(client.force_login)(owner)
    cookie = f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"
    owner.set_password("another")
    await owner.asave()
    code, _ = await close_code(f"/ws/runs/{ended_run.pk}/", (b"cookie", cookie.encode()))
    assert code == 4401


async def test_sockets_are_refused_with_a_reason(ended_run: Run, owner: Any) -> None:
    stranger = await sync_to_async(User.objects.create_user)("stranger")
    secret = await sync_to_async(ApiToken.issue)(owner=owner)
    foreign = await sync_to_async(ApiToken.issue)(owner=stranger)
    path = f"/ws/runs/{ended_run.pk}/"
    assert (await close_code(path))[0] == 4401
    assert (await close_code(path, bearer(foreign)))[0] == 4404
    assert (await close_code(f"/ws/runs/{uuid4()}/", bearer(secret)))[0] == 4404
    assert (await close_code(f"{path}?after=x", bearer(secret)))[0] == 4400
    assert (await close_code("/ws/nowhere/", bearer(secret)))[0] == 4404


async def test_sockets_of_foreign_pages_and_to_foreign_hosts_are_refused(ended_run: Run, owner: Any) -> None:
    secret = await sync_to_async(ApiToken.issue)(owner=owner)
    path = f"/ws/runs/{ended_run.pk}/"
    own = (b"origin", b"http://testserver.local")
    assert (await close_code(path, bearer(secret), own))[0] == 1000
    for origin in (b"http://evil.example", b"http://testserver.local:81", b"null"):
        assert (await close_code(path, bearer(secret), (b"origin", origin)))[0] == 4403
    assert (await close_code(path, bearer(secret), (b"host", b"evil.example")))[0] == 4403


def test_a_trusted_origin_needs_no_host_of_its_own(settings: Any) -> None:
    settings.TRUSTED_ORIGINS = ["https://app.example"]
    assert access.is_own_origin("https://app.example", "api.example")
    assert not access.is_own_origin("http://app.example", "api.example")


def test_foreign_pages_are_not_the_local_user(transactional_db: None) -> None:
    own = Request(APIRequestFactory().get("/", headers={"origin": "http://testserver"}))
    user, _ = access.LocalUserAuthentication().authenticate(own) or (None, None)
    assert user == access.local_user()
    foreign = Request(APIRequestFactory().get("/", headers={"origin": "http://evil.example"}))
    with pytest.raises(PermissionDenied, match=r"evil\.example"):
        access.LocalUserAuthentication().authenticate(foreign)


FOREIGN = (b"origin", b"https://app.example")


async def test_a_ticket_opens_one_socket_for_a_foreign_page(ended_run: Run, owner: Any) -> None:
    secret = await sync_to_async(ApiToken.issue)(owner=owner)
    post = sync_to_async(APIClient(headers={"Authorization": f"Bearer {secret}"}).post)
    ticket = (await post("/api/tickets/")).json()["ticket"]
    path = f"/ws/runs/{ended_run.pk}/?ticket={ticket}"
    assert (await close_code(path, FOREIGN))[0] == 1000
    assert (await close_code(path, FOREIGN))[0] == 4401, "it was used"


async def test_an_expired_or_made_up_ticket_opens_nothing_not_even_with_a_session(
    ended_run: Run, owner: Any, settings: Any
) -> None:
    secret, _ = await sync_to_async(tickets.issue)(owner=owner)
    await Ticket.objects.aupdate(expires_at=timezone.now() - timedelta(seconds=1))
    token = await sync_to_async(ApiToken.issue)(owner=owner)
    for ticket in (secret, "made-up", ""):
        path = f"/ws/runs/{ended_run.pk}/?ticket={ticket}"
        assert (await close_code(path, FOREIGN, bearer(token)))[0] in (4401, 4403)
    settings.SINGLE_USER = True
    assert (await close_code(f"/ws/runs/{ended_run.pk}/?ticket=made-up", FOREIGN))[0] == 4401


async def test_a_ticket_shows_nobody_elses_run(ended_run: Run) -> None:
    stranger = await sync_to_async(User.objects.create_user)("stranger")
    secret, _ = await sync_to_async(tickets.issue)(owner=stranger)
    assert (await close_code(f"/ws/runs/{ended_run.pk}/?ticket={secret}", FOREIGN))[0] == 4404


def test_tickets_are_few_hashed_and_forgotten(owner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tickets, "MAX_PER_USER", 3)
    secrets = [tickets.issue(owner=owner)[0] for _ in range(5)]
    assert not any(secret in str(list(Ticket.objects.values())) for secret in secrets)
    assert [_redeemed_by(secret) for secret in secrets] == [None, None, owner, owner, owner]
    tickets.issue(owner=owner)
    Ticket.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    tickets.prune()
    assert not Ticket.objects.exists()


def test_of_two_who_bring_a_ticket_at_once_one_is_let_in(owner: Any) -> None:
    secret, _ = tickets.issue(owner=owner)
    with ThreadPoolExecutor(4) as pool:
        users = list(pool.map(_redeem_and_disconnect, [secret] * 4))
    assert sorted(user is not None for user in users) == [False, False, False, True]


def _redeemed_by(secret: str) -> Any:
    user, _ = tickets.redeem(secret) or (None, None)
    return user


def _redeem_and_disconnect(secret: str) -> Any:
    try:
        return _redeemed_by(secret)
    finally:
        connection.close()


async def test_a_user_has_only_so_many_connections_whatever_their_kind(
    owner: Any, count: Any, settings: Any
) -> None:
    settings.CONNECTIONS_PER_USER = 2
    run = await sync_to_async(count)(2)
    secret = await sync_to_async(ApiToken.issue)(owner=owner)
    path = f"/api/runs/{run.pk}"
    client = Client(headers={"authorization": f"Bearer {secret}"})
    held = credentials.of_session(owner, None)
    async with connections.opened(held), connections.opened(held):
        code, _ = await close_code(f"/ws/runs/{run.pk}/", bearer(secret))
        assert code == 4429
        for refused in (f"{path}/stream/", f"{path}/events/?wait=5"):
            response = await sync_to_async(client.get)(refused)
            assert (response.status_code, response["Retry-After"]) == (429, "10")
            assert response["Content-Type"] == "application/problem+json"
        assert (await sync_to_async(client.get)(f"{path}/events/")).status_code == 200
    assert connections.count_of(owner.pk) == 0


async def test_a_socket_counts_until_its_end(ended_run: Run, owner: Any, settings: Any) -> None:
    settings.CONNECTIONS_PER_USER = 1
    secret = await sync_to_async(ApiToken.issue)(owner=owner)
    for _ in range(3):
        assert (await close_code(f"/ws/runs/{ended_run.pk}/", bearer(secret)))[0] == 1000
    assert connections.count_of(owner.pk) == 0


@pytest.mark.parametrize(
    ("address", "is_here"),
    [("127.0.0.1", True), ("::1", True), ("", True), ("192.0.2.7", False), ("x", False)],
)
def test_the_local_user_is_on_this_machine(transactional_db: None, address: str, is_here: bool) -> None:
    request = Request(APIRequestFactory().get("/", REMOTE_ADDR=address))
    if is_here:
        assert access.LocalUserAuthentication().authenticate(request)
    else:
        with pytest.raises(PermissionDenied, match="this machine"):
            access.LocalUserAuthentication().authenticate(request)
    page = RequestFactory().get("/", REMOTE_ADDR=address)
    page.user = AnonymousUser()
    access.LocalUserMiddleware(lambda _: None)(page)
    assert page.user.is_authenticated == is_here


def test_expired_sessions_and_old_tokens_are_forgotten(owner: Any) -> None:
    for expired_days_ago in (-1, 1):
        Session.objects.create(
            session_key=str(expired_days_ago), expire_date=timezone.now() - timedelta(days=expired_days_ago)
        )
    for days in (90, -1, -31):
        ApiToken.issue(owner=owner, name=str(days), days=days)
    retention.forget_expired_access()
    assert [session.session_key for session in Session.objects.all()] == ["-1"]
    assert {token.name for token in ApiToken.objects.all()} == {"90", "-1"}
