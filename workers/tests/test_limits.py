"""How often one may ask, and how much one may send."""

import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.handlers.asgi import ASGIHandler
from django.test import Client, RequestFactory
from redis import Redis
from rest_framework.test import APIClient

from workers import throttles
from workers.bodies import LimitBodies
from workers.models import ApiToken


@pytest.fixture(autouse=True)
def counted_anew(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test see what another one counted, and no minute end in the middle of one."""
    clock = SimpleNamespace(time=lambda: 1_000_000_040.0, monotonic=time.monotonic)
    monkeypatch.setattr(throttles, "time", clock)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.CHANNEL_PREFIX = "test-limits"
    redis = Redis.from_url(settings.REDIS_URL)
    for key in redis.scan_iter("test-limits:*"):
        redis.delete(key)


@pytest.fixture
def client(owner: Any) -> APIClient:
    client = APIClient()
    client.force_authenticate(owner)
    return client


def test_who_asks_too_often_is_told_when_to_come_back(client: APIClient, settings: Any) -> None:
    settings.READS_PER_MINUTE = 3
    answers = [client.get("/api/runs/") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    problem = answers[3].json()
    assert (answers[3]["Content-Type"], answers[3]["Retry-After"]) == ("application/problem+json", "40")
    assert (problem["status"], problem["title"]) == (429, "Too many requests")


def test_reads_writes_and_users_are_counted_apart(client: APIClient, settings: Any) -> None:
    settings.READS_PER_MINUTE = settings.WRITES_PER_MINUTE = 1
    assert client.get("/api/runs/").status_code == 200
    assert client.post("/api/tickets/").status_code == 201
    assert client.post("/api/tickets/").status_code == 429
    other = APIClient()
    other.force_authenticate(User.objects.create_user("other"))
    assert other.get("/api/runs/").status_code == 200


def test_streams_are_counted_too(owner: Any, settings: Any, count: Any) -> None:
    settings.READS_PER_MINUTE = 1
    run = count(2)
    client = Client(headers={"authorization": f"Bearer {ApiToken.issue(owner=owner)}"})
    assert client.get(f"/api/runs/{run.pk}/").status_code == 200
    refused = client.get(f"/api/runs/{run.pk}/stream/")
    assert (refused.status_code, refused["Retry-After"]) == (429, "40")


def test_an_address_without_a_login_has_a_limit_of_its_own(settings: Any, transactional_db: None) -> None:
    settings.ANONYMOUS_REQUESTS_PER_MINUTE = 1
    client = Client()
    assert client.get("/api/schema/").status_code == 200
    assert client.get("/api/schema/").status_code == 429
    assert client.get("/api/schema/", REMOTE_ADDR="192.0.2.7").status_code == 200


def test_nobody_is_refused_while_redis_is_away(
    client: APIClient, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.READS_PER_MINUTE = 1
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    monkeypatch.setattr(throttles, "_away_until", float("-inf"))
    throttles._redis.cache_clear()
    try:
        assert [client.get("/api/runs/").status_code for _ in range(3)] == [200, 200, 200]
    finally:
        throttles._redis.cache_clear()


def test_counters_do_not_stay_in_redis(settings: Any) -> None:
    throttles.count("read", 1, limit=5)
    (key,) = Redis.from_url(settings.REDIS_URL).scan_iter("test-limits:throttle:*")
    assert 0 < Redis.from_url(settings.REDIS_URL).ttl(key) <= 120


def test_a_password_can_not_be_guessed_for_long(settings: Any, transactional_db: None) -> None:
    settings.LOGINS_PER_MINUTE = 3
    User.objects.create_user("trader", password="correct horse")
    request = RequestFactory().post("/login/")
    for guess in ("a", "b", "c"):
        assert authenticate(request, username="trader", password=guess) is None
    assert authenticate(request, username="trader", password="correct horse") is None
    elsewhere = RequestFactory().post("/login/", REMOTE_ADDR="192.0.2.7")
    assert authenticate(elsewhere, username="trader", password="correct horse") is not None


def test_one_address_can_not_try_many_users(settings: Any, transactional_db: None) -> None:
    settings.LOGINS_PER_MINUTE = 1
    User.objects.create_user("trader", password="correct horse")
    request = RequestFactory().post("/login/")
    for number in range(10):
        authenticate(request, username=f"user {number}", password="a")
    assert authenticate(request, username="trader", password="correct horse") is None


APPLICATION: Any = LimitBodies(ASGIHandler())


async def send(content: Any, path: str = "/api/tickets/") -> httpx.Response:
    transport = httpx.ASGITransport(APPLICATION)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.post(path, content=content, headers={"content-type": "application/json"})


async def pieces(count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b" " * 1000


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_that_is_too_large_is_refused_while_it_comes_in(
    settings: Any, announced: bool, transactional_db: None
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10_000
    answer = await send(b" " * 10_001 if announced else pieces(100_000))
    assert (answer.status_code, answer.json()["status"]) == (413, 413)
    assert answer.headers["content-type"] == "application/problem+json"
    assert (await send(b" " * 10_000 if announced else pieces(10))).status_code == 401


async def test_a_body_that_says_it_is_too_large_is_not_even_read(settings: Any) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        pytest.fail("it was read")

    async def keep(message: Any) -> None:
        sent.append(message)

    length = str(settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1).encode()
    scope = {"type": "http", "path": "/api/tickets/", "headers": [(b"content-length", length)]}
    await APPLICATION(scope, receive, keep)
    assert sent[0]["status"] == 413


async def test_files_of_candles_may_be_larger(settings: Any, transactional_db: None) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    settings.MAX_FILE_BYTES = 20_000
    assert (await send(pieces(20), "/api/imports/")).status_code == 401
    assert (await send(pieces(21), "/api/imports/")).status_code == 413


def test_tokens_are_made_shown_once_and_deleted(owner: Any, client: APIClient) -> None:
    made = client.post("/api/tokens/", {"name": "script", "days": 7}, format="json")
    assert made.status_code == 201
    secret = made.json()["token"]
    assert secret not in str(client.get("/api/tokens/").json())
    with_token = APIClient(headers={"Authorization": f"Bearer {secret}"})
    assert with_token.get("/api/tokens/").json()[0]["name"] == "script"
    assert with_token.post("/api/tokens/", {}, format="json").status_code == 403
    stranger = APIClient()
    stranger.force_authenticate(User.objects.create_user("stranger"))
    path = f"/api/tokens/{made.json()['id']}/"
    assert stranger.delete(path).status_code == 404
    assert client.delete(path).status_code == 204
    assert with_token.get("/api/tokens/").status_code == 401


def test_a_user_has_only_so_many_tokens(client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.access_views.MAX_TOKENS", 2)
    assert [client.post("/api/tokens/").status_code for _ in range(3)] == [201, 201, 409]
    assert client.post("/api/tokens/", {"days": 0}, format="json").status_code == 400
