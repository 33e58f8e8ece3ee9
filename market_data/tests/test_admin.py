import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from market_data import store
from market_data.models import CandleChunk, CandleSeries, Cryptocurrency
from market_data.tests.candle_maker import make_candles, without

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


@pytest.fixture
def series() -> CandleSeries:
    candles = without(make_candles(1000), *range(20, 80))
    return store.write_candles(symbol="BTCUSDT", source="files", interval="1h", candles=candles)


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


def test_a_cryptocurrency_shows_its_series(admin, series):
    page = admin.get(f"/admin/market_data/cryptocurrency/{Cryptocurrency.objects.get().pk}/change/")
    assert "<p>2024-01-01 00:00:00+00:00</p>" in page.content.decode()


def test_candles_cannot_be_edited_by_hand(admin, series):
    chunk = CandleChunk.objects.get(month=648)
    assert admin.get("/admin/market_data/candleseries/add/").status_code == 403
    assert admin.post(f"/admin/market_data/candlechunk/{chunk.pk}/delete/").status_code == 403


def upload(admin: Client, text: str, **fields: str) -> str:
    file = SimpleUploadedFile("ETHUSDT.csv", text.encode())
    answer = admin.post("/admin/market_data/candleseries/import/", {"file": file, "source": "mine", **fields})
    assert answer.status_code == 200
    return answer.content.decode()


TEXT = "date,open,high,low,close,volume\n" + "".join(
    f"2024-01-01 {hour:02d}:00:00,10,12,9,11,5\n" for hour in range(5)
)


def test_a_file_can_be_imported(admin):
    page = admin.get("/admin/market_data/candleseries/").content.decode()
    assert "/admin/market_data/candleseries/import/" in page
    assert "Recognised, nothing stored" in upload(admin, TEXT, dry_run="on")
    assert not CandleSeries.objects.exists()
    assert "<td>ETHUSDT<td>1h<td>5<td>columns" in upload(admin, TEXT)
    assert CandleSeries.objects.get().source == "mine"


def test_a_bad_file_is_explained_in_the_form(admin):
    page = upload(admin, TEXT.replace("12", "twelve", 1))
    assert "line 2, column &#x27;high&#x27;: &#x27;twelve&#x27; is not a number." in page
    assert not CandleSeries.objects.exists()


def test_only_staff_see_the_import(db):
    client = Client()
    client.force_login(User.objects.create_user("eve"))
    assert client.get("/admin/market_data/candleseries/import/").status_code == 302
