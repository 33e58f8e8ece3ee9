import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from market_data import store
from market_data.models import CandleChunk, CandleSeries, Cryptocurrency
from market_data.tests.candle_maker import make_candles, without
from workers import execution
from workers.models import Job, Run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.fixture
def series() -> CandleSeries:
    candles = without(make_candles(1000), *range(20, 80))
    candles.volume[190:194] = 0.0
    series = store.write_candles(symbol="BTCUSDT", source="files", interval="1h", candles=candles)
    store.record(series, [{"rule": "repeated", "rows": 3, "file": "a.csv"}])
    return series


@pytest.mark.parametrize("model", ["cryptocurrency", "candleseries", "candlechunk"])
def test_lists_can_be_searched_by_symbol(admin, series, model):
    found = admin.get(f"/admin/market_data/{model}/?q=BTC")
    assert "BTCUSDT" in found.content.decode()
    assert "BTCUSDT" not in admin.get(f"/admin/market_data/{model}/?q=XRP").content.decode()


def test_a_series_shows_its_months_and_warnings(admin, series):
    page = admin.get(f"/admin/market_data/candleseries/{series.pk}/change/").content.decode()
    assert "2024-01<td>684<td>1<td>60" in page
    assert "Trading halted" in page
    assert "<td>2024-01-01 19:00<td>2024-01-04 08:00<td>60<td>" in page
    assert "<p>940 of 1,000 candles are there.</p>" in page
    assert "<p>No volume from 2024-01-11 10:00 to 2024-01-11 13:00: 4 candles.</p>" in page
    assert "<b>repeated</b> file a.csv, rows 3" in page


def test_a_cryptocurrency_shows_its_series(admin, series):
    page = admin.get(f"/admin/market_data/cryptocurrency/{Cryptocurrency.objects.get().pk}/change/")
    assert "<p>2024-01-01 00:00:00+00:00</p>" in page.content.decode()


def test_candles_cannot_be_edited_by_hand(admin, series):
    chunk = CandleChunk.objects.get(month=648)
    assert admin.get("/admin/market_data/candleseries/add/").status_code == 403
    assert admin.post(f"/admin/market_data/candlechunk/{chunk.pk}/delete/").status_code == 403


def upload(admin: Client, text: str, **fields: str) -> str:
    """Fill in the form, do the job, and look at the page of the run."""
    file = SimpleUploadedFile("ETHUSDT.csv", text.encode())
    answer = admin.post("/admin/market_data/candleseries/import/", {"file": file, "source": "mine", **fields})
    assert answer.status_code == 302, answer.content.decode()
    return done(admin, answer.headers["Location"])


def done(admin: Client, page: str) -> str:
    """The page of a run, whose jobs are executed after a first look."""
    waiting = admin.get(page)
    assert waiting.headers["Refresh"] == "1"
    assert '<progress max="1" value="0">' in waiting.content.decode()
    for job in Job.objects.filter(run_id=page.split("/")[-2]):
        execution.execute_job(job_id=job.pk)
    ended = admin.get(page)
    assert "Refresh" not in ended.headers
    return ended.content.decode()


TEXT = "date,open,high,low,close,volume\n" + "".join(
    f"2024-01-01 {hour:02d}:00:00,10,12,9,11,5\n" for hour in range(5)
)


def test_a_file_can_be_imported(admin):
    page = admin.get("/admin/market_data/candleseries/").content.decode()
    assert "/admin/market_data/candleseries/import/" in page
    page = upload(admin, TEXT)
    assert "<h2>Imported</h2>" in page
    assert "<td>ETHUSDT<td>1h<td>5<td>2024-01-01<td>2024-01-01" in page
    assert CandleSeries.objects.get().source == "mine"


def test_what_a_dry_run_has_shown_can_be_stored(admin):
    page = upload(admin, TEXT, dry_run="on")
    assert "Recognised, nothing stored" in page
    assert "Store these candles" in page
    assert not CandleSeries.objects.exists()
    answer = admin.post(f"/admin/market_data/candleseries/run/{Run.objects.get().pk}/", {"store": "yes"})
    assert "Store these candles" not in done(admin, answer.headers["Location"])
    assert CandleSeries.objects.get().candle_count == 5
    dry_run = Run.objects.earliest("created_at")
    again = admin.post(f"/admin/market_data/candleseries/run/{dry_run.pk}/", {"store": "yes"})
    assert "no longer kept" in again.content.decode()


def test_a_bad_file_is_explained_on_its_page(admin):
    page = upload(admin, TEXT.replace("12", "twelve", 1))
    assert "line 2, column &#x27;high&#x27;: &#x27;twelve&#x27; is not a number." in page
    assert not CandleSeries.objects.exists()


def test_what_is_recognised_can_be_overridden_in_the_form(admin):
    text = TEXT.replace("date", "when").replace("volume", "size")
    options = {
        "columns": "time=when,volume=size",
        "adjust": "ETHUSDT=10@2024-01-01T02:00Z ETHUSDT=2@2024-01-01T01:00Z",
    }
    page = upload(admin, text, **options)
    assert "time=when" in page
    assert [entry["factor"] for entry in CandleSeries.objects.get().history] == [10.0, 2.0]


@pytest.mark.parametrize(
    ("field", "text", "message"),
    [
        ("columns", "when=date", "Must look like time=Date"),
        ("adjust", "BTC", "is no adjustment; one looks like"),
    ],
)
def test_what_is_wrong_in_the_form_of_an_import_is_said(admin, field, text, message):
    file = SimpleUploadedFile("ETHUSDT.csv", TEXT.encode())
    filled = {"file": file, "source": "mine", field: text}
    page = admin.post("/admin/market_data/candleseries/import/", filled).content.decode()
    assert message in page
    assert not Run.objects.exists()


def test_an_import_can_be_stopped(admin):
    file = SimpleUploadedFile("ETHUSDT.csv", TEXT.encode())
    answer = admin.post("/admin/market_data/candleseries/import/", {"file": file, "source": "mine"})
    page = admin.post(answer.headers["Location"], {"stop": "yes"}, follow=True).content.decode()
    assert ",\n    1 not done" in page
    assert Run.objects.get().status == "stopped"


@pytest.mark.parametrize("page", ["import", "download", "run/5f0b7a2e-3c1d-4e6f-8a9b-0c1d2e3f4a5b"])
def test_only_staff_see_the_pages_that_bring_candles(db, page):
    client = Client()
    client.force_login(User.objects.create_user("eve"))
    assert client.get(f"/admin/market_data/candleseries/{page}/").status_code == 302


def test_a_run_of_another_kind_has_no_page_here(admin):
    assert (
        admin.get("/admin/market_data/candleseries/run/5f0b7a2e-3c1d-4e6f-8a9b-0c1d2e3f4a5b/").status_code
        == 404
    )
