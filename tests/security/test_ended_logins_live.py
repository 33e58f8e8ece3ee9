"""A login ends: what it has opened at a real server ends with it."""

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.security.conftest import Site


def test_a_real_server_ends_what_a_deleted_token_opened(site: Site) -> None:
    path, login = f"/runs/{site.paused_run()}/", site.headers("brief")
    with (
        connect(f"{site.stack.websocket_url}/ws{path}", additional_headers=login) as socket,
        connect(f"{site.stack.websocket_url}/ws{path}", additional_headers=site.headers()) as other,
        httpx.stream("GET", f"{site.stack.url}/api{path}stream/", headers=login, timeout=30) as stream,
    ):
        first = socket.recv(timeout=30)
        assert other.recv(timeout=30) == first
        delete_token(site, "brief")
        assert sum(line.startswith("data: ") for line in stream.iter_lines()) == 2
        socket.recv(timeout=30)  # the second and last event of a run that pauses
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=30)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401
        other.ping().wait(5)
    assert httpx.get(f"{site.stack.url}/api{path}stream/", headers=login, timeout=30).status_code == 401


def delete_token(site: Site, name: str) -> None:
    """Let the owner of a token delete it."""
    with site.client() as client:
        (token,) = [one for one in client.get("/api/tokens/").json() if one["name"] == name]
        client.delete(f"/api/tokens/{token['id']}/").raise_for_status()
