"""A client of Candlestream's public API: what any program could do from outside."""

import json
import time
from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK, InvalidHandshake
from websockets.sync.client import connect

Json = dict[str, Any]

RECONNECTS = 20
RECONNECT_SECONDS = 0.5
REFUSALS = range(4400, 4500)


class ClientError(Exception):
    """The server refused a request or went away; the message is one sentence for the user."""


class Client:
    """One Candlestream server at a URL."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self.url = url.rstrip("/")
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        is_remote = urlsplit(self.url).hostname not in {"127.0.0.1", "localhost", "::1"}
        self.proxy: Literal[True] | None = True if is_remote else None
        self.http = httpx.Client(
            base_url=self.url, headers=self.headers, timeout=30, trust_env=is_remote, follow_redirects=True
        )

    def get(self, path: str) -> Any:
        """The JSON at a path."""
        return self._answer(self._request("GET", path))

    def post(self, path: str, body: Json) -> Any:
        """The JSON answer to a posted body."""
        return self._answer(self._request("POST", path, body))

    def _request(self, method: str, path: str, body: Json | None = None) -> httpx.Response:
        try:
            return self.http.request(method, path, json=body)
        except httpx.HTTPError as error:
            raise ClientError(f"{self.url} does not answer: {error}") from error

    def _answer(self, response: httpx.Response) -> Any:
        if response.is_success:
            return response.json()
        raise ClientError(_problem_text(response))

    def events(self, run: Json) -> Iterator[Json]:
        """Every event of a run, once each and in order, to the last; a broken connection is restored."""
        after, failures = 0, 0
        while failures <= RECONNECTS:
            try:
                for event in self._connection(run["links"]["websocket"], after):
                    after, failures = event["seq"], 0
                    yield event
            except (ConnectionClosed, InvalidHandshake, OSError) as error:
                _raise_if_refused(error)
                failures += 1
                time.sleep(RECONNECT_SECONDS)
            else:
                return
        raise ClientError(f"The connection to {self.url} broke and could not be restored.")

    def _connection(self, path: str, after: int) -> Iterator[Json]:
        address = f"{self.url.replace('http', 'ws', 1)}{path}?after={after}"
        with connect(address, additional_headers=self.headers, proxy=self.proxy, compression=None) as socket:
            try:
                while True:
                    yield json.loads(socket.recv())
            except ConnectionClosedOK:
                return


def _raise_if_refused(error: Exception) -> None:
    if isinstance(error, ConnectionClosed) and error.rcvd and error.rcvd.code in REFUSALS:
        raise ClientError(f"The server refused the connection: {error.rcvd.reason}.") from error


def _problem_text(response: httpx.Response) -> str:
    """What an `application/problem+json` answer says."""
    try:
        problem = response.json()
    except ValueError:
        return f"{response.request.url} answered {response.status_code}."
    return str(problem.get("detail") or problem.get("title") or response.status_code)
