"""Who may do what: every address and method, for an owner, a stranger, staff, tokens and nobody."""

from collections import defaultdict
from typing import Any

import channels.db
import pytest
from django.db import transaction
from drf_spectacular.generators import SchemaGenerator

from tests.security.routes import (
    FUNCTIONS,
    METHODS,
    NOT_FOR_STAFF,
    NOTHING_THERE,
    OPEN,
    OWN,
    PAGE,
    RULES,
    SHARED,
    STAFF,
    Route,
    admin_routes,
    all_routes,
)
from tests.security.world import ACTORS, BY_SESSION, LET_IN, LOGGED_IN, World, make_world
from workers.tests.broker import keep_messages

REFUSALS = (401, 403, 404)


@pytest.fixture
def world(db: None, monkeypatch: pytest.MonkeyPatch, settings: Any) -> World:
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    # Asynchronous views would close the connection, and with it the transaction that each request is undone by.
    monkeypatch.setattr(channels.db, "close_old_connections", lambda: None)
    keep_messages(monkeypatch)
    return make_world()


def expected(route: Route, method: str, actor: str) -> Any:
    """The statuses that are right; a callable says it where there are many."""
    rule = RULES[route.name]
    if rule == OPEN:
        return lambda code: code not in REFUSALS or actor == "expired"
    if rule == PAGE:
        return lambda code: code == (200 if actor in BY_SESSION else 302)
    if actor not in LOGGED_IN:
        return lambda code: code == 401 or (code == 405 and route.name in FUNCTIONS)
    if rule == STAFF and actor != "staff":
        return lambda code: code in (403, 405)
    if method not in route.methods:
        return lambda code: code in (404, 405)
    may = rule in (SHARED, STAFF) or actor in (("owner", "token") if route.name in NOT_FOR_STAFF else LET_IN)
    if (route.name, method, actor) == ("tokens", "POST", "token"):
        return lambda code: code == 403  # a token that leaked must not make others
    if rule == OWN and not may and method != "OPTIONS":
        return lambda code: code == 404
    return lambda code: code not in REFUSALS or (code == 404 and route.name in NOTHING_THERE)


def answer(world: World, client: Any, route: Route, method: str) -> Any:
    """Ask, and undo what it did."""
    with transaction.atomic():
        path = route.path(world.arguments(route.pattern))
        response = client.generic(method, path, b"{}", content_type="application/json")
        transaction.set_rollback(True)
    return response


def test_every_address_has_a_rule() -> None:
    assert sorted({route.name for route in all_routes()} - set(RULES)) == []


@pytest.mark.parametrize("actor", ACTORS)
def test_nobody_gets_further_than_the_rules_say(world: World, actor: str) -> None:
    wrong: list[str] = []
    client = world.client(actor)
    for route in all_routes():
        for method in METHODS:
            code = answer(world, client, route, method).status_code
            if code >= 500 or not expected(route, method, actor)(code):
                wrong.append(f"{method} {route.pattern} ({RULES[route.name]}): {code}")
    assert wrong == [], chr(10).join(wrong)


def test_no_answer_to_a_stranger_holds_what_is_somebody_elses(world: World) -> None:
    client = world.client("other")
    leaks: list[str] = []
    for route in all_routes():
        response = answer(world, client, route, "GET")
        if RULES[route.name] == PAGE or response.streaming:
            continue  # the shell repeats the address; streams are followed elsewhere
        body = response.content.decode(errors="replace")
        leaks += [f"{route.pattern}: {word}" for word in world.secret_words() if word in body]
    assert leaks == []


def test_staff_are_shown_the_runs_of_all(world: World) -> None:
    runs = world.client("staff").get("/api/runs/").json()["results"]
    assert {run["id"] for run in runs} >= {str(world.run.pk), str(world.active.pk)}


@pytest.mark.parametrize("actor", [actor for actor in ACTORS if actor != "staff"])
def test_the_admin_is_for_staff_alone(world: World, actor: str) -> None:
    client = world.client(actor)
    open_to_all = {"admin:login", "admin:jsi18n", "admin:logout"}
    for route in admin_routes():
        if route.name not in open_to_all and "^" not in route.pattern and "(" not in route.pattern:
            path = route.path(defaultdict(lambda: 1))
            code = client.get(path).status_code
            assert code in (302, 403, 404), f"{path}: {code}"


def test_staff_can_open_every_list_of_the_admin(world: World) -> None:
    client = world.client("staff")
    lists = [route for route in admin_routes() if route.name.endswith("_changelist")]
    assert {route.pattern: client.get(route.path({})).status_code for route in lists} == {
        route.pattern: 200 for route in lists
    }


def test_a_session_alone_is_not_enough_to_change_anything(world: World) -> None:
    """A page of another site could send the cookie; it can't know the token that has to come with it."""
    client = world.client("owner")
    client.handler.enforce_csrf_checks = True
    for path in (
        "/api/backtests/",
        "/api/backtests/stream/",
        "/api/tickets/",
        f"/api/runs/{world.active.pk}/stop/",
    ):
        response = client.post(path, {}, content_type="application/json")
        assert (path, response.status_code) == (path, 403)


def test_a_null_character_anywhere_is_no_fault_of_the_server(world: World) -> None:
    """PostgreSQL stores none, and JSON, addresses and forms can hold one."""
    client = world.client("staff")
    described: Any = SchemaGenerator().get_schema(public=True)
    wrong: list[str] = []
    for route in all_routes():
        path = route.path({**world.arguments(route.pattern), "symbol": "%00"})
        operation = described["paths"].get(route.described, {}).get("get", {})
        for each in [None, *operation.get("parameters", [])]:
            address = f"{path}?{each['name']}=%00" if each else path
            with transaction.atomic():
                code = client.get(address).status_code
                transaction.set_rollback(True)
            wrong += [f"{address}: {code}"] if code >= 500 else []
    assert wrong == [], chr(10).join(wrong)
