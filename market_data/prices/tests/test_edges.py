"""Live prices over REST, WebSocket and stream: one message for all three, and clear errors."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import channels.db
import orjson
import pytest
from asgiref.testing import ApplicationCommunicator
from channels import consumer
from django.contrib.auth.models import User
from django.test import AsyncRequestFactory
from rest_framework.test import APIClient

from market_data.prices import hub
from market_data.prices.consumers import PricesConsumer
from market_data.prices.sse import price_stream
from market_data.prices.tests.price_maker import make_price
from market_data.prices.tests.test_viewers import feed_status, prices_in
from market_data.prices.viewers import Viewer
from market_data.prices.writing import Writer

pytestmark = pytest.mark.usefixtures("patient")
SOURCES = [{"name": "binance", "role": "primary", "state": "live", "since_ms": 1, "reason": None}]


@pytest.fixture
def user(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Somebody who is logged in; watching prices asks no database, which these tests would otherwise clean."""

    async def close_nothing() -> None: ...

    monkeypatch.setattr(consumer, "aclose_old_connections", close_nothing)
    monkeypatch.setattr(channels.db, "close_old_connections", lambda: None)
    return User(pk=1, username="viewer")


async def get(user: Any, path: str, query: str = "") -> Any:
    """What a user is answered over REST, or at the beginning of a stream."""
    if path == "/api/prices/stream/":
        request = AsyncRequestFactory().get(path, QUERY_STRING=query)
        request.user = user
        return await price_stream(request)
    client = APIClient()
    client.force_authenticate(user)
    return await asyncio.to_thread(client.get, f"{path}?{query}")


@pytest.fixture
async def market(writer: Writer) -> Writer:
    """Two prices and a feed that lives."""
    prices = [make_price(change_24h=0.01), make_price("ETHUSDT", 7.0)]
    points = {"BTCUSDT": (1000, 99.5)}
    entry = {"id": 3, "at_ms": 1, "kind": "high_24h", "symbol": "ETHUSDT", "price": 7.0}
    await writer.write(prices=prices, points=points, activity=[entry], status=feed_status(sources=SOURCES))
    await writer.write(points={"BTCUSDT": (2000, 100.0)})
    return writer


class Socket:
    """A client of the consumer."""

    def __init__(self, user: Any, query: str) -> None:
        scope = {"type": "websocket", "path": "/ws/prices/", "query_string": query.encode(), "headers": []}
        self._socket = ApplicationCommunicator(
            PricesConsumer.as_asgi(), {**scope, "user": user, "credential": None}
        )

    async def open(self) -> None:
        await self._socket.send_input({"type": "websocket.connect"})
        assert (await self._socket.receive_output(30))["type"] == "websocket.accept"

    async def say(self, message: Any) -> None:
        text = message if isinstance(message, str) else orjson.dumps(message).decode()
        await self._socket.send_input({"type": "websocket.receive", "text": text})

    async def hear(self, *kinds: str) -> dict[str, Any]:
        """The next message of a kind."""
        while (message := await self._socket.receive_output(30))["type"] == "websocket.send":
            body = orjson.loads(message["text"])
            if not kinds or body["type"] in kinds:
                return body
        return message

    async def close(self) -> None:
        await self._socket.send_input({"type": "websocket.disconnect", "code": 1000})
        await self._socket.wait()


@asynccontextmanager
async def socket(user: Any, query: str = "") -> AsyncGenerator[Socket]:
    one = Socket(user, query)
    await one.open()
    try:
        yield one
    finally:
        await one.close()


async def test_rest_websocket_and_stream_say_the_same(user: Any, market: Writer):
    async with socket(user) as one:
        by_socket = await one.hear()
    response = await get(user, "/api/prices/stream/", "interval=1")
    assert (response.status_code, response["Content-Type"]) == (200, "text/event-stream")
    frames = response._iterator
    assert await anext(frames) == "retry: 1000\n\n"
    by_stream = orjson.loads((await anext(frames)).removeprefix("data: "))
    await frames.aclose()
    by_rest = (await get(user, "/api/prices/")).json()
    for message in (by_socket, by_stream, by_rest):
        message.pop("at_ms")
        assert [price.pop("age_ms") >= 0 for price in message["prices"]] == [True, True]
    assert by_socket == by_stream == by_rest
    assert prices_in(by_rest) == {"BTCUSDT": 100.0, "ETHUSDT": 7.0}
    assert by_rest["status"]["state"] == "live"
    assert hub._hubs == {}


async def test_a_socket_changes_its_mind_pauses_and_goes_on(user: Any, market: Writer):
    async with socket(user, "symbols=BTCUSDT&interval=30") as one:
        assert prices_in(await one.hear()) == {"BTCUSDT": 100.0}
        await one.say({"type": "set", "symbols": ["ethusdt"], "interval": 1})
        reply = await one.hear("reply")
        assert (reply["to"], reply["symbols"], reply["interval"], reply["source"]) == (
            "set",
            ["ETHUSDT"],
            1,
            None,
        )
        assert prices_in(await one.hear("snapshot")) == {"ETHUSDT": 7.0}
        await one.say({"type": "pause"})
        assert (await one.hear())["to"] == "pause"
        await market.write(prices=[make_price("ETHUSDT", 8.0)])
        await one.say({"type": "resume"})
        assert (await one.hear("reply"))["to"] == "resume"
        assert prices_in(await one.hear("update")) == {"ETHUSDT": 8.0}


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("interval=2", "interval: Prices are sent every 1, 5, 10, 30 seconds; got '2'."),
        ("symbols=NOSUCH", "symbols: There are no live prices of NOSUCH."),
        ("source=mtgox", "source: There is no source 'mtgox'; there are: binance."),
        ("symbols=%E2%82%AC", "symbols: Symbols look like BTCUSDT; got €."),
    ],
)
async def test_a_socket_is_refused_with_a_reason(user: Any, market: Writer, query: str, reason: str):
    one = Socket(user, query)
    await one.open()
    closed = await one.hear()
    assert (closed["code"], closed["reason"]) == (4400, reason)
    await one.close()


async def test_a_socket_without_a_user_is_refused(user: Any, market: Writer):
    one = Socket(None, "")
    await one.open()
    assert (await one.hear())["code"] == 4401
    await one.close()


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ("{", "Invalid JSON"),
        ({"type": "buy"}, "does not match any of the expected tags"),
        ({"type": "set", "interval": 3}, "Prices are sent every"),
        ({"type": "set", "symbols": ["NOSUCH"]}, "There are no live prices of NOSUCH"),
        ({"type": "set", "source": "mtgox"}, "There is no source 'mtgox'"),
        ({"type": "set", "symbols": ["BTCUSDT"] * 501}, "at most 500 items"),
    ],
)
async def test_a_bad_message_is_answered_and_the_prices_go_on(
    user: Any, market: Writer, message: Any, problem: str
):
    async with socket(user, "interval=1") as one:
        await one.hear()
        await one.say(message)
        assert problem in (await one.hear("problem"))["detail"]
        await market.write(prices=[make_price(price=3.0)])
        assert prices_in(await one.hear("update")) == {"BTCUSDT": 3.0}


async def test_the_list_can_be_narrowed(user: Any, market: Writer):
    only = (await get(user, "/api/prices/", "symbols=ETHUSDT")).json()
    assert list(prices_in(only)) == ["ETHUSDT"]
    other = (await get(user, "/api/prices/", "symbols=BTCUSDT&source=binance")).json()
    assert (list(prices_in(other)), other["activity"]) == (["BTCUSDT"], [])


@pytest.mark.parametrize(
    ("query", "field"),
    [("symbols=NOSUCH", "symbols"), ("source=mtgox", "source"), ("interval=7", "interval")],
)
@pytest.mark.parametrize("path", ["/api/prices/", "/api/prices/stream/"])
async def test_what_is_not_there_is_a_field_error(
    user: Any, market: Writer, path: str, query: str, field: str
):
    response = await get(user, path, query)
    problem = orjson.loads(response.content)
    assert (response.status_code, list(problem["errors"])) == (400, [field])
    assert response["Content-Type"] == "application/problem+json"


async def test_histories_are_points_oldest_first(user: Any, market: Writer):
    one = (await get(user, "/api/prices/btc-usdt/history/")).json()
    assert one == {"symbol": "BTCUSDT", "points": [[1000, 99.5], [2000, 100.0]]}
    all_of_them = (await get(user, "/api/prices/history/")).json()
    assert {each["symbol"]: len(each["points"]) for each in all_of_them} == {"BTCUSDT": 2, "ETHUSDT": 0}
    assert (await get(user, "/api/prices/NOSUCH/history/")).status_code == 404
    assert (await get(user, "/api/prices/history/", "symbols=NOSUCH")).status_code == 400


async def test_where_there_never_was_a_feed_the_list_says_so(user: Any):
    answer = (await get(user, "/api/prices/")).json()
    assert (answer["prices"], answer["status"]["state"]) == ([], "none")


async def test_without_redis_the_answer_is_that_it_is_worth_trying_again(user: Any, settings: Any):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    for path in ("/api/prices/", "/api/prices/history/", "/api/prices/BTCUSDT/history/"):
        response = await get(user, path)
        assert (response.status_code, response["Content-Type"]) == (503, "application/problem+json")
        assert "try again" in response.json()["detail"]


async def test_a_client_that_reads_nothing_costs_no_memory(user: Any, market: Writer):
    """The consumer waits in `send`; meanwhile its viewer keeps nothing but which symbols have changed."""
    released = asyncio.Event()
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)
        if message["type"] == "websocket.send":
            await released.wait()

    incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    incoming.put_nowait({"type": "websocket.connect"})
    scope = {"type": "websocket", "path": "/", "query_string": b"interval=1", "headers": []}
    scope |= {"user": user, "credential": None}
    application: Any = PricesConsumer.as_asgi()
    serving = asyncio.create_task(application(scope, incoming.get, send))
    async with asyncio.timeout(30):
        while len(sent) < 2:
            await asyncio.sleep(0.01)
    for number in range(100):
        await market.write(prices=[make_price(price=float(number))])
    (watched,) = hub._hubs.values()
    async with asyncio.timeout(30):
        while watched.picture.rows["BTCUSDT"].price.price != 99.0:
            await asyncio.sleep(0.01)
    await asyncio.sleep(1.1)  # more than the viewer's interval
    assert len(sent) == 2
    released.set()
    async with asyncio.timeout(30):
        while len(sent) < 3:
            await asyncio.sleep(0.01)
    assert prices_in(orjson.loads(sent[2]["text"])) == {"BTCUSDT": 99.0}
    incoming.put_nowait({"type": "websocket.disconnect", "code": 1000})
    await serving


async def test_a_socket_that_breaks_off_says_so_and_can_be_opened_again(
    user: Any, market: Writer, monkeypatch: pytest.MonkeyPatch
):
    async with socket(user) as one:
        await one.hear()
        monkeypatch.setattr(Viewer, "_take", lambda *_: 1 / 0)
        await market.write(prices=[make_price(price=3.0)], status=feed_status(source="ccxt:kraken"))
        assert (await one.hear())["code"] == 1011
