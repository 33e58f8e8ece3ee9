"""Nonsense over WebSockets: every message gets a clear answer, and nobody else notices.

`FUZZ_SEED=7 FUZZ_MESSAGES=20000 pytest tests/security/test_fuzz.py` looks for longer.
"""

import base64
import json
import os
import random
import socket
import string
from typing import Any

import orjson
import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import connect

from tests.faults.watchers import Watcher
from tests.security.conftest import Site, nothing_went_wrong
from workers.messages import MAX_MESSAGE_BYTES
from workers.sockets import MESSAGES_PER_SECOND

SEED = int(os.environ.get("FUZZ_SEED", "1"))
MESSAGES = int(os.environ.get("FUZZ_MESSAGES", "400"))
PER_SOCKET = MESSAGES_PER_SECOND - 1
CLOSED_FOR_A_REASON = {1000, 1003, 1007, 1009, 4400, 4404, 4429}

pytestmark = pytest.mark.timeout(120 + MESSAGES // 10)


def words(chosen: random.Random, length: int) -> str:
    """Letters of which some are no ASCII, and some no letters at all."""
    return "".join(chosen.choices(string.printable + "äßЖ漢🕯\x00\u2028\ufeff", k=length))


def value(chosen: random.Random, depth: int = 0) -> Any:
    """Any JSON value."""
    kind = chosen.randrange(9 if depth < 4 else 7)
    if kind == 7:
        return [value(chosen, depth + 1) for _ in range(chosen.randrange(5))]
    if kind == 8:
        return {words(chosen, 4): value(chosen, depth + 1) for _ in range(chosen.randrange(5))}
    number = chosen.choice([0, -1, 2**63, 10**30, 1e308, 0.1])
    return [None, True, number, words(chosen, 12), "", chosen.random(), "stop"][kind]


def nonsense(chosen: random.Random) -> str | bytes:
    """One message: almost a command, JSON of any kind, or no JSON at all."""
    kind = chosen.randrange(8)
    if kind == 0:
        return words(chosen, chosen.randrange(200))
    if kind == 1:
        return chosen.randbytes(chosen.randrange(100))
    if kind == 2:
        return "[" * chosen.choice([10, 1000, 60_000])
    if kind == 3:
        return chosen.choice(["NaN", "1e999", '"\\ud800"', "{", "\x00", '{"type":', " ", "9" * 5000])
    name = chosen.choice(["stop", "pause", "resume", "prioritise", "set", "explode", "", None, 1, []])
    body = {"type": name, words(chosen, 3): value(chosen)}  # one field too many for any command
    if kind == 4:
        body = {"type": "prioritise", "keys": value(chosen)}
    if kind == 5:
        body = {
            "type": "prioritise",
            "keys": [str(chosen.randrange(30)) for _ in range(chosen.randrange(1, 9))],
        }
    text = json.dumps(body)
    return text if kind < 7 else text[: chosen.randrange(len(text))]


def answers(site: Site, address: str, messages: list[str | bytes]) -> list[str]:
    """Say all this on one socket; the types of the answers, or at last the code of a close."""
    url = f"{site.stack.websocket_url}{address}"
    found: list[str] = []
    with connect(url, additional_headers=site.headers(), compression=None, max_size=None) as client:
        try:
            for message in messages:
                client.send(message)
            while len(found) < len(messages):
                kind = orjson.loads(client.recv(timeout=30))["type"]
                found += [kind] if kind in ("reply", "problem") else []
        except ConnectionClosed as closed:
            found.append(str(closed.rcvd.code if closed.rcvd else 1006))
    return found


@pytest.mark.parametrize("address", ["/ws/runs/{run}/", "/ws/prices/?symbols=BTCUSDT"])
def test_nonsense_is_answered_and_harms_nobody(site: Site, address: str) -> None:
    chosen = random.Random(SEED)
    run = site.paused_run()
    watcher = Watcher(site.stack, run, headers=site.headers())
    with nothing_went_wrong(site):
        for _ in range(MESSAGES // PER_SOCKET):
            said = [nonsense(chosen) for _ in range(PER_SOCKET)]
            last = answers(site, address.format(run=run), said)[-1]
            assert not last.isdigit() or int(last) in CLOSED_FOR_A_REASON, (SEED, said)
    site.resume(run)
    events = [orjson.loads(text) for text in watcher.wait()]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["status"] == "completed"


def raw(site: Site, *frames: bytes, path: str) -> bytes:
    """Open a WebSocket by hand, send bytes that no library would, and read until the server closes."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: 127.0.0.1:{site.stack.port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {key}",
        f"Authorization: Bearer {site.tokens['owner']}",
    ]
    with socket.create_connection(("127.0.0.1", site.stack.port), timeout=30) as client:
        client.sendall("\r\n".join([*lines, "", ""]).encode())
        said = client.recv(65536)
        try:
            client.sendall(b"".join(frames) + frame(8, (1000).to_bytes(2, "big")))
            while piece := client.recv(65536):
                said += piece
        except ConnectionResetError:
            pass
        return said


def frame(opcode: int, body: bytes, *, fin: bool = True, masked: bool = True) -> bytes:
    """A frame of RFC 6455, its mask all zeros."""
    head = bytes([(0x80 if fin else 0) | opcode])
    mark = 0x80 if masked else 0
    size = len(body)
    length = (
        bytes([mark | size])
        if size < 126
        else bytes([mark | 126]) + size.to_bytes(2, "big")
        if size < 65536
        else bytes([mark | 127]) + size.to_bytes(8, "big")
    )
    return head + length + (b"\0\0\0\0" if masked else b"") + body


@pytest.mark.parametrize(
    "frames",
    [
        [frame(1, b"\xff\xfe")],  # no UTF-8
        [frame(1, b"x" * (MAX_MESSAGE_BYTES + 1))],
        [frame(1, b"x" * 40_000, fin=False), frame(0, b"x" * 40_000)],  # too large in two pieces
        [frame(2, b"\0" * 100)],
        [frame(1, b"{}", masked=False)],
        [frame(3, b"")],  # an opcode that means nothing
        [frame(0, b"{}")],  # the rest of nothing
        [frame(9, b"x" * 126)],  # a ping that is too long
        [frame(8, b"\x00")],  # a close code of one byte
        [frame(8, (999).to_bytes(2, "big"))],
        [b"\xff" * 500],
        [frame(1, b"{", fin=False)],  # never finished
        [frame(9, b"ping")] * 300,
    ],
)
def test_broken_frames_harm_nobody(site: Site, frames: list[bytes]) -> None:
    before = len(site.log_of("web"))
    said = raw(site, *frames, path=f"/ws/runs/{site.long}/?after=999999")
    assert said.startswith(b"HTTP/1.1 101")
    new = site.log_of("web")[before:]
    assert "Exception in ASGI application" not in new, new
    with site.client() as client:
        assert client.get(f"/api/runs/{site.long}/").status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "/ws/runs/{run}/?after=-1",
        "/ws/runs/{run}/?after=" + "9" * 5000,
        "/ws/runs/{run}/?after=%FF%00",
        "/ws/runs/{run}/?ticket=" + "x" * 3000,
        "/ws/runs/not-a-run/",
        "/ws/runs/00000000-0000-0000-0000-000000000000/",
        "/ws/%2e%2e/%00/",
        "/ws/prices/?interval=x&symbols=" + ",".join(["X"] * 2000),
        "/",
    ],
)
def test_sockets_to_impossible_addresses_are_closed_with_a_reason(site: Site, address: str) -> None:
    with nothing_went_wrong(site):
        url = f"{site.stack.websocket_url}{address.format(run=site.long)}"
        try:
            with (
                connect(url, additional_headers=site.headers()) as client,
                pytest.raises(ConnectionClosed) as closed,
            ):
                client.recv(timeout=30)
        except InvalidHandshake:
            return  # refused before it was one
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code in (4400, 4401, 4404)
        assert closed.value.rcvd.reason
