"""The deployment as shipped: nginx in front of web, two workers and the scheduler, on PostgreSQL."""

import json
import re
import socket
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from http.client import HTTPResponse
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from config import processes
from config.processes import Child
from tests.compose.topology import COMPOSE, INTERPOLATION, ROOT, Topology, start_nginx
from tests.faults.checks import wait_for
from tests.servers import private_folder

pytestmark = pytest.mark.timeout(400)
STREAM_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def events_of(site: Topology, token: str, path: str) -> list[dict[str, Any]]:
    """Every event of a run over a WebSocket, to the normal close."""
    address = f"{site.url.replace('http', 'ws')}{path}"
    with connect(
        address, additional_headers={"Authorization": f"Bearer {token}"}, proxy=None, open_timeout=60
    ) as socket:
        events = [json.loads(message) for message in socket]
        assert socket.close_code == 1000
    return events


def test_a_market_runs_through_nginx_to_the_last_event(site: Topology, client: httpx.Client, token: str):
    answer = client.post("/api/backtests/", json={"strategy": "rsi"})
    assert answer.status_code == 202, answer.text
    run = answer.json()
    assert answer.headers["Location"] == run["links"]["self"]
    events = events_of(site, token, run["links"]["websocket"])
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["type"] == "complete"
    assert sorted({event["key"] for event in events if event["type"] == "result"}) == sorted(
        row[0] for row in site.query("SELECT symbol FROM market_data_cryptocurrency")
    )
    assert client.get(run["links"]["results"]).json()["count"] == 12
    assert client.get(run["links"]["self"]).json()["status"] == "completed"


def test_server_sent_events_come_through_nginx_while_the_run_is_paused(site: Topology, client: httpx.Client):
    request = {"strategy": "rsi", "parameters": {"period": 21}, "max_parallel": 1}
    run = client.post("/api/backtests/", json=request).json()
    client.post(f"{run['links']['self']}pause/").raise_for_status()
    with client.stream("GET", f"{run['links']['self']}stream/") as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        events = sent_events(answer)
        assert next(events)["type"] == "start"  # the run can't end before it is resumed
        client.post(f"{run['links']['self']}resume/").raise_for_status()
        rest = list(events)
    assert [event["seq"] for event in rest] == list(range(2, len(rest) + 2))
    assert sum(event["type"] == "result" for event in rest) == 12
    assert rest[-1]["type"] == "complete"


def sent_events(answer: httpx.Response) -> Iterator[dict[str, Any]]:
    """The events of a stream as they come."""
    for line in answer.iter_lines():
        if line.startswith("data:"):
            yield json.loads(line.removeprefix("data:"))


def test_replayed_prices_of_the_market_come_through_nginx(client: httpx.Client):
    def shown() -> list[tuple[str, bool, bool]]:
        prices = client.get("/api/prices/").json()["prices"]
        return [(price["source"], price["is_replay"], price["stale"]) for price in prices]

    wait_for(lambda: shown() == [("replay", True, False)] * 12, 60, "fresh prices of all")


def test_a_file_of_candles_larger_than_the_limit_of_requests_can_be_uploaded(
    site: Topology, client: httpx.Client, token: str
):
    prices = "1.00000001,2.00000002,0.50000003,1.50000004,500000.12345"
    rows = [f"{1_699_999_200 + 3600 * hour},{prices}" for hour in range(30_000)]
    content = "\n".join(["datetime,open,high,low,close,volume", *rows]).encode()
    assert len(content) > 1_500_000
    answer = client.post("/api/imports/", files={"file": ("ABCUSDT.csv", content)}, data={"dry_run": "true"})
    assert answer.status_code == 202, answer.text
    events = events_of(site, token, answer.json()["links"]["websocket"])
    assert [event["type"] for event in events if event["type"] != "progress"] == [
        "start",
        "result",
        "complete",
    ]
    assert events[-1]["summary"]["candle_count"] == 30_000
    assert client.get(answer.json()["links"]["imported"]).json()[0]["symbol"] == "ABCUSDT"


@pytest.mark.parametrize(("who", "code"), [("a stranger", 401), ("a user who is no staff", 403)])
def test_who_may_not_import_is_told_before_the_file_is_read(
    site: Topology, tokens: dict[str, str], who: str, code: int
):
    headers = {"Content-Type": "multipart/form-data; boundary=x", "Content-Length": str(10**9)}
    if code == 403:
        headers["Authorization"] = f"Bearer {tokens['eve']}"
    with socket.create_connection(("127.0.0.1", site.site_port), timeout=60) as connection:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        connection.sendall(f"POST /api/imports/ HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n".encode())
        answer = HTTPResponse(connection)  # not one byte of the gigabyte has been sent
        answer.begin()
        problem = json.load(answer)
    assert (answer.status, answer.headers["Content-Type"]) == (code, "application/problem+json")
    assert problem["detail"] == "Only staff may import candles."


def test_all_workers_report_for_work(site: Topology):
    fresh = "SELECT queues FROM workers_worker WHERE seen_at > now() - interval '5 s'"

    def served() -> list[list[str]]:
        return sorted(row[0] if isinstance(row[0], list) else json.loads(row[0]) for row in site.query(fresh))

    expected = [["downloads"], ["first", "jobs"], ["first", "jobs"]]
    wait_for(lambda: served() == expected, 60, f"{expected}")


def test_a_stranger_gets_no_data(site: Topology):
    answer = httpx.get(f"{site.url}/api/runs/", timeout=30)
    assert answer.status_code == 401
    assert answer.headers["Content-Type"].startswith("application/problem+json")


def test_the_page_asks_strangers_to_log_in(site: Topology):
    answer = httpx.get(f"{site.url}/", follow_redirects=True, timeout=30)
    assert answer.status_code == 200
    assert "password" in answer.text


def test_a_body_over_the_limit_is_answered_with_a_problem(site: Topology, client: httpx.Client):
    answer = client.post("/api/backtests/", json={"strategy": "rsi", "symbols": ["X" * 1_100_000]})
    assert answer.status_code == 413
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == 413


@pytest.mark.parametrize(
    ("path", "caching"),
    [("app.js", "no-cache"), ("chunks/chart-4f3a.js", "public, max-age=31536000, immutable")],
)
def test_nginx_serves_static_files_and_says_how_long_to_keep_them(site: Topology, path: str, caching: str):
    file = site.folder / "www" / "static" / "build" / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("export const answer = 42;")
    answer = httpx.get(f"{site.url}/static/build/{path}", timeout=30)
    assert answer.text == "export const answer = 42;"
    assert answer.headers["Cache-Control"] == caching
    assert answer.headers["Server"] == "nginx"


def test_the_web_services_own_health_check_passes(site: Topology):
    kind, *words = COMPOSE["services"]["web"]["healthcheck"]["test"]
    assert kind == "CMD"
    site.run(*(word.replace(":8000/", f":{site.web_port}/") for word in words))


def test_nginx_says_it_is_alive(site: Topology):
    assert httpx.get(f"{site.url}/nginx/alive", timeout=30).text == "alive\n"


@contextmanager
def nginx_before(upstream_port: int) -> Generator[int]:
    """The shipped nginx in front of another web server; its port."""
    children: list[Child] = []
    with private_folder() as folder:
        port = processes.free_port()
        try:
            start_nginx(folder, site_port=port, web_port=upstream_port, keep=children)
            yield port
        finally:
            processes.end(children)


def test_nginx_passes_a_stream_on_piece_by_piece(nginx_required: None):
    pieces = [f"id: {number}\n\n".encode() for number in range(4)]
    seen = threading.Semaphore(1)

    def stream_each_piece_after_the_one_before_was_seen(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(STREAM_HEAD)
            for piece in pieces:
                assert seen.acquire(timeout=60)
                connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
            connection.sendall(b"0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        upstream = threading.Thread(target=stream_each_piece_after_the_one_before_was_seen, args=(server,))
        upstream.start()
        with nginx_before(server.getsockname()[1]) as port:
            address = f"http://127.0.0.1:{port}/api/runs/1/stream/"
            with httpx.stream("GET", address, headers={"Accept-Encoding": "gzip"}, timeout=60) as answer:
                received = answer.iter_raw()
                for piece in pieces:
                    assert next(received) == piece  # the next one is not even written yet
                    seen.release()
        upstream.join(10)


def test_without_a_web_process_the_answer_is_a_problem_that_says_so(nginx_required: None):
    with nginx_before(processes.free_port()) as port:
        answer = httpx.get(f"http://127.0.0.1:{port}/api/runs/", timeout=30)
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == 503
    assert answer.headers["Retry-After"] == "2"


def test_every_variable_of_the_compose_file_is_explained_in_the_example():
    names = {match[0] for match in INTERPOLATION.findall((ROOT / "docker-compose.yml").read_text())}
    explained = re.findall(r"^#?(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert names == set(explained)
