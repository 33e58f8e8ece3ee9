"""What was opened with a login ends with it, over every transport, and what others have opened goes on."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backtests.tests.runs.conftest import wavy_candles
from config.asgi import application
from market_data.store import write_candles
from workers import connections, control, credentials, tickets
from workers.models import ApiToken, Run
from workers.runs import create_run
from workers.tests.broker import Published, keep_messages
from workers.tests.counting.handler import counting_spec

HOST = (b"host", b"localhost")
WITHIN_SECONDS = 30.0
Header = tuple[bytes, bytes]


@pytest.fixture(autouse=True)
def published(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Published:
    """Look often, and let no run go on: each stays under way until the test's end."""
    monkeypatch.setattr(connections, "CHECK_EVERY_SECONDS", 0.05)
    return keep_messages(monkeypatch)


@dataclass
class Person:
    """A user with a run under way, and both ways to log in."""

    user: Any
    run: Run
    client: Client
    secret: str

    @property
    def token(self) -> Header:
        return (b"authorization", f"Bearer {self.secret}".encode())

    @property
    def cookie(self) -> Header:
        value = self.client.cookies[settings.SESSION_COOKIE_NAME].value
        csrf = "x" * 32
        return (b"cookie", f"{settings.SESSION_COOKIE_NAME}={value}; csrftoken={csrf}".encode())


def make_person(name: str, **more: Any) -> Person:
    user = User.objects.create_user(name, **more)
    client = Client()
    client.force_login(user)
    run = create_run(owner=user, kind="count", spec=counting_spec(2))
    return Person(user, run, client, ApiToken.issue(owner=user))


class Opened:
    """A connection of any kind that a client holds."""

    def __init__(self, name: str, scope: dict[str, Any], body: bytes = b"") -> None:
        self.name = name
        self._is_socket = scope["type"] == "websocket"
        self._server: Any = ApplicationCommunicator(application, scope)
        self._body = body
        self.reason = ""
        """What a socket was closed for."""

    async def open(self) -> None:
        """Connect; waits for the first words of a stream or a socket, not of a poll."""
        first: dict[str, Any] = {"type": "http.request", "body": self._body}
        await self._server.send_input({"type": "websocket.connect"} if self._is_socket else first)
        if self.name != "poll":
            message = await self._server.receive_output(WITHIN_SECONDS)
            second = await self._server.receive_output(WITHIN_SECONDS)
            assert message.get("status", 200) == 200, (self.name, second)

    async def end(self) -> int:
        """Read to the end; the close code of a socket, the status of a poll, 0 for a stream that has just ended."""
        status = 0
        async with asyncio.timeout(WITHIN_SECONDS):
            while True:
                message = await self._server.receive_output(WITHIN_SECONDS)
                if message["type"] == "websocket.close":
                    self.reason = message.get("reason") or ""
                    await self.leave()
                    return message["code"]
                status = message.get("status", status)
                if message["type"] == "http.response.body" and not message.get("more_body"):
                    await self._server.wait()
                    return status

    async def say(self, message: Any) -> None:
        await self._server.send_input({"type": "websocket.receive", "text": orjson.dumps(message).decode()})

    async def hears(self, text: str) -> bool:
        """Whether it is told something that holds a text."""
        async with asyncio.timeout(WITHIN_SECONDS):
            while True:
                message = await self._server.receive_output(WITHIN_SECONDS)
                if text in message.get("text", "") or text in message.get("body", b"").decode():
                    return True

    async def leave(self) -> None:
        kind = "websocket" if self._is_socket else "http"
        await self._server.send_input({"type": f"{kind}.disconnect", "code": 1000})
        await self._server.wait()


def opened(name: str, path: str, *headers: Header, body: bytes | None = None) -> Opened:
    address, _, query = path.partition("?")
    scope: dict[str, Any] = {"path": address, "query_string": query.encode(), "headers": [HOST, *headers]}
    if address.startswith("/ws/"):
        return Opened(name, {**scope, "type": "websocket", "subprotocols": []})
    method = "GET" if body is None else "POST"
    length = str(len(body or b"")).encode()
    scope["headers"] += [(b"content-type", b"application/json"), (b"content-length", length)]
    scope["headers"] += [(b"x-csrftoken", b"x" * 32)]
    return Opened(name, {**scope, "type": "http", "method": method}, body or b"")


def everything(person: Person, login: Header, run: Run | None = None) -> list[Opened]:
    """A connection of every kind."""
    path = f"/runs/{(run or person.run).pk}/"
    request = orjson.dumps({"strategy": "rsi"})
    return [
        opened("socket", f"/ws{path}", login),
        opened("prices", "/ws/prices/", login),
        opened("stream", f"/api{path}stream/", login),
        opened("price stream", "/api/prices/stream/", login),
        opened("backtest stream", "/api/backtests/stream/", login, body=request),
        opened("poll", f"/api{path}events/?after=1&wait=30", login),
    ]


ENDED = {"socket": 4401, "prices": 4401, "stream": 0, "price stream": 0, "backtest stream": 0, "poll": 401}
"""A stream that ends is asked for again, and then the answer is 401."""


async def open_all(those: list[Opened]) -> None:
    await asyncio.gather(*(one.open() for one in those))


async def ends(those: list[Opened]) -> dict[str, int]:
    """How each of them ends."""
    codes = await asyncio.gather(*(one.end() for one in those))
    return {one.name: code for one, code in zip(those, codes, strict=True)}


async def status_of(path: str, login: Header) -> int:
    """The answer to one who asks again."""
    asked = opened("poll", path, login)
    await asked.open()
    return await asked.end()


def a_token_expires(person: Person) -> None:
    ApiToken.objects.filter(owner=person.user).update(expires_at=timezone.now() - timedelta(seconds=1))


def a_token_is_deleted(person: Person) -> None:
    ApiToken.objects.filter(owner=person.user).delete()


def a_session_is_logged_out(person: Person) -> None:
    person.client.logout()


def a_session_expires(person: Person) -> None:
    key = person.client.session.session_key
    Session.objects.filter(pk=key).update(expire_date=timezone.now() - timedelta(seconds=1))


def the_password_is_changed(person: Person) -> None:
    person.user.set_password("another")
    person.user.save()


def the_user_is_disabled(person: Person) -> None:
    User.objects.filter(pk=person.user.pk).update(is_active=False)


def the_user_is_deleted(person: Person) -> None:
    person.user.delete()


BY_TOKEN = [a_token_expires, a_token_is_deleted, the_user_is_disabled, the_user_is_deleted]
BY_SESSION = [
    a_session_is_logged_out,
    a_session_expires,
    the_password_is_changed,
    the_user_is_disabled,
    the_user_is_deleted,
]


@pytest.mark.parametrize(
    ("kind", "event"),
    [("token", event) for event in BY_TOKEN] + [("cookie", event) for event in BY_SESSION],
)
async def test_whatever_a_login_opened_ends_with_it_and_nothing_else_does(
    kind: str, event: Callable[[Person], None]
) -> None:
    await sync_to_async(write_candles)(
        symbol="AAAUSDT", source="test", interval="1h", candles=wavy_candles(300)
    )
    person, other = [await sync_to_async(make_person)(name) for name in ("person", "other")]
    login: Header = getattr(person, kind)
    theirs = everything(person, login)
    others = everything(other, getattr(other, kind))[:3]
    await open_all([*theirs, *others])
    await asyncio.sleep(0.3)  # some looks, after which all are still open
    await sync_to_async(event)(person)
    assert await ends(theirs) == ENDED
    await sync_to_async(control.pause_run)(run_id=other.run.pk)
    await others[1].say({"type": "pause"})
    for one, text in zip(others, ("paused", "reply", "paused"), strict=True):
        assert await one.hears(text)
        await one.leave()
    assert await status_of("/api/prices/stream/", login) == 401
    assert connections.count_of(person.user.pk) == connections.count_of(other.user.pk) == 0


async def test_who_is_staff_no_longer_sees_others_runs_no_longer() -> None:
    owner, staff = (
        await sync_to_async(make_person)("owner"),
        await sync_to_async(make_person)("staff", is_staff=True),
    )
    socket = opened("socket", f"/ws/runs/{owner.run.pk}/", staff.token)
    stream = opened("stream", f"/api/runs/{owner.run.pk}/stream/", staff.token)
    await open_all([socket, stream])
    await User.objects.filter(pk=staff.user.pk).aupdate(is_staff=False)
    assert await ends([socket, stream]) == {"socket": 4401, "stream": 0}
    assert await status_of(f"/api/runs/{owner.run.pk}/stream/", staff.token) == 404


async def test_a_socket_that_a_ticket_opened_ends_with_the_token_that_the_ticket_was_made_with() -> None:
    person = await sync_to_async(make_person)("person")
    post = sync_to_async(Client(headers={"authorization": f"Bearer {person.secret}"}).post)
    ticket = (await post("/api/tickets/")).json()["ticket"]
    socket = opened("socket", f"/ws/runs/{person.run.pk}/?ticket={ticket}")
    secret, _ = await sync_to_async(tickets.issue)(owner=person.user)
    by_none = opened("other", f"/ws/runs/{person.run.pk}/?ticket={secret}")
    await open_all([socket, by_none])
    await sync_to_async(a_token_is_deleted)(person)
    assert await socket.end() == 4401
    await sync_to_async(control.pause_run)(run_id=person.run.pk)
    assert await by_none.hears("paused")
    await by_none.leave()


async def test_while_the_database_is_away_nobody_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    person = await sync_to_async(make_person)("person")
    socket = opened("socket", f"/ws/runs/{person.run.pk}/", person.token)
    look = credentials.still_valid
    away, looks = [True], list[Any]()

    def look_or_fail(asked: Any) -> Any:
        looks.append(asked)
        if away:
            raise OperationalError("the database is away")
        return look(asked)

    monkeypatch.setattr(credentials, "still_valid", look_or_fail)
    await open_all([socket])
    await sync_to_async(a_token_is_deleted)(person)
    async with asyncio.timeout(WITHIN_SECONDS):
        while len(looks) < 3:
            await asyncio.sleep(0.01)
    await sync_to_async(control.pause_run)(run_id=person.run.pk)
    assert await socket.hears("paused")
    away.clear()
    assert await socket.end() == 4401


def test_a_look_at_many_logins_takes_three_statements() -> None:
    people = [make_person(f"person {number}") for number in range(5)]
    tokens = [credentials.of_token(token) for token in ApiToken.objects.select_related("owner")]
    sessions = [credentials.of_session(person.user, person.client.session) for person in people]
    with CaptureQueriesContext(connection) as queries:
        assert credentials.still_valid([*tokens, *sessions]) == {*tokens, *sessions}
    assert len(queries) == 3


def test_the_local_user_needs_no_login_that_could_end(settings: Any) -> None:
    settings.SINGLE_USER = True
    credential = credentials.of_session(User(pk=1), None)
    assert credentials.still_valid([credential]) == {credential}
