"""The API's own description leaves nothing out, its streams included."""

from typing import Any

import pytest
from drf_spectacular.generators import SchemaGenerator

from tests.security.routes import FUNCTIONS, all_routes

NOT_OF_THE_API = {"schema", "docs", "health"}


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    schema: Any = SchemaGenerator().get_schema(public=True)
    return schema["paths"]


def test_every_address_is_described_with_its_methods(described: dict[str, Any]) -> None:
    routes = [route for route in all_routes() if route.pattern.startswith("api/")]
    expected = {
        route.described: {method for method in route.methods if method not in ("HEAD", "OPTIONS")}
        for route in routes
        if route.name not in NOT_OF_THE_API
    }
    assert {path: {name.upper() for name in operations} for path, operations in described.items()} == expected


def test_every_operation_says_in_a_line_what_it_does(described: dict[str, Any]) -> None:
    lines = {
        f"{method} {path}": operation["summary"]
        for path, operations in described.items()
        for method, operation in operations.items()
    }
    assert [name for name, line in lines.items() if not 5 < len(line) < 130] == []


def test_streams_say_how_to_go_on_and_that_they_are_streams(described: dict[str, Any]) -> None:
    streams = {route.described: FUNCTIONS[route.name] for route in all_routes() if route.name in FUNCTIONS}
    assert len(streams) == 4
    for path, (method,) in streams.items():
        operation = described[path][method.lower()]
        assert list(operation["responses"]["200"]["content"]) == ["text/event-stream"]
        assert "4XX" in operation["responses"]
    run = described["/api/runs/{run_id}/stream/"]["get"]
    names = [(each["in"], each["name"]) for each in run["parameters"]]
    assert names == [("path", "run_id"), ("query", "after"), ("header", "Last-Event-ID")]
    assert "/ws/runs/{run_id}/" in run["description"]
    start = described["/api/backtests/stream/"]["post"]
    assert start["requestBody"] == described["/api/backtests/"]["post"]["requestBody"]
    names = {each["name"] for each in start["parameters"]}
    assert names == {"stop_on_disconnect", "Idempotency-Key"}
