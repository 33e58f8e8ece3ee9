import pytest
from django.contrib.auth.models import User
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


def test_a_cryptocurrency_shows_its_series(admin, series):
    page = admin.get(f"/admin/market_data/cryptocurrency/{Cryptocurrency.objects.get().pk}/change/")
    assert "<p>2024-01-01 00:00:00+00:00</p>" in page.content.decode()


def test_candles_cannot_be_edited_by_hand(admin, series):
    chunk = CandleChunk.objects.first()
    assert admin.get("/admin/market_data/candleseries/add/").status_code == 403
    assert admin.post(f"/admin/market_data/candlechunk/{chunk.pk}/delete/").status_code == 403
