"""Webhooks and e-mails about the end of a run: signed, retried, and never to a private address."""

import base64
import contextlib
import hashlib
import hmac
import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from rest_framework.test import APIClient

from workers import control, deliveries, sweeper, webhooks
from workers.models import Delivery, Run
from workers.runs import RunOptions
from workers.tests.broker import Published


class Receiver(ThreadingHTTPServer):
    """A server that keeps what it gets, and answers with the next of its `codes`, or with 200."""

    daemon_threads = True

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str], str]] = []
        self.codes: list[int] = []
        self.server_names: list[str | None] = []
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver  # pyright: ignore[reportIncompatibleVariableOverride]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.got.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        code = self.server.codes.pop(0) if self.server.codes else 200
        self.send_response(code)
        if code == 302:
            self.send_header("Location", self.server.url + "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- its name in the base class
        """Tests are quiet."""


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    settings.WEBHOOKS_ALLOW_PRIVATE = True
    with Receiver() as server:
        yield server
        server.shutdown()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What each made-up name stands for; a name with several takes the next one at each look-up."""
    known: dict[str, list[str]] = {}
    really = socket.getaddrinfo

    def look_up(host: str, *args: Any, **kwargs: Any) -> Any:
        if host in known:
            host = known[host].pop(0) if len(known[host]) > 1 else known[host][0]
        elif host.endswith(".example"):
            raise socket.gaierror("no such name")
        return really(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


def due_now() -> None:
    Delivery.objects.filter(status="waiting").update(due_at=timezone.now())


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "begins with https"),
        ("example.com/hook", "begins with https"),
        ("ftp://example.com/", "begins with https"),
        ("file:///etc/passwd", "begins with https"),
        ("http:///path", "begins with https"),
        ("https://me:secret@example.com/", "user name or password"),
        ("https://example.com:99999/", "from 1 to 65535"),
        ("https://exa\x00mple.com/", "non-printable"),
        ("https://example.com/" + "x" * 2000, "at most 2,000"),
        ("https://nowhere.example/", "no host"),
        ("https://" + "a" * 80 + ".example/", "no host"),
        ("http://localhost/", "not a public"),
        ("http://127.0.0.1:8000/", "not a public"),
        ("http://127.1/", "not a public"),
        ("http://2130706433/", "not a public"),
        ("http://0x7f.0.0.1/", "not a public"),
        ("http://0.0.0.0/", "not a public"),
        ("http://10.1.2.3/", "not a public"),
        ("http://172.16.0.1/", "not a public"),
        ("http://192.168.1.1/", "not a public"),
        ("http://100.100.100.200/", "not a public"),
        ("http://169.254.169.254/latest/meta-data/", "not a public"),
        ("http://168.63.129.16/", "not a public"),
        ("http://224.0.0.1/", "not a public"),
        ("http://255.255.255.255/", "not a public"),
        ("http://[::1]/", "not a public"),
        ("http://[::]/", "not a public"),
        ("http://[fe80::1]/", "not a public"),
        ("http://[fd00:ec2::254]/", "not a public"),
        ("http://[ff0e::1]/", "not a public"),
        ("http://[::ffff:10.0.0.1]/", "not a public"),
        ("http://[64:ff9b::a9fe:a9fe]/", "not a public"),
        ("http://[2002:7f00:1::]/", "not a public"),
        ("http://inside.example/", "not a public"),
        ("http://both.example/", "not a public"),
    ],
)
def test_an_address_that_is_none_or_private_is_refused(
    url: str, words: str, names: dict[str, list[str]]
) -> None:
    names["inside.example"] = ["10.0.0.1"]
    names["both.example"] = ["::ffff:10.0.0.1"]
    with pytest.raises(ValueError, match=words):
        webhooks.check_address(url)


@pytest.mark.parametrize(
    "url", ["https://hooks.example/x?y=1", "http://8.8.8.8:8080/", "https://bücher.example"]
)
def test_a_public_address_is_accepted(url: str, names: dict[str, list[str]]) -> None:
    names["hooks.example"] = names["xn--bcher-kva.example"] = ["93.184.215.14"]
    webhooks.check_address(url)


def test_the_end_of_a_run_is_told_with_a_signature_that_can_be_checked(
    count: Any, owner: Any, published: Published, receiver: Receiver
) -> None:
    run = count(2, options=RunOptions(notify={"webhook": receiver.url}))
    assert not Delivery.objects.exists()
    published.execute_all()
    assert deliveries.send_batch() == 1

    delivery = Delivery.objects.get()
    ((path, headers, body),) = receiver.got
    assert (path, delivery.status, delivery.answer) == ("/hook", "delivered", "HTTP 200")
    message = json.loads(body)
    assert message["type"] == "run.ended"
    assert (message["data"]["run"], message["data"]["status"]) == (str(run.pk), "completed")
    assert message["data"]["summary"] == {"sum": 1}

    client = APIClient()
    client.force_authenticate(owner)
    secret = client.get("/api/webhooks/").json()["secret"]
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body}".encode()
    expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    is_genuine = _documented_check()
    assert is_genuine(secret, headers, body.encode())
    assert not is_genuine(secret, headers, body.replace("completed", "stopped").encode())
    (shown,) = client.get(f"/api/runs/{run.pk}/deliveries/").json()
    assert (shown["id"], shown["status"], shown["attempts"]) == (headers["webhook-id"], "delivered", 1)


def _documented_check() -> Any:
    """The check that the guide tells receivers to make."""
    guide = (Path(__file__).parents[2] / "docs" / "guides" / "security.md").read_text()
    names: dict[str, Any] = {}
    exec(guide.split("To check one without a library:\n\n```python\n")[1].split("```")[0], names)
    return names["is_genuine"]


@pytest.mark.parametrize("way", ["stopped", "timed out", "known already"])
def test_every_end_of_a_run_is_told(way: str, count: Any) -> None:
    options = RunOptions(notify={"webhook": "https://hooks.example/"}, timeout_seconds=3600)
    run = count(2, options=options, known=["0", "1"] if way == "known already" else [])
    if way == "stopped":
        control.stop_run(run_id=run.pk)
    elif way == "timed out":
        Run.objects.update(created_at=timezone.now() - timedelta(hours=2))
        sweeper.sweep()
    run.refresh_from_db()
    assert run.has_ended
    assert Delivery.objects.get().run_id == run.pk


def test_secrets_differ_between_users() -> None:
    assert webhooks.secret_of(1) == webhooks.secret_of(1) != webhooks.secret_of(2)


def queue(owner: Any, url: str) -> Delivery:
    webhooks.queue(owner=owner, url=url, event="test", body={})
    return Delivery.objects.get()


def test_a_webhook_is_tried_again_with_the_same_id_until_it_arrives(owner: Any, receiver: Receiver) -> None:
    receiver.codes = [500, 503, 204]
    delivery = queue(owner, receiver.url)
    for attempts, state in ((1, "waiting"), (2, "waiting"), (3, "delivered")):
        assert deliveries.send_batch() == 1
        assert deliveries.send_batch() == 0, "it has to wait"
        delivery.refresh_from_db()
        assert (delivery.attempts, delivery.status) == (attempts, state)
        due_now()
    assert {headers["webhook-id"] for _, headers, _ in receiver.got} == {str(delivery.pk)}


def test_a_webhook_that_never_arrives_fails_in_the_end(owner: Any, receiver: Receiver) -> None:
    receiver.codes = [500] * 10
    delivery = queue(owner, receiver.url)
    for _ in range(10):
        deliveries.send_batch()
        due_now()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts, delivery.answer) == ("failed", 6, "HTTP 500")
    assert delivery.ended_at is not None


def test_a_receiver_that_is_gone_for_good_is_believed(owner: Any, receiver: Receiver) -> None:
    receiver.codes = [410]
    delivery = queue(owner, receiver.url)
    deliveries.send_batch()
    delivery.refresh_from_db()
    assert delivery.status == "failed"


def test_redirects_are_not_followed(owner: Any, receiver: Receiver) -> None:
    receiver.codes = [302]
    delivery = queue(owner, receiver.url)
    deliveries.send_batch()
    delivery.refresh_from_db()
    assert (delivery.status, "redirects are not followed" in delivery.answer) == ("waiting", True)
    assert [path for path, *_ in receiver.got] == ["/hook"]


def test_an_address_that_has_become_private_is_not_connected_to(
    owner: Any, receiver: Receiver, settings: Any, names: dict[str, list[str]]
) -> None:
    settings.WEBHOOKS_ALLOW_PRIVATE = False
    names["rebound.example"] = ["93.184.215.14", "127.0.0.1"]
    url = f"http://rebound.example:{receiver.server_port}/"
    webhooks.check_address(url)
    delivery = queue(owner, url)
    deliveries.send_batch()
    delivery.refresh_from_db()
    assert (delivery.status, receiver.got) == ("failed", [])
    assert "127.0.0.1, which is not a public address" in delivery.answer


def test_a_name_is_looked_up_once_for_the_check_and_the_connection(
    owner: Any, receiver: Receiver, names: dict[str, list[str]]
) -> None:
    names["hooks.example"] = ["127.0.0.1", "192.0.2.1"]
    queue(owner, f"http://hooks.example:{receiver.server_port}/hook")
    deliveries.send_batch()
    ((_, headers, _),) = receiver.got
    assert headers["host"] == f"hooks.example:{receiver.server_port}"


def test_tls_is_spoken_with_the_name_and_checked_against_it(
    owner: Any,
    receiver: Receiver,
    names: dict[str, list[str]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names["hooks.example"] = names["others.example"] = ["127.0.0.1"]
    _make_certificate(tmp_path, "hooks.example")
    monkeypatch.setattr(
        webhooks, "_certificates", lambda: ssl.create_default_context(cafile=tmp_path / "cert")
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert", tmp_path / "key")
    context.sni_callback = lambda _, name, __: receiver.server_names.append(name)
    receiver.socket = context.wrap_socket(receiver.socket, server_side=True)
    for host in ("hooks", "others"):
        webhooks.queue(
            owner=owner, url=f"https://{host}.example:{receiver.server_port}/", event="test", body={}
        )
    deliveries.send_batch()
    found = {delivery.address.split("/")[2].split(".")[0]: delivery for delivery in Delivery.objects.all()}
    assert sorted(map(str, receiver.server_names)) == ["hooks.example", "others.example"]
    assert (found["hooks"].status, found["others"].status) == ("delivered", "waiting")
    assert "CERTIFICATE_VERIFY_FAILED" in found["others"].answer
    assert len(receiver.got) == 1


def _make_certificate(folder: Path, name: str) -> None:
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    words = [*command.split(), "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    files = ["-keyout", str(folder / "key"), "-out", str(folder / "cert")]
    subprocess.run([*words, *files], check=True, capture_output=True)


def test_a_receiver_that_keeps_silent_or_talks_slowly_is_left(
    owner: Any, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "ATTEMPT_SECONDS", 2.0)
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.create_server(("127.0.0.1", 0)) as slow:
        threading.Thread(target=_answer_drop_by_drop, args=(slow,), daemon=True).start()
        for server in (silent, slow):
            port = server.getsockname()[1]
            webhooks.queue(owner=owner, url=f"http://127.0.0.1:{port}/", event="test", body={})
        webhooks.queue(owner=owner, url=receiver.url, event="test", body={})
        deliveries.send_batch()
    states = sorted(Delivery.objects.values_list("status", flat=True))
    assert states == ["delivered", "waiting", "waiting"]


def _answer_drop_by_drop(server: socket.socket) -> None:
    """A good answer in the end, each byte of it well before any time-out of a single read."""
    client, _ = server.accept()
    with client, contextlib.suppress(OSError):
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n":
            client.sendall(bytes([byte]))
            time.sleep(0.1)


def test_the_environments_proxies_are_not_asked(
    owner: Any, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9/")
    queue(owner, receiver.url)
    deliveries.send_batch()
    assert len(receiver.got) == 1


def test_what_a_dead_sender_had_claimed_is_sent_later(owner: Any, receiver: Receiver) -> None:
    delivery = queue(owner, receiver.url)
    assert deliveries._claim(delivery.pk)
    assert not deliveries._claim(delivery.pk), "two schedulers send it once"
    assert deliveries.send_batch() == 0
    Delivery.objects.update(due_at=timezone.now())
    assert deliveries.send_batch() == 1


def test_one_users_many_webhooks_leave_room_for_anothers(
    owner: Any, django_user_model: Any, receiver: Receiver
) -> None:
    for _ in range(deliveries.BATCH_PER_USER + 5):
        webhooks.queue(owner=owner, url=receiver.url, event="many", body={})
    webhooks.queue(
        owner=django_user_model.objects.create(username="b"), url=receiver.url, event="one", body={}
    )
    deliveries.send_batch()
    assert sorted(json.loads(body)["type"] for *_, body in receiver.got) == [
        *["many"] * deliveries.BATCH_PER_USER,
        "one",
    ]


def test_waiting_and_ended_deliveries_are_bounded(owner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "MAX_WAITING", 3)
    for _ in range(5):
        webhooks.queue(owner=owner, url="https://hooks.example/", event="test", body={})
    assert Delivery.objects.count() == 3
    old = timezone.now() - timedelta(days=8)
    Delivery.objects.filter(pk=Delivery.objects.all()[0].pk).update(ended_at=old, status="failed")
    deliveries.prune()
    assert Delivery.objects.count() == 2


def test_an_email_is_sent_to_the_owner(count: Any, owner: Any, published: Published, settings: Any) -> None:
    settings.SITE_URL = "https://candles.example"
    owner.email = "trader@example.com"
    owner.save()
    run = count(2, options=RunOptions(notify={"email": True}))
    published.execute_all()
    deliveries.send_batch()
    (letter,) = mail.outbox
    assert (letter.to, letter.subject) == (["trader@example.com"], "Your count is completed (finished)")
    assert f"https://candles.example/runs/{run.pk}/" in letter.body
    assert Delivery.objects.get().status == "delivered"


def test_the_schedulers_step_sends_without_being_held_up(owner: Any, receiver: Receiver) -> None:
    delivery = queue(owner, receiver.url)
    deliveries.send_due()
    assert deliveries._thread is not None
    deliveries._thread.join(30)
    delivery.refresh_from_db()
    assert delivery.status == "delivered"


@pytest.fixture
def post(owner: Any) -> Any:
    client = APIClient()
    client.force_authenticate(owner)
    return lambda notify: client.post("/api/backtests/", {"strategy": "rsi", "notify": notify}, format="json")


@pytest.mark.parametrize(
    ("notify", "field"),
    [
        ({"webhook": "http://127.0.0.1/"}, "notify.webhook"),
        ({"webhook": 7}, "notify.webhook"),
        ({"webhook": "x" * 2001}, "notify.webhook"),
        ({"email": True}, "notify.email"),
        ({"email": "perhaps"}, "notify.email"),
        ("me", "notify"),
    ],
)
def test_a_request_with_a_bad_notification_is_refused_by_field(post: Any, notify: Any, field: str) -> None:
    response = post(notify)
    assert response.status_code == 400
    assert field in response.json()["errors"]
    assert not Run.objects.exists()


def test_a_server_without_mail_says_so(post: Any, owner: Any, settings: Any) -> None:
    owner.email = "trader@example.com"
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    assert "EMAIL_URL" in post({"email": True}).json()["errors"]["notify.email"][0]
