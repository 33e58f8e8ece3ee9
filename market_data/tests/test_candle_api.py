import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from market_data import candle_api, store
from market_data.tests.candle_maker import make_candles

pytestmark = pytest.mark.django_db

ADDRESS = "/api/cryptocurrencies/BTCUSDT/candles/"


@pytest.fixture
def client() -> APIClient:
    client = APIClient()
    client.force_authenticate(User.objects.create_user("ann"))
    return client


@pytest.fixture(autouse=True)
def _market() -> None:
    store.write_candles(symbol="BTCUSDT", source="files", interval="1h", candles=make_candles(100))


def test_candles_come_as_columns(client: APIClient):
    answer = client.get(ADDRESS, {"source": "files", "interval": "1h"}).json()
    candles = make_candles(100)
    assert answer["time_ms"] == candles.open_time_ms.tolist()
    for name in ("open", "high", "low", "close", "volume"):
        assert answer[name] == getattr(candles, name).tolist()


def test_a_range_excludes_its_end(client: APIClient):
    query = {"source": "files", "interval": "1h"}
    hours = {"start": "2024-01-01T02:00:00Z", "end": "2024-01-01T05:00:00Z"}
    answer = client.get(ADDRESS, {**query, **hours}).json()
    candles = make_candles(100).bars(2, 5)
    assert answer["time_ms"] == candles.open_time_ms.tolist()


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ({}, 400, "source"),
        ({"source": "files", "interval": "7h"}, 400, "interval"),
        ({"source": "files", "interval": "1h", "start": "soon"}, 400, "start"),
        ({"source": "elsewhere", "interval": "1h"}, 404, None),
    ],
)
def test_what_cannot_be_answered_is_said(
    client: APIClient, query: dict[str, str], status: int, field: str | None
):
    response = client.get(ADDRESS, query)
    assert response.status_code == status
    assert field is None or field in response.json()["errors"]


def test_more_than_a_chart_can_show_is_refused(client: APIClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(candle_api, "MAX_CANDLES", 50)
    response = client.get(ADDRESS, {"source": "files", "interval": "1h"})
    assert response.status_code == 400
    assert "shorter range" in response.json()["errors"]["start"][0]
