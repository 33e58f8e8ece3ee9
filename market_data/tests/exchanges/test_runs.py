"""Downloads as runs: planned, executed job by job, summarised, started by the clock."""

from datetime import timedelta
from io import StringIO
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from market_data import store
from market_data.exchanges import handler, schedule
from market_data.intervals import HOUR_MS
from market_data.models import CandleSeries, DownloadSchedule
from market_data.tests.candle_maker import START_MS, make_candles, same
from market_data.tests.exchanges.server import Exchange
from workers import control, execution, reporting
from workers.models import Run

pytestmark = pytest.mark.django_db(transaction=True)
FOREVER_MS = 4_000_000_000_000
HOURS = 1500
MARKET = {f"{coin}USDT": make_candles(HOURS, seed=number) for number, coin in enumerate("ABC")}


@pytest.fixture(autouse=True)
def _market(server: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reporting, "LEAST_SECONDS", float("inf"))  # however slow this machine is
    handler._exchange.cache_clear()
    server.candles = dict(MARKET)
    server.volumes = {"AUSDT": 1.0, "BUSDT": 3.0, "CUSDT": 2.0}
    server.now_ms = START_MS + HOURS * HOUR_MS


@pytest.fixture
def client() -> APIClient:
    client = APIClient()
    client.force_authenticate(User.objects.create_user("ann", is_staff=True))
    return client


def execute(run_id: UUID | str) -> Run:
    """Do every job of a run, as a worker would."""
    run = Run.objects.get(pk=run_id)
    for job in run.jobs.order_by("position"):
        execution.execute_job(job_id=job.pk)
    run.refresh_from_db()
    return run


def test_a_download_is_a_run_with_a_job_for_each_cryptocurrency(client):
    body = {"exchange": "binance", "symbols": ["AUSDT", "BUSDT", "NONEUSDT"], "start": "2024-01-01T00:00:00Z"}
    answer = client.post("/api/downloads/", body, format="json")
    assert answer.status_code == 202
    assert answer.json()["kind"] == "download"
    run = execute(answer.json()["id"])
    assert (run.status, run.succeeded, run.failed) == ("completed", 2, 1)
    assert run.summary == {"symbol_count": 2, "added_count": 2 * HOURS}
    series = CandleSeries.objects.get(cryptocurrency__symbol="BUSDT")
    assert same(store.load_candles(series, 0, FOREVER_MS), MARKET["BUSDT"])
    log = client.get(f"/api/runs/{run.pk}/events/?after=0").json()["events"]
    assert [event["type"] for event in log] == ["start", "result", "result", "failure", "complete"]
    assert log[1]["result"] == {
        "symbol": "AUSDT",
        "added_count": HOURS,
        "page_count": 2,
        "delisted": False,
        "candle_count": HOURS,
        "gap_count": 0,
        "missing_count": 0,
        "first_open": "2024-01-01T00:00:00Z",
        "last_open": "2024-03-03T11:00:00Z",
    }
    assert "binance has no NONEUSDT." in run.jobs.get(key="NONEUSDT").error


def test_the_most_traded_pairs_are_chosen_when_the_run_is_made(client):
    answer = client.post("/api/downloads/", {"exchange": "binance", "top": 2}, format="json")
    assert answer.json()["spec"]["symbols"] == ["BUSDT", "CUSDT"]


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"exchange": "nonesuch", "symbols": ["AUSDT"]}, "exchange", "is no exchange"),
        ({"exchange": "kraken", "symbols": ["AUSDT"], "interval": "2h"}, "exchange", "has no 2h candles"),
        ({"exchange": "binance"}, "symbols", "either symbols or top"),
        ({"exchange": "binance", "symbols": ["AUSDT"], "top": 3}, "symbols", "either symbols or top"),
        ({"exchange": "binance", "symbols": []}, "symbols", "name at least one"),
        ({"exchange": "binance", "symbols": ["../x"]}, "symbols.0", "pattern"),
        ({"exchange": "binance", "symbols": ["AUSDT"], "interval": "7h"}, "interval", "valid choice"),
        (
            {
                "exchange": "binance",
                "symbols": ["AUSDT"],
                "start": "2024-02-01T00:00Z",
                "end": "2024-01-01T00:00Z",
            },
            "end",
            "after start",
        ),
    ],
)
def test_what_is_wrong_with_a_request_is_named(client, body, field, message):
    answer = client.post("/api/downloads/", body, format="json")
    assert answer.status_code == 400
    assert message in answer.json()["errors"][field][0]
    assert not Run.objects.exists()


def test_only_staff_may_download():
    client = APIClient()
    client.force_authenticate(User.objects.create_user("eve"))
    assert client.post("/api/downloads/", {"exchange": "binance", "top": 2}, format="json").status_code == 403


def test_a_download_tells_how_far_it_is_and_stops_between_two_pages(client, monkeypatch, server):
    monkeypatch.setattr(reporting, "LEAST_SECONDS", 0.0)
    body = {"exchange": "binance", "symbols": ["AUSDT", "BUSDT"], "start": "2024-01-01T00:00:00Z"}
    run = Run.objects.get(pk=client.post("/api/downloads/", body, format="json").json()["id"])
    first, second = run.jobs.order_by("position")
    execution.execute_job(job_id=first.pk)
    log = client.get(f"/api/runs/{run.pk}/events/?after=0").json()["events"]
    told = [
        (event["key"], event["share"], event["added_count"]) for event in log if event["type"] == "progress"
    ]
    assert told == [("AUSDT", 0.6667, 1000), ("AUSDT", 1.0, HOURS)]
    server.on_candles = lambda: control.stop_run(run_id=run.pk)
    execution.execute_job(job_id=second.pk)
    assert CandleSeries.objects.get(cryptocurrency__symbol="BUSDT").candle_count == 1000
    assert Run.objects.get(pk=run.pk).status == "stopped"


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


FORM = "/admin/market_data/candleseries/download/"
FILLED = {"exchange": "binance", "interval": "1h", "max_parallel": "2"}


def test_a_download_is_started_in_the_admin_and_its_progress_shown(admin):
    page = admin.get("/admin/market_data/candleseries/").content.decode()
    assert FORM in page
    answer = admin.post(FORM, {**FILLED, "symbols": "ausdt, noneusdt", "start": "2024-01-01"})
    assert answer.status_code == 302, answer.content.decode()
    waiting = admin.get(answer.headers["Location"])
    assert waiting.headers["Refresh"] == "1"
    execute(Run.objects.get().pk)
    page = admin.get(answer.headers["Location"]).content.decode()
    assert "2 of 2 done, 1 failed" in page
    assert "AUSDT</a>\n          <td>1500<td>1500<td>0" in page
    assert "binance has no NONEUSDT." in page


@pytest.mark.parametrize(
    ("filled", "message"),
    [
        ({}, "Give either symbols or top."),
        ({"symbols": "../x"}, "pattern"),
        ({"exchange": "nonesuch", "top": "3"}, "is no exchange"),
        ({"exchange": "", "top": "3"}, "This field is required."),
        ({"top": "5000"}, "less than or equal to 1000"),
        ({"symbols": "AUSDT", "start": "yesterday"}, "Enter a valid date."),
    ],
)
def test_what_is_wrong_is_said_beside_the_field_of_the_form(admin, filled, message):
    answer = admin.post(FORM, {**FILLED, **filled})
    assert answer.status_code == 200
    assert message in answer.content.decode()
    assert not Run.objects.exists()


def test_a_job_that_is_done_again_adds_nothing(client):
    first = client.post("/api/downloads/", {"exchange": "binance", "symbols": ["AUSDT"]}, format="json")
    execute(first.json()["id"])
    version = CandleSeries.objects.get().version
    again = client.post("/api/downloads/", {"exchange": "binance", "symbols": ["AUSDT"]}, format="json")
    assert execute(again.json()["id"]).summary == {"symbol_count": 1, "added_count": 0}
    assert CandleSeries.objects.get().version == version


def test_a_schedule_keeps_what_is_stored_up_to_date(server):
    owner = User.objects.create_user("ann", is_staff=True)
    server.now_ms = START_MS + 1000 * HOUR_MS
    call_command("download_candles", "binance", "AUSDT", "BUSDT", stdout=StringIO())
    plan = DownloadSchedule.objects.create(owner=owner, exchange="binance", interval="1h", every_minutes=30)
    server.now_ms = START_MS + 1010 * HOUR_MS
    assert schedule.start_due_downloads() == 1
    assert schedule.start_due_downloads() == 0, "it is not due again"
    plan.refresh_from_db()
    assert plan.last_run is not None
    assert timedelta(minutes=29) < plan.next_at - timezone.now() <= timedelta(minutes=30)
    assert execute(plan.last_run.pk).summary == {"symbol_count": 2, "added_count": 20}


def test_a_schedule_waits_for_its_last_run():
    owner = User.objects.create_user("ann", is_staff=True)
    plan = DownloadSchedule.objects.create(
        owner=owner, exchange="binance", interval="1h", symbols=["AUSDT"], every_minutes=30
    )
    schedule.start_due_downloads()
    DownloadSchedule.objects.update(next_at=timezone.now())
    assert schedule.start_due_downloads() == 0
    plan.refresh_from_db()
    assert plan.last_run is not None
    execute(plan.last_run.pk)
    DownloadSchedule.objects.update(next_at=timezone.now())
    assert schedule.start_due_downloads() == 1


def test_the_command_downloads_and_reports(server):
    server.delisted.add("BUSDT")
    out, err = StringIO(), StringIO()
    with pytest.raises(CommandError, match="1 of 3 downloads failed"):
        call_command("download_candles", "binance", "AUSDT", "NONEUSDT", "busdt", stdout=out, stderr=err)
    assert "1/3 AUSDT 1,500 candles added, 1,500 in all, to 2024-03-03 11:00." in out.getvalue()
    assert "2/3 NONEUSDT failed: binance has no NONEUSDT." in err.getvalue()
    assert "3/3 BUSDT 1,500 candles added, 1,500 in all, to 2024-03-03 11:00; delisted" in out.getvalue()


def test_the_command_takes_the_most_traded_pairs(server):
    out = StringIO()
    call_command("download_candles", "binance", top=1, stdout=out)
    assert out.getvalue().startswith("1/1 BUSDT 1,500 candles added")


def test_failed_downloads_can_be_tried_again_alone(client, server):
    body = {"exchange": "binance", "symbols": ["AUSDT", "NEWUSDT"]}
    run = execute(client.post("/api/downloads/", body, format="json").json()["id"])
    assert run.failed == 1
    server.candles["NEWUSDT"] = make_candles(50)
    handler._exchange.cache_clear()
    again = execute(client.post(f"/api/runs/{run.pk}/retry/", format="json").json()["id"])
    assert (again.kind, again.total, again.summary) == ("download", 1, {"symbol_count": 1, "added_count": 50})
