"""Alerts: conditions that can be, fired once by whichever feed leads, told to their owners only."""

import asyncio
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import OperationalError
from rest_framework.test import APIClient

from market_data.prices import alert_watch, alerts, state
from market_data.prices.alert_rules import Crossing, Move
from market_data.prices.alert_watch import AlertWatch
from market_data.prices.lease import ReplacedError
from market_data.prices.models import Alert
from market_data.prices.tests.price_maker import make_price
from market_data.prices.writing import Writer
from workers.models import Delivery

MINUTE_MS = 60_000


@pytest.mark.parametrize(
    ("direction", "prices", "fires"),
    [
        ("up", [90, 99, 100], [False, False, True]),
        ("up", [90, 110, 90, 110], [False, True, False, True]),
        ("up", [110, 120, 90, 105], [False, False, False, True]),
        ("down", [110, 101, 100], [False, False, True]),
        ("down", [90, 110, 95], [False, False, True]),
        ("either", [90, 110, 95], [False, True, True]),
        ("either", [100, 100, 110, 120], [False, False, False, False]),
        ("either", [90, 100, 110, 100, 90], [False, True, False, True, False]),
    ],
)
def test_a_level_is_crossed_from_one_side_to_the_other(
    direction: str, prices: list[float], fires: list[bool]
):
    rule = Crossing(100.0, direction)
    assert [rule.see(price, 0) for price in prices] == fires


def test_a_crossing_that_a_new_leader_did_not_see_counts_by_the_stored_side():
    assert Crossing(100.0, "up", side=-1).see(101.0, 0)
    assert not Crossing(100.0, "down", side=-1).see(101.0, 0)


@pytest.mark.parametrize(
    ("direction", "prices", "change"),
    [
        ("up", [100, 90, 99], 0.1),
        ("up", [100, 90, 98], None),
        ("down", [100, 110, 99], -0.1),
        ("down", [100, 89.9], -0.101),
        ("either", [100, 105, 94.5], -0.1),
        ("either", [100, 95, 104.5], 0.1),
        ("down", [100, 200, 300], None),
    ],
)
def test_a_move_counts_from_the_lowest_or_highest(direction: str, prices: list[float], change: float | None):
    rule = Move(0.1 - 1e-12, 5, direction)
    fired = [rule.see(price, 1000 * number) for number, price in enumerate(prices)]
    assert fired == [False] * (len(prices) - 1) + [change is not None]
    if change is not None:
        assert rule.change == pytest.approx(change)


def test_a_move_that_took_longer_than_its_minutes_does_not_count():
    rule = Move(0.1, 5, "up")
    assert not any(rule.see(100.0 + number, number * MINUTE_MS) for number in range(60))
    assert len(rule._parts) <= 61
    assert rule.see(180.0, 60 * MINUTE_MS)


@pytest.fixture
def user(transactional_db: None) -> Any:
    return User.objects.create_user("trader")


@pytest.fixture
def client(user: Any) -> APIClient:
    client = APIClient()
    client.force_authenticate(user)
    return client


@pytest.fixture
async def market(writer: Writer) -> Writer:
    await writer.write(prices=[make_price()])
    return writer


@pytest.fixture
def price_now(prefix: str) -> None:
    """The same for tests without an event loop."""

    async def write() -> None:
        async with Writer(term=1) as writer:
            await writer.write(prices=[make_price()])

    asyncio.run(write())


CROSSES = {"symbol": "BTCUSDT", "kind": "crosses", "direction": "up", "price": 110.0}
MOVES = {"symbol": "BTCUSDT", "kind": "moves", "direction": "down", "percent": 5, "minutes": 10}


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"symbol": "NOSUCH"}, "symbol", "There are no live prices of NOSUCH"),
        ({"symbol": ""}, "symbol", "may not be blank"),
        ({"kind": "dreams"}, "kind", "is not a valid choice"),
        ({"direction": "left"}, "direction", "is not a valid choice"),
        ({"price": 0}, "price", "more than 0"),
        ({"price": -5}, "price", "more than 0"),
        ({"price": "1e999"}, "price", ""),
        ({"price": None}, "price", "needs this"),
        ({"percent": 5}, "percent", "has none of this"),
        ({"webhook": "ftp://example.com/"}, "webhook", "https://"),
        ({"webhook": "http://127.0.0.1/"}, "webhook", "not a public address"),
        ({**MOVES, "percent": 0}, "percent", "more than 0"),
        ({**MOVES, "percent": 100}, "percent", "No price can fall by 100"),
        ({**MOVES, "percent": 5000, "direction": "up"}, "percent", "At most 1000"),
        ({**MOVES, "minutes": 0}, "minutes", "From 1 to 240"),
        ({**MOVES, "minutes": 10_000}, "minutes", "From 1 to 240"),
        ({**MOVES, "minutes": None}, "minutes", "needs this"),
        ({**MOVES, "price": 5.0}, "price", "has none of this"),
    ],
)
def test_an_impossible_condition_is_refused_and_why(
    db: None, price_now: None, change: dict[str, Any], field: str, message: str
):
    client = APIClient()
    client.force_authenticate(User(pk=1, username="trader"))
    body = change if change.get("kind") == "moves" else {**CROSSES, **change}
    response = client.post("/api/prices/alerts/", body, format="json")
    assert response.status_code == 400
    assert list(response.json()["errors"]) == [field]
    assert message in response.json()["errors"][field][0]


async def test_an_alert_is_made_listed_disarmed_armed_and_deleted_by_its_owner_alone(
    client: APIClient, market: Writer
):
    call: Any = sync_to_async(client.generic)
    made = (await sync_to_async(client.post)("/api/prices/alerts/", MOVES, format="json")).json()
    assert (made["percent"], made["minutes"], made["armed"], made["fired_at"]) == (5, 10, True, None)
    path = f"/api/prices/alerts/{made['id']}/"
    assert (await sync_to_async(client.get)("/api/prices/alerts/")).json() == [made]
    changed = await sync_to_async(client.patch)(path, {"armed": False}, format="json")
    assert changed.json()["armed"] is False
    stranger = APIClient()
    stranger.force_authenticate(await sync_to_async(User.objects.create_user)("stranger", is_staff=True))
    for method in ("get", "patch", "delete"):
        assert (await sync_to_async(getattr(stranger, method))(path)).status_code == 404
    assert (await sync_to_async(stranger.get)("/api/prices/alerts/")).json() == []
    assert (await call("PATCH", path, "{}", content_type="application/json")).status_code == 400
    assert (await sync_to_async(client.delete)(path)).status_code == 204
    assert not await Alert.objects.aexists()


async def test_a_user_has_only_so_many_alerts(client: APIClient, market: Writer, monkeypatch: Any):
    monkeypatch.setattr(alerts, "MAX_PER_USER", 1)
    assert (
        await sync_to_async(client.post)("/api/prices/alerts/", CROSSES, format="json")
    ).status_code == 201
    response = await sync_to_async(client.post)("/api/prices/alerts/", CROSSES, format="json")
    assert (response.status_code, response.json()["detail"][:17]) == (409, "You have 1 alerts")


async def make_alert(user: Any, **condition: Any) -> Alert:
    given = {"kind": "crosses", "direction": "up", "price": 110.0, **condition}
    return await sync_to_async(alerts.create_alert)(owner=user, price_now=make_price(), **given)


async def fired(alert: Alert) -> Alert:
    """The alert once it has fired."""
    async with asyncio.timeout(30):
        while (found := await Alert.objects.aget(pk=alert.pk)).armed:
            await asyncio.sleep(0.02)
    return found


async def settled(watch: AlertWatch) -> None:
    """Until what is armed has been read."""
    async with asyncio.timeout(30):
        while not watch._by_symbol:
            await asyncio.sleep(0.02)


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert_watch, "RELOAD_SECONDS", 0.05)


async def test_an_alert_fires_once_is_stored_announced_and_sent(user: Any, market: Writer):
    alert = await make_alert(user, webhook="https://example.com/hook")
    news: list[dict[str, Any]] = []

    async def listen() -> None:
        async for message in state.subscribe():
            news.append(message or {})  # noqa: PERF401 (it never ends)

    listening = asyncio.create_task(listen())
    async with AlertWatch() as watch:
        await settled(watch)
        while {} not in news:
            await asyncio.sleep(0.01)
        for price in (109.0, 111.0, 112.0, 105.0, 113.0):
            watch.see([make_price(price=price, source="ccxt:kraken", is_replay=True)])
        found = await fired(alert)
        watch.see([make_price(price=price) for price in (105.0, 113.0)])
        await asyncio.sleep(0.3)
        async with asyncio.timeout(30):
            while not any(message.get("alerts") for message in news):
                await asyncio.sleep(0.01)
    listening.cancel()
    assert (found.fired_price, found.fired_source, found.fired_is_replay) == (111.0, "ccxt:kraken", True)
    told = [one for message in news for one in message.get("alerts", ())]
    assert [(one["owner_id"], one["id"], one["fired_price"]) for one in told] == [
        (user.pk, str(alert.pk), 111.0)
    ]
    deliveries = [one async for one in Delivery.objects.all()]
    assert [(one.event, one.address, one.owner_id) for one in deliveries] == [
        ("price_alert", "https://example.com/hook", user.pk)
    ]
    assert '"fired_price":111.0' in deliveries[0].body


async def test_an_armed_again_alert_fires_again(user: Any, market: Writer, client: APIClient):
    alert = await make_alert(user)
    async with AlertWatch() as watch:
        await settled(watch)
        watch.see([make_price(price=111.0)])
        await fired(alert)
        await sync_to_async(client.patch)(f"/api/prices/alerts/{alert.pk}/", {"armed": True}, format="json")
        watch._by_symbol = {}
        await settled(watch)
        watch.see([make_price(price=120.0)])
        assert (await fired(alert)).fired_price == 120.0


async def test_a_price_that_crossed_while_nobody_led_fires_with_the_first_price_of_the_next_leader(
    user: Any, market: Writer
):
    alert = await make_alert(user, direction="down", price=90.0)
    await sync_to_async(lambda: Alert.objects.update(side=1))()
    async with AlertWatch() as watch:
        await settled(watch)
        watch.see([make_price(price=80.0)])
        await fired(alert)


async def test_which_side_a_price_is_on_is_kept_for_the_next_leader(user: Any, market: Writer):
    alert = await make_alert(user, price=90.0)
    async with AlertWatch() as watch:
        await settled(watch)
        watch.see([make_price(price=80.0)])
        async with asyncio.timeout(30):
            while (await Alert.objects.aget(pk=alert.pk)).side != -1:
                await asyncio.sleep(0.02)


async def test_a_move_before_a_takeover_counts_for_the_next_leader(user: Any, market: Writer):
    alert = await make_alert(user, kind="moves", direction="up", price=None, fraction=0.05, minutes=10)
    armed_ms = round(alert.armed_at.timestamp() * 1000)
    await market.write(points={"BTCUSDT": (armed_ms - 1000, 10.0)})
    await market.write(points={"BTCUSDT": (armed_ms + 1, 100.0)})
    await asyncio.sleep(0.01)
    async with AlertWatch() as watch:
        await settled(watch)
        watch.see([make_price(price=104.0)])
        watch.see([make_price(price=106.0)])
        found = await fired(alert)
    assert (found.fired_price, round(found.fired_change or 0, 6)) == (106.0, 0.06)


async def test_two_leaders_at_once_fire_an_alert_once(user: Any, market: Writer):
    alert = await make_alert(user, webhook="https://example.com/hook")
    async with AlertWatch() as one, AlertWatch() as other:
        await settled(one)
        await settled(other)
        one.see([make_price(price=111.0)])
        other.see([make_price(price=112.0)])
        await fired(alert)
        await asyncio.sleep(0.3)
    assert await Delivery.objects.acount() == 1


async def test_a_leader_that_was_replaced_fires_nothing_and_keeps_no_side(user: Any, market: Writer):
    crossing = await make_alert(user)
    watched = await make_alert(user, direction="down", price=105.0)
    leads = True

    def confirm() -> None:
        if not leads:
            raise ReplacedError("another feed leads")

    async with AlertWatch(confirm) as watch:
        await settled(watch)
        leads = False
        watch.see([make_price(price=111.0)])
        await asyncio.sleep(0.3)
        found = [one async for one in Alert.objects.filter(pk__in=[crossing.pk, watched.pk])]
        assert [(one.armed, one.side) for one in found] == [(True, crossing.side), (True, watched.side)]
        leads = True
        await fired(crossing)


async def test_a_database_that_is_away_delays_an_alert_and_loses_none(
    user: Any, market: Writer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    alert = await make_alert(user)
    async with AlertWatch() as watch:
        await settled(watch)
        with monkeypatch.context() as broken:
            broken.setattr(alert_watch, "_load", _fail)
            broken.setattr(alerts, "fire_alert", _fail)
            watch.see([make_price(price=111.0)])
            async with asyncio.timeout(30):
                while "can't be stored" not in caplog.text:
                    await asyncio.sleep(0.02)
            watch.see([make_price(price=150.0)])
        assert (await fired(alert)).fired_price == 111.0


def _fail(*_: Any, **__: Any) -> Any:
    raise OperationalError("the database is away")
