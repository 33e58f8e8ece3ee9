"""Uploads: kept where every worker can read them, and imported by a run."""

import gzip
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from rest_framework.test import APIClient

from market_data.models import CandleSeries, Upload, UploadPart
from market_data.uploads import spool
from workers import execution, reporting
from workers.models import Run

pytestmark = pytest.mark.django_db(transaction=True)
TEXT = "date,open,high,low,close,volume\n" + "".join(
    f"2024-01-01 {hour:02d}:00:00,10,12,9,11,5\n" for hour in range(5)
)


@pytest.fixture(autouse=True)
def _nothing_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no job tell how far it is, however slow this machine is."""
    monkeypatch.setattr(reporting, "LEAST_SECONDS", float("inf"))


@pytest.fixture
def client() -> APIClient:
    client = APIClient()
    client.force_authenticate(User.objects.create_user("ann", is_staff=True))
    return client


def upload(client: APIClient, name: str = "BTCUSDT.csv", data: bytes | str = TEXT, **fields):
    file = SimpleUploadedFile(name, data.encode() if isinstance(data, str) else data)
    return client.post("/api/imports/", {"file": file, **fields}, format="multipart")


def execute(run_id: str) -> Run:
    """Do the job of a run, as a worker would."""
    run = Run.objects.get(pk=run_id)
    execution.execute_job(job_id=run.jobs.get().pk)
    run.refresh_from_db()
    return run


def imported(client: APIClient, *arguments: Any, **fields: Any) -> tuple[Run, list[dict[str, Any]]]:
    """An upload, its run when that has ended, and what was found."""
    answer = upload(client, *arguments, **fields)
    assert answer.status_code == 202, answer.json()
    assert answer.headers["Location"] == answer.json()["links"]["self"]
    run = execute(answer.json()["id"])
    return run, client.get(answer.json()["links"]["imported"]).json()


def test_an_uploaded_file_is_imported_by_a_run(client):
    run, (found,) = imported(client, "BTCUSDT.csv.gz", gzip.compress(TEXT.encode()), source="mine")
    series = CandleSeries.objects.get()
    assert (run.kind, run.status, run.succeeded) == ("import", "completed", 1)
    assert run.summary == {"file_count": 1, "symbol_count": 1, "candle_count": 5}
    assert (found["symbol"], found["interval"], found["candle_count"]) == ("BTCUSDT", "1h", 5)
    assert (found["first_open"], found["last_open"]) == ("2024-01-01T00:00:00Z", "2024-01-01T04:00:00Z")
    assert (found["series"], series.source, series.candle_count) == ([series.pk], "mine", 5)
    log = client.get(f"/api/runs/{run.pk}/events/?after=0").json()["events"]
    assert [event["type"] for event in log] == ["start", "result", "complete"]
    assert log[1]["key"] == "BTCUSDT.csv.gz"
    assert log[1]["result"] == {"dry_run": False, "symbol_count": 1, "candle_count": 5, "found": [found]}


def test_a_dry_run_shows_what_is_recognised_and_the_file_can_be_imported_afterwards(client):
    run, (found,) = imported(client, dry_run="true")
    assert (found["columns"]["time"], found["times"], found["series"]) == ("date", "ISO 8601", [])
    assert not CandleSeries.objects.exists()
    body = {"upload": run.spec["upload"], "source": "mine", "symbol": "ETHUSDT"}
    answer = client.post("/api/imports/", body, format="json")
    assert answer.status_code == 202
    assert execute(answer.json()["id"]).spec["file"] == "BTCUSDT.csv"
    assert CandleSeries.objects.get().cryptocurrency.symbol == "ETHUSDT"
    again = client.post("/api/imports/", body, format="json")
    assert again.status_code == 400
    assert "no longer kept" in again.json()["errors"]["upload"][0]


def test_what_is_recognised_can_be_overridden(client):
    text = TEXT.replace("date", "when").replace("volume", "size")
    _, (found,) = imported(
        client, "candles.csv", text, symbol="ETHUSDT", interval="30m", columns="time=when,volume=size"
    )
    assert (found["symbol"], found["interval"]) == ("ETHUSDT", "30m")


def test_prices_are_adjusted_by_name(client):
    run, _ = imported(client, adjust="BTCUSDT=10@2024-01-01T02:00Z")
    history = CandleSeries.objects.get().history
    assert history == [{"rule": "adjusted", "factor": 10.0, "before_ms": 1_704_074_400_000}]
    assert run.status == "completed"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("nonsense", "no line with at least 6 fields"),
        (TEXT.replace("12", "twelve", 1), "line 2, column 'high': 'twelve' is not a number"),
        ("<html>404</html>", "is a web page, not candles"),
    ],
)
def test_a_file_that_is_refused_fails_its_job_with_one_sentence(client, data, message):
    run, found = imported(client, data=data)
    assert (run.failed, found) == (1, [])
    assert message in run.jobs.get().error
    assert not CandleSeries.objects.exists()
    retried = client.post(f"/api/runs/{run.pk}/retry/", format="json").json()
    assert execute(retried["id"]).failed == 1, "the file is kept for another attempt"


@pytest.mark.parametrize(
    ("name", "data", "fields", "field", "message"),
    [
        ("BTCUSDT.csv", "", {}, "file", "empty"),
        (".htaccess", TEXT, {}, "file", "must be a plain one"),
        ("BTCUSDT.csv", TEXT, {"interval": "7h"}, "interval", "not a valid choice"),
        ("BTCUSDT.csv", TEXT, {"symbol": "../x"}, "symbol", "pattern"),
        ("BTCUSDT.csv", TEXT, {"columns": "when=date"}, "columns", "Must look like"),
        ("BTCUSDT.csv", TEXT, {"adjust": "BTC"}, "adjust.0", "is no adjustment"),
        ("BTCUSDT.csv", TEXT, {"upload": "5f0b7a2e-3c1d-4e6f-8a9b-0c1d2e3f4a5b"}, "file", "either a file or"),
    ],
)
def test_what_is_wrong_with_a_request_is_named_and_nothing_is_kept(
    client, name, data, fields, field, message
):
    answer = upload(client, name, data, **fields)
    assert answer.status_code == 400
    assert message in answer.json()["errors"][field][0]
    assert not Upload.objects.exists()
    assert not Run.objects.exists()


@pytest.mark.parametrize("name", ["../../BTCUSDT.csv", "/etc/BTCUSDT.csv", "..\\..\\BTCUSDT.csv"])
def test_a_path_in_a_name_leads_nowhere(client, name):
    boundary = "x" * 20
    body = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n{TEXT}\r\n'
        f"--{boundary}--\r\n"
    )
    answer = client.post(
        "/api/imports/", body.encode(), content_type=f"multipart/form-data; boundary={boundary}"
    )
    assert answer.status_code in (202, 400)
    assert answer.status_code == 400 or answer.json()["spec"]["file"] == "BTCUSDT.csv"


def test_only_staff_may_import_or_look(client):
    run, _ = imported(client)
    eve = APIClient()
    eve.force_authenticate(User.objects.create_user("eve"))
    assert upload(eve).status_code == 403
    assert eve.get("/api/imports/").status_code == 403
    assert eve.get(f"/api/imports/{run.pk}/").status_code == 404
    assert [one["id"] for one in client.get("/api/imports/").json()] == [str(run.pk)]
    assert Upload.objects.count() == 1


def test_a_body_that_is_no_form_is_refused(client):
    assert client.post("/api/imports/", {"file": "x"}, format="json").status_code == 400
    assert client.post("/api/imports/", "x", content_type="text/plain").status_code == 415


def test_a_large_file_travels_in_parts_and_goes_when_it_is_imported(client, monkeypatch):
    monkeypatch.setattr(spool, "PART_BYTES", 100)
    answer = upload(client)
    assert [len(bytes(part.data)) for part in UploadPart.objects.all()] == [100, 97]
    assert execute(answer.json()["id"]).succeeded == 1
    assert spool.forget_what_nobody_needs() == 1
    assert not UploadPart.objects.exists()


def test_a_file_that_waited_too_long_is_forgotten(client):
    answer = upload(client, dry_run="true").json()
    assert spool.forget_what_nobody_needs() == 0
    Upload.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert spool.forget_what_nobody_needs() == 1
    assert execute(answer["id"]).jobs.get().error == "The uploaded file is no longer kept; send it again."


def test_a_file_that_has_not_arrived_whole_is_refused(client, monkeypatch):
    monkeypatch.setattr(spool, "PART_BYTES", 100)
    answer = upload(client).json()
    UploadPart.objects.filter(number=1).delete()
    assert "has not arrived whole" in execute(answer["id"]).jobs.get().error


def test_no_more_is_kept_than_the_limit(client, monkeypatch):
    monkeypatch.setattr(spool, "MOST_BYTES", 300)
    assert upload(client).status_code == 202
    answer = upload(client)
    assert answer.status_code == 400
    assert "wait to be imported already" in answer.json()["errors"]["file"][0]
    assert Upload.objects.count() == 1


def test_the_limit_is_ten_gibibytes_and_all_of_it_may_be_used(client):
    owner = User.objects.get()
    waiting = Upload.objects.create(owner=owner, name="large.csv", size_bytes=10 * 1024**3 - len(TEXT))
    assert upload(client).status_code == 202
    waiting.size_bytes += 1
    waiting.save()
    Upload.objects.exclude(pk=waiting.pk).delete()
    assert upload(client).status_code == 400


def test_files_that_arrive_at_the_same_time_share_the_limit(client, monkeypatch):
    owner = User.objects.get()
    monkeypatch.setattr(spool, "MOST_BYTES", 300)
    monkeypatch.setattr(spool, "PART_BYTES", 100)

    def slow() -> Iterator[bytes]:
        yield b"x" * 150
        with pytest.raises(spool.SpoolFullError, match="Files of 200 bytes wait"):
            spool.keep([b"y" * 150], size_bytes=150, name="b.csv", owner=owner)
        yield b"x" * 50

    kept = spool.keep(slow(), size_bytes=200, name="a.csv", owner=owner)
    assert [len(bytes(part.data)) for part in UploadPart.objects.filter(upload=kept)] == [100, 100]
    assert Upload.objects.get() == kept


def test_an_import_tells_how_far_it_is(client, monkeypatch):
    monkeypatch.setattr(reporting, "LEAST_SECONDS", 0.0)
    run, _ = imported(client)
    log = client.get(f"/api/runs/{run.pk}/events/?after=0").json()["events"]
    told = [(event["share"], event["step"]) for event in log if event["type"] == "progress"]
    assert told == [(0.5, "checking"), (1.0, "storing")]
