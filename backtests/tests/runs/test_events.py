"""The events that the server stores have the shape of the fixture that the page's tests read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from rest_framework.test import APIClient

from market_data.models import Cryptocurrency
from workers import control
from workers.models import Event, Run
from workers.tests.broker import Published

FIXTURE = Path(__file__).parents[3] / "tests" / "fixtures" / "run_events.json"

Shape = dict[str, Any]


@pytest.fixture(scope="module")
def fixture() -> dict[str, Any]:
    return orjson.loads(FIXTURE.read_bytes())


def shape(value: Any) -> Any:
    """Names and kinds of a JSON value; null stands for any kind, numbers are alike."""
    if isinstance(value, dict):
        return {name: shape(part) for name, part in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    if isinstance(value, bool) or value is None:
        return type(value).__name__
    return "number" if isinstance(value, int | float) else "text"


def agree(ours: Any, theirs: Any) -> bool:
    """Whether two shapes fit together where neither says null or an empty list."""
    if "NoneType" in (ours, theirs) or [] in (ours, theirs):
        return True
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(agree(ours[name], theirs[name]) for name in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return agree(ours[0], theirs[0])
    return bool(ours == theirs)


def stored_events(run_id: str) -> list[dict[str, Any]]:
    bodies = Event.objects.filter(run_id=run_id).order_by("seq").values_list("body", flat=True)
    return [orjson.loads(body) for body in bodies]


def test_events_have_the_shape_that_the_page_knows(
    client: APIClient, market: None, published: Published, fixture: dict[str, Any]
) -> None:
    Cryptocurrency.objects.create(symbol="NONEUSDT", base="NONE", quote="USDT")
    body = {"strategy": "rsi", "symbols": ["AAAUSDT", "NONEUSDT"]}
    run = client.post("/api/backtests/", body, format="json").json()
    control.pause_run(run_id=Run.objects.get().pk)
    control.resume_run(run_id=Run.objects.get().pk)
    published.execute_all()
    known = {event["type"]: shape(event) for event in fixture["events"]}
    events = stored_events(run["id"])
    assert {event["type"] for event in events} == {"start", "progress", "result", "failure", "complete"}
    for event in events:
        ours, theirs = shape(event), known[event["type"]]
        for part in ("result", "summary"):
            if part in theirs:
                assert ours[part].keys() == theirs[part].keys()
        assert agree(ours, theirs), (ours, theirs)


def test_a_run_has_the_shape_that_the_page_knows(
    run_backtest: Callable[..., dict[str, Any]], fixture: dict[str, Any]
) -> None:
    ours, theirs = shape(run_backtest()), shape(fixture["run_at_start"])
    for run in (ours, theirs):
        run["spec"].pop("symbols")
        run["spec"].pop("parameters")
        del run["links"]  # they depend on what can be done with the run now
    assert agree(ours, theirs), (ours, theirs)
