"""Who may open which WebSocket: every address, for an owner, a stranger, staff, tokens, tickets and nobody."""

import re
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.routing import URLRouter
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from config.asgi import application
from tests.security.routes import OPEN, SHARED, SOCKET_RULES
from tests.security.world import ACTORS, LET_IN, LOGGED_IN
from workers import tickets
from workers.models import ApiToken, Run

PATIENCE_SECONDS = 20
FOREIGN = (b"origin", b"https://evil.example")


@pytest.fixture
async def people(transactional_db: None) -> dict[str, Any]:
    """Everybody's headers and query, and a run of the owner's."""
    return await sync_to_async(_people)()


def _people() -> dict[str, Any]:
    users = {
        name: User.objects.create_user(name, is_staff=name == "staff") for name in ("owner", "staff", "other")
    }
    ways: dict[str, Any] = {"anonymous": []}
    for name, user in users.items():
        ways[name] = [_cookie(user)]
    for name in ("token", "expired"):
        secret = ApiToken.issue(owner=users["owner"], name=name, days=1 if name == "token" else -1)
        ways[name] = [(b"authorization", f"Bearer {secret}".encode())]
    run = Run.objects.create(owner=users["owner"], kind="count", spec={}, total=1)
    return {"ways": ways, "users": users, "run": run}


def _cookie(user: Any) -> tuple[bytes, bytes]:
    client = Client()
    client.force_login(user)
    value = client.cookies[settings.SESSION_COOKIE_NAME].value
    return (b"cookie", f"{settings.SESSION_COOKIE_NAME}={value}".encode())


def socket_patterns() -> list[str]:
    """Every address of a WebSocket, as the application knows it."""
    inner: Any = application
    while not isinstance(inner, URLRouter):
        mapping = getattr(inner, "application_mapping", None)
        inner = mapping["websocket"] if mapping else getattr(inner, "application", None) or inner.inner
    routes: list[Any] = inner.routes
    return [str(route.pattern) for route in routes]


async def outcome(
    path: str, headers: list[tuple[bytes, bytes]], query: str = "", *, expected: int | None
) -> int | None:
    """The code that the server closes with; None if it keeps the socket open.

    One that is expected to stay open is looked at for a moment only, one that is to be closed until it is.
    """
    seconds = 0.3 if expected is None else PATIENCE_SECONDS
    scope = {"type": "websocket", "path": path, "query_string": query.encode(), "subprotocols": []}
    socket: Any = ApplicationCommunicator(
        application, {**scope, "headers": [(b"host", b"localhost"), *headers]}
    )
    await socket.send_input({"type": "websocket.connect"})
    message = await socket.receive_output(PATIENCE_SECONDS)
    while message["type"] != "websocket.close":
        try:
            message = await socket.receive_output(seconds)
        except TimeoutError:
            return None
    await socket.send_input({"type": "websocket.disconnect", "code": 1000})
    await socket.wait()
    return message["code"]


def code_for(rule: str, actor: str) -> int | None:
    if rule == OPEN:
        return 4404  # nothing is there
    if actor not in LOGGED_IN:
        return 4401
    return None if rule == SHARED or actor in LET_IN else 4404


def test_every_socket_has_a_rule() -> None:
    assert set(socket_patterns()) == set(SOCKET_RULES)


@pytest.mark.parametrize("actor", ACTORS)
async def test_nobody_gets_further_than_the_rules_say(people: dict[str, Any], actor: str) -> None:
    for pattern, rule in SOCKET_RULES.items():
        path = "/" + (re.sub(r"<[^>]+>", str(people["run"].pk), pattern) or "ws/nowhere/")
        expected = code_for(rule, actor)
        code = await outcome(path, people["ways"][actor], expected=expected)
        assert (path, code) == (path, expected)


async def test_a_foreign_page_gets_nowhere_with_somebodys_cookie(people: dict[str, Any]) -> None:
    for pattern in SOCKET_RULES:
        path = "/" + re.sub(r"<[^>]+>", str(people["run"].pk), pattern)
        assert await outcome(path, [*people["ways"]["owner"], FOREIGN], expected=4403) == 4403


async def test_a_foreign_page_gets_with_a_ticket_what_its_user_would(people: dict[str, Any]) -> None:
    for pattern, rule in SOCKET_RULES.items():
        path = "/" + (re.sub(r"<[^>]+>", str(people["run"].pk), pattern) or "ws/nowhere/")
        for actor in ("owner", "staff", "other"):
            secret, _ = await sync_to_async(tickets.issue)(owner=people["users"][actor])
            expected = code_for(rule, actor)
            code = await outcome(path, [FOREIGN], f"ticket={secret}", expected=expected)
            assert (path, actor, code) == (path, actor, expected)
            refused = 4404 if rule == OPEN else 4401
            assert await outcome(path, [FOREIGN], f"ticket={secret}", expected=refused) == refused
