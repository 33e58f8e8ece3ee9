"""A backtest of candles that are not stored as such: coarser ones, and the coins of a reused symbol."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from market_data import reused, store
from market_data.tests.candle_maker import make_candles
from market_data.tests.test_reused import relisted
from workers import execution
from workers.models import Run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _candle_files(settings, tmp_path):
    settings.CANDLE_FILES_DIR = tmp_path / "candles"


@pytest.fixture
def client() -> APIClient:
    client = APIClient()
    client.force_authenticate(User.objects.create_user("ann"))
    return client


def run(client: APIClient, **body: object) -> list[dict[str, Any]]:
    answer = client.post("/api/backtests/", {"strategy": "rsi", **body}, format="json")
    assert answer.status_code == 202, answer.content
    made = Run.objects.get(pk=answer.json()["id"])
    for job in made.jobs.filter(status="dispatched"):
        execution.execute_job(job_id=job.pk)
    return client.get(f"/api/backtests/{made.pk}/results/").json()["results"]


def test_days_are_backtested_from_hours_and_reused(client):
    for number, symbol in enumerate(("AUSDT", "BUSDT", "CUSDT")):
        store.write_candles(
            symbol=symbol, source="files", interval="1h", candles=make_candles(24 * 90, seed=number)
        )
    first = {row["symbol"]: row for row in run(client, interval="1d")}
    assert sorted(first) == ["AUSDT", "BUSDT", "CUSDT"]
    assert not any(row["cached"] for row in first.values())
    again = {row["symbol"]: row for row in run(client, interval="1d")}
    assert all(row["cached"] for row in again.values())
    assert {symbol: row["metrics"] for symbol, row in again.items()} == {
        symbol: row["metrics"] for symbol, row in first.items()
    }
    hours = {row["symbol"]: row for row in run(client, interval="1h")}
    assert hours["AUSDT"]["metrics"]["total_return"] != first["AUSDT"]["metrics"]["total_return"]


def test_results_of_both_coins_of_a_reused_symbol_carry_the_warning(client):
    reused.write_apart(symbol="LUNAUSDT", source="files", interval="1h", candles=relisted())
    rows = {row["symbol"]: row for row in run(client)}
    assert sorted(rows) == ["LUNAUSDT", "LUNAUSDT.202401"]
    for row in rows.values():
        assert [warning["code"] for warning in row["warnings"]] == ["reused_symbol"]
    (detail,) = run(client, symbols=["LUNAUSDT.202401"])
    assert detail["symbol"] == "LUNAUSDT.202401"
