"""Clients that everybody has follow a run as they are, without a word of code for this server."""

import asyncio
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import orjson
import pytest
import requests
import websockets

from tests.security.conftest import Site

EVENTS = 22
"""Of a run of 20 jobs, besides the two of its pause and its resumption."""


def of_lines(lines: Any) -> list[str]:
    """The data of server-sent events, line by line."""
    return [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]


def with_httpx(site: Site, run: str) -> list[str]:
    with httpx.stream(
        "GET", f"{site.stack.url}/api/runs/{run}/stream/", headers=site.headers(), timeout=30
    ) as answer:
        return of_lines(answer.iter_lines())


def with_requests(site: Site, run: str) -> list[str]:
    url = f"{site.stack.url}/api/runs/{run}/stream/"
    with requests.get(url, headers=site.headers(), stream=True, timeout=30) as answer:
        return of_lines(answer.iter_lines(decode_unicode=True))


def with_curl(site: Site, run: str) -> list[str]:
    url = f"{site.stack.url}/api/runs/{run}/stream/"
    command = ["curl", "-sN", "-H", f"Authorization: Bearer {site.tokens['owner']}", url]
    return of_lines(
        subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()
    )


def with_websockets(site: Site, run: str) -> list[str]:
    async def follow() -> list[str]:
        url = f"{site.stack.websocket_url}/ws/runs/{run}/"
        async with websockets.connect(url, additional_headers=site.headers()) as socket:
            return [str(text) async for text in socket]

    return asyncio.run(follow())


def with_websockets_from_the_shell(site: Site, run: str) -> list[str]:
    """`python -m websockets`, with a ticket as it knows no headers."""
    with site.client() as client:
        ticket = client.post("/api/tickets/").json()["ticket"]
    url = f"{site.stack.websocket_url}/ws/runs/{run}/?ticket={ticket}"
    process = subprocess.Popen(
        [sys.executable, "-m", "websockets", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    found: list[str] = []
    for line in process.stdout:
        found += [line[line.index("{") : line.rindex("}") + 1]] if '{"seq"' in line else []
        if '"type":"complete"' in line:
            break
    process.kill()
    process.communicate()
    return found


def with_polls(site: Site, run: str) -> list[str]:
    found: list[str] = []
    with site.client() as client:
        while True:
            page = client.get(f"/api/runs/{run}/events/", params={"after": len(found), "wait": 5}).json()
            found += [orjson.dumps(event).decode() for event in page["events"]]
            if page["ended"] and len(found) == page["last_seq"]:
                return found


CLIENTS: list[Callable[[Site, str], list[str]]] = [
    with_httpx, with_requests, with_curl, with_websockets, with_websockets_from_the_shell, with_polls,
]  # fmt: skip


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_every_client_sees_the_same_events(site: Site) -> None:
    run = site.paused_run()
    with ThreadPoolExecutor(len(CLIENTS)) as pool:
        following = [pool.submit(client, site, run) for client in CLIENTS]
        time.sleep(1)  # they see the beginning from the table and the rest as it happens
        site.resume(run)
        seen = [[orjson.loads(text) for text in one.result(60)] for one in following]
    assert [event["seq"] for event in seen[0]] == list(range(1, EVENTS + 3))
    for client, events in zip(CLIENTS, seen, strict=True):
        assert events == seen[0], client.__name__


def test_a_stream_goes_on_after_the_last_event_that_was_seen(site: Site) -> None:
    headers = {**site.headers(), "Last-Event-ID": "11999"}
    with httpx.stream(
        "GET", f"{site.stack.url}/api/runs/{site.long}/stream/", headers=headers, timeout=30
    ) as answer:
        assert [orjson.loads(text)["seq"] for text in of_lines(answer.iter_lines())] == [12000, 12001, 12002]
    headers["Last-Event-ID"] = "12002"
    assert (
        httpx.get(f"{site.stack.url}/api/runs/{site.long}/stream/", headers=headers, timeout=30).status_code
        == 204
    )


def test_a_request_that_starts_a_run_and_follows_it_needs_no_more_than_lines(site: Site) -> None:
    url = f"{site.stack.url}/api/backtests/stream/"
    answer = requests.post(url, json={"strategy": "nothing"}, headers=site.headers(), timeout=30)
    assert (answer.status_code, answer.headers["Content-Type"]) == (400, "application/problem+json")
    assert requests.post(url, json={}, timeout=30).status_code == 401
