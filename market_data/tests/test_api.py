import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from market_data import store
from market_data.intervals import DAY_MS
from market_data.tests.candle_maker import make_candles, without

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> APIClient:
    client = APIClient()
    client.force_authenticate(User.objects.create_user("ann"))
    return client


@pytest.fixture(autouse=True)
def _market() -> None:
    busy = without(make_candles(200), *range(20, 80))
    busy.volume[:] *= 1000
    store.write_candles(symbol="ETHUSDT", source="files", interval="1h", candles=busy)
    store.write_candles(symbol="BTCUSDT", source="files", interval="1h", candles=make_candles(100))
    store.write_candles(
        symbol="BTCUSDT",
        source="sample",
        interval="1d",
        candles=make_candles(9, step_ms=DAY_MS),
        generated=True,
    )


def test_cryptocurrencies_come_most_traded_first_with_their_series(client):
    eth, btc = client.get("/api/cryptocurrencies/").json()
    assert (eth["symbol"], eth["base"], eth["quote"]) == ("ETHUSDT", "ETH", "USDT")
    (series,) = eth["series"]
    assert series["first_open"] == "2024-01-01T00:00:00Z"
    assert series["last_open"] == "2024-01-09T07:00:00Z"
    assert (series["candle_count"], series["gap_count"], series["missing_count"]) == (140, 1, 60)
    assert [warning["code"] for warning in series["warnings"]] == ["halt"]
    assert [(row["source"], row["interval"], row["generated"]) for row in btc["series"]] == [
        ("files", "1h", False),
        ("sample", "1d", True),
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?interval=1h", [("ETHUSDT", 1), ("BTCUSDT", 1)]),
        ("?source=sample", [("BTCUSDT", 1)]),
        ("?source=sample&interval=1h", []),
    ],
)
def test_cryptocurrencies_can_be_asked_for_by_source_and_interval(client, query, found):
    rows = client.get(f"/api/cryptocurrencies/{query}").json()
    assert [(row["symbol"], len(row["series"])) for row in rows] == found


def test_an_unknown_interval_is_named(client):
    answer = client.get("/api/cryptocurrencies/?interval=7h")
    assert answer.status_code == 400
    assert "interval" in answer.json()["errors"]


def test_the_list_needs_two_queries_whatever_its_length(client, django_assert_num_queries):
    with django_assert_num_queries(2):
        client.get("/api/cryptocurrencies/")


def test_the_list_needs_a_login():
    assert APIClient().get("/api/cryptocurrencies/").status_code in (401, 403)
