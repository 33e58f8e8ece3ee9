import gzip

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from market_data.models import CandleSeries

pytestmark = pytest.mark.django_db
TEXT = "date,open,high,low,close,volume\n" + "".join(
    f"2024-01-01 {hour:02d}:00:00,10,12,9,11,5\n" for hour in range(5)
)


@pytest.fixture
def client() -> APIClient:
    client = APIClient()
    client.force_authenticate(User.objects.create_user("ann", is_staff=True))
    return client


def upload(client: APIClient, name: str = "BTCUSDT.csv", data: bytes | str = TEXT, **fields):
    file = SimpleUploadedFile(name, data.encode() if isinstance(data, str) else data)
    return client.post("/api/imports/", {"file": file, **fields}, format="multipart")


def test_an_uploaded_file_is_imported(client):
    answer = upload(client, "BTCUSDT.csv.gz", gzip.compress(TEXT.encode()), source="mine")
    assert answer.status_code == 201
    (found,) = answer.json()
    series = CandleSeries.objects.get()
    assert (found["symbol"], found["interval"], found["candle_count"]) == ("BTCUSDT", "1h", 5)
    assert (found["first_open"], found["last_open"]) == ("2024-01-01T00:00:00Z", "2024-01-01T04:00:00Z")
    assert (found["series"], series.source, series.candle_count) == ([series.pk], "mine", 5)


def test_a_dry_run_shows_what_is_recognised(client):
    answer = upload(client, dry_run="true")
    assert answer.status_code == 200
    assert answer.json()[0]["columns"]["time"] == "date"
    assert answer.json()[0]["times"] == "ISO 8601"
    assert not CandleSeries.objects.exists()


def test_what_is_recognised_can_be_overridden(client):
    text = TEXT.replace("date", "when").replace("volume", "size")
    answer = upload(
        client, "candles.csv", text, symbol="ETHUSDT", interval="30m", columns="time=when,volume=size"
    )
    assert answer.status_code == 201
    assert (answer.json()[0]["symbol"], answer.json()[0]["interval"]) == ("ETHUSDT", "30m")


@pytest.mark.parametrize(
    ("name", "data", "fields", "field", "message"),
    [
        ("BTCUSDT.csv", "nonsense", {}, "file", "no line with at least 6 fields"),
        (
            "BTCUSDT.csv",
            TEXT.replace("12", "twelve", 1),
            {},
            "file",
            "line 2, column 'high': 'twelve' is not a number",
        ),
        ("BTCUSDT.csv", "", {}, "file", "empty"),
        (".htaccess", TEXT, {}, "file", "must be a plain one"),
        ("BTCUSDT.csv", TEXT, {"interval": "7h"}, "interval", "not a valid choice"),
        ("BTCUSDT.csv", TEXT, {"symbol": "../x"}, "symbol", "pattern"),
        ("BTCUSDT.csv", TEXT, {"columns": "when=date"}, "columns", "Must look like"),
        ("BTCUSDT.csv", TEXT, {"adjust": "BTC"}, "adjust.0", "is no adjustment"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_stored(client, name, data, fields, field, message):
    answer = upload(client, name, data, **fields)
    assert answer.status_code == 400
    assert message in answer.json()["errors"][field][0]
    assert not CandleSeries.objects.exists()


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
    assert answer.status_code in (201, 400)
    assert answer.status_code == 400 or answer.json()[0]["file"] == "BTCUSDT.csv"


def test_only_staff_may_import():
    client = APIClient()
    client.force_authenticate(User.objects.create_user("eve"))
    assert upload(client).status_code == 403
    assert not CandleSeries.objects.exists()


def test_a_body_that_is_no_form_is_refused(client):
    assert client.post("/api/imports/", {"file": "x"}, format="json").status_code in (400, 415)
