"""Who may see what, over REST and over WebSocket."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.routing import URLRouter
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.test import APIClient, APIRequestFactory

from workers import access
from workers.models import ApiToken, Run
from workers.routing import websocket_urlpatterns
from workers.tests.broker import Published

APPLICATION = access.WebSocketAccess(URLRouter(websocket_urlpatterns))
HOST = (b"host", b"testserver.local")


@pytest.fixture(autouse=True)
def known_host(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["testserver.local", "testserver"]


@pytest.fixture
def ended_run(count: Any, published: Published) -> Run:
    run = count(2)
    published.execute_all()
    return run


async def close_code(path: str, *headers: tuple[bytes, bytes]) -> tuple[int, list[str]]:
    """Connect, read until the server closes; the close code and what was sent before."""
    address, _, query = path.partition("?")
    all_headers = list({HOST[0]: HOST[1], **dict(headers)}.items())
    scope = {"type": "websocket", "path": address, "query_string": query.encode(), "headers": all_headers}
    socket = ApplicationCommunicator(APPLICATION, {**scope, "subprotocols": []})
    await socket.send_input({"type": "websocket.connect"})
    texts: list[str] = []
    while (message := await socket.receive_output(timeout=5))["type"] != "websocket.close":
        texts += [message["text"]] if message["type"] == "websocket.send" else []
    await socket.send_input({"type": "websocket.disconnect", "code": message["code"]})
    await socket.wait()
    return message["code"], texts


def bearer(secret: str) -> tuple[bytes, bytes]:
    return (b"authorization", f"Bearer {secret}".encode())


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
