"""A client that asks for much and reads nothing is cut off, and nobody else notices."""

import base64
import os
import socket
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

import httpx
import psutil
import pytest
from websockets.sync.client import connect

from tests.faults.checks import wait_for
from tests.security.conftest import Site, nothing_went_wrong
from tests.security.populate import MANY

CUT_OFF_SECONDS = 30
LITTLE = 4096


def websocket_request(site: Site) -> str:
    key = base64.b64encode(os.urandom(16)).decode()
    return f"GET /ws/runs/{site.long}/ HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"  # noqa: E501


def stream_request(site: Site) -> str:
    return f"GET /api/runs/{site.long}/stream/ HTTP/1.1\r\n"


@contextmanager
def silent_client(site: Site, request: str) -> Generator[int]:
    """Send a request, read the first bytes of its answer and nothing more; the client's port."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LITTLE)
        client.connect(("127.0.0.1", site.stack.port))
        port = client.getsockname()[1]
        wait_for(lambda: holds(site, port), CUT_OFF_SECONDS, "the server to take the connection")
        host = f"Host: 127.0.0.1:{site.stack.port}\r\n"
        token = f"Authorization: Bearer {site.tokens['owner']}\r\n\r\n"
        client.sendall(f"{request}{host}{token}".encode())
        assert client.recv(12) in (b"HTTP/1.1 101", b"HTTP/1.1 200")
        yield port


def holds(site: Site, port: int) -> bool:
    """Whether the web server still has the connection of a client."""
    assert site.stack.web is not None
    connections = psutil.Process(site.stack.web.process.pid).net_connections("tcp")
    return any(one.raddr and one.raddr.port == port for one in connections)


@pytest.mark.parametrize("request_of", [websocket_request, stream_request])
def test_a_client_that_reads_nothing_is_cut_off_without_harm_to_others(
    site: Site, request_of: Callable[[Site], str]
) -> None:
    before = len(site.log_of("web"))
    with nothing_went_wrong(site), silent_client(site, request_of(site)) as port:
        seen = follow_all(site)
        wait_for(lambda: not holds(site, port), CUT_OFF_SECONDS, "the end of the connection")
    assert seen == [MANY + 2, MANY + 2]
    assert "cut off a client that reads nothing" in site.log_of("web")[before:]


def follow_all(site: Site) -> list[int]:
    """How many events a reader of either kind gets meanwhile."""
    url = f"{site.stack.websocket_url}/ws/runs/{site.long}/"
    with connect(url, additional_headers=site.headers(), compression=None) as reader:
        over_socket = sum(1 for _ in reader)
    with site.client() as client, client.stream("GET", f"/api/runs/{site.long}/stream/") as answer:
        over_stream = sum(line.startswith("data: ") for line in answer.iter_lines())
    return [over_socket, over_stream]


def test_one_that_reads_slowly_but_reads_gets_all(site: Site) -> None:
    with site.client() as client, client.stream("GET", f"/api/runs/{site.long}/stream/") as answer:
        assert answer.status_code == httpx.codes.OK
        body = b""
        for piece in answer.iter_raw(chunk_size=256 * 1024):
            body += piece
            time.sleep(0.1)
    assert body.count(b"data: ") == MANY + 2
