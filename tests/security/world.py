"""Two users, one of whom owns something of every kind, and the ways in which somebody may come."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from backtests.models import SavedScan
from backtests.tests.runs.conftest import SYMBOLS, wavy_candles
from market_data.models import CandleSeries
from market_data.prices.models import Alert
from market_data.store import write_candles
from workers import execution, webhooks
from workers.models import ApiToken, Run

ACTORS = ("owner", "token", "staff", "other", "anonymous", "expired")
LET_IN = ("owner", "token", "staff")
"""Those who may see what the owner owns."""
BY_SESSION = ("owner", "staff", "other")
LOGGED_IN = (*LET_IN, "other")


@dataclass
class World:
    """What exists, and who."""

    users: dict[str, Any]
    secrets: dict[str, str]
    run: Run
    active: Run
    scan: Run
    saved: SavedScan
    imported: Run
    alert: Alert
    token: ApiToken
    series: CandleSeries

    def client(self, actor: str) -> Client:
        """The HTTP client of an actor; errors of the server are answers, not exceptions."""
        headers = {"authorization": f"Bearer {self.secrets[actor]}"} if actor in self.secrets else {}
        client = Client(headers=headers, raise_request_exception=False)
        if actor in self.users:
            client.force_login(self.users[actor])
        return client

    def arguments(self, route: str) -> dict[str, Any]:
        """What stands in a route's places: things of the owner's."""
        known = {
            "run_id": self.scan.pk if "scans/" in route else self.run.pk,
            "symbol": SYMBOLS[0],
            "alert_id": self.alert.pk,
            "pk": next(pk for word, pk in self.keys.items() if word in route) if "pk>" in route else None,
        }
        return {name: value for name, value in known.items() if f":{name}>" in route}

    @property
    def keys(self) -> dict[str, Any]:
        """What `pk` means at an address with a word in it."""
        return {
            "tokens/": self.token.pk,
            "series/": self.series.pk,
            "imports/": self.imported.pk,
            "saved-scans/": self.saved.pk,
        }

    def secret_words(self) -> list[str]:
        """What no stranger may read anywhere."""
        owned = (self.run, self.active, self.scan, self.imported, self.alert)
        return [*(str(each.pk) for each in owned), "a-private-token", "a-private-scan"]


def make_world() -> World:
    """A market, its users, and an ended and a running backtest of one of them."""
    for number, symbol in enumerate(SYMBOLS):
        write_candles(symbol=symbol, source="test", interval="1h", candles=wavy_candles(300, phase=number))
    users = {
        "owner": User.objects.create_user("owner"),
        "other": User.objects.create_user("other"),
        "staff": User.objects.create_user("staff", is_staff=True, is_superuser=True),
    }
    secrets = {name: ApiToken.issue(owner=users["owner"], name=name) for name in ("token", "expired")}
    ApiToken.objects.filter(name="expired").update(expires_at=timezone.now() - timedelta(seconds=1))
    ApiToken.issue(owner=users["owner"], name="a-private-token")
    run = _ended(_started(users["owner"], "/api/backtests/"))
    webhooks.queue(owner=users["owner"], url="https://hooks.example/", event="run.ended", body={}, run=run)
    alert = Alert.objects.create(
        owner=users["owner"], symbol=SYMBOLS[0], kind="crosses", direction="up", price=1
    )
    return World(
        users=users,
        secrets=secrets,
        run=run,
        active=_started(users["owner"], "/api/backtests/"),
        scan=_ended(_started(users["owner"], "/api/scans/")),
        saved=SavedScan.objects.create(
            owner=users["owner"],
            name="a-private-scan",
            request={"strategy": "rsi", "source": "test", "interval": "1h"},
        ),
        imported=Run.objects.create(
            owner=users["owner"], kind="import", spec={}, total=0, status="completed", ended_at=timezone.now()
        ),
        alert=alert,
        token=ApiToken.objects.get(name="a-private-token"),
        series=CandleSeries.objects.all()[0],
    )


def _started(owner: Any, path: str) -> Run:
    client = Client()
    client.force_login(owner)
    body = {"strategy": "rsi", "parameters": {"period": 5 + Run.objects.count()}}
    started = client.post(path, body, content_type="application/json")
    assert started.status_code == 202, started.content
    return Run.objects.get(pk=started.json()["id"])


def _ended(run: Run) -> Run:
    """Do what workers would: nothing is sent to them before a test's transaction is committed."""
    while jobs := list(run.jobs.filter(status="dispatched").values_list("pk", flat=True)):
        for job in jobs:
            execution.execute_job(job_id=job)
    return run
