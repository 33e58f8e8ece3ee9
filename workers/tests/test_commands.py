"""Commands over a WebSocket."""

from typing import Any

import orjson
import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.routing import URLRouter

from workers import commands, sockets
from workers.access import WebSocketAccess
from workers.commands import Pause, Prioritise
from workers.messages import InvalidMessageError
from workers.models import ApiToken, Run
from workers.routing import websocket_urlpatterns

APPLICATION = WebSocketAccess(URLRouter(websocket_urlpatterns))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "text frames"),
        ("", "Invalid JSON"),
        ("{", "Invalid JSON"),
        ("[]", "should be an object"),
        ("{}", "discriminator"),
        ('{"type": "explode"}', "expected tags"),
        ('{"type": "stop", "why": 1}', "why: Extra inputs are not permitted"),
        ('{"type": "prioritise"}', "keys: Field required"),
        ('{"type": "prioritise", "keys": []}', "at least 1 item"),
        ('{"type": "prioritise", "keys": [1]}', "valid string"),
        ('{"type": "prioritise", "keys": ["' + "x" * 65 + '"]}', "at most 64"),
        ('{"type": "stop", "x": "' + "x" * 70_000 + '"}', "at most 65,536 bytes"),
    ],
)
def test_what_is_no_command_is_refused_with_a_reason(text: str | None, words: str) -> None:
    with pytest.raises(InvalidMessageError) as error:
        commands.parse(text)
    assert words in str(error.value)


def test_commands_are_told_apart_by_their_type() -> None:
    assert commands.parse('{"type": "pause"}') == Pause(type="pause")
    assert commands.parse('{"type": "prioritise", "keys": ["A"]}') == Prioritise(
        type="prioritise", keys=["A"]
    )


class Socket:
    """A client's end of `/ws/runs/{id}/`."""

    def __init__(self, run: Run, secret: str) -> None:
        headers = [(b"host", b"localhost"), (b"authorization", f"Bearer {secret}".encode())]
        scope = {"type": "websocket", "path": f"/ws/runs/{run.pk}/", "query_string": b"", "headers": headers}
        self._wire = ApplicationCommunicator(APPLICATION, {**scope, "subprotocols": []})

    async def open(self) -> None:
        await self._wire.send_input({"type": "websocket.connect"})
        assert (await self._wire.receive_output(30))["type"] == "websocket.accept"

    async def say(self, text: str) -> None:
        await self._wire.send_input({"type": "websocket.receive", "text": text})

    async def next(self, *kinds: str) -> dict[str, Any]:
        """The next message of one of these types."""
        while True:
            message = await self._wire.receive_output(30)
            body = orjson.loads(message["text"]) if message["type"] == "websocket.send" else message
            if body["type"] in kinds:
                return body

    async def close(self) -> None:
        await self._wire.send_input({"type": "websocket.disconnect", "code": 1000})
        await self._wire.wait()


@pytest.fixture
async def socket(count: Any, owner: Any) -> Any:
    run = await sync_to_async(count)(10)
    socket = Socket(run, await sync_to_async(ApiToken.issue)(owner=owner))
    await socket.open()
    yield socket
    await socket.close()


async def test_commands_are_carried_out_and_answered(socket: Socket) -> None:
    for kind, status in (("pause", "paused"), ("resume", "running"), ("stop", "stopped")):
        await socket.say(orjson.dumps({"type": kind}).decode())
        assert await socket.next("reply") == {"type": "reply", "to": kind, "status": status}
    assert (await Run.objects.aget()).status == "stopped"


async def test_a_malformed_command_is_answered_and_harms_nothing(socket: Socket) -> None:
    await socket.say("stop")
    assert "Invalid JSON" in (await socket.next("problem"))["detail"]
    await socket.say('{"type": "pause"}')
    assert (await socket.next("reply"))["status"] == "paused"


async def test_a_client_that_talks_too_fast_is_cut_off(
    socket: Socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "MESSAGES_PER_SECOND", 3)
    for _ in range(4):
        await socket.say("x")
    assert (await socket.next("websocket.close"))["code"] == 4429
