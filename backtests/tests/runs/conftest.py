"""A small market, a logged-in client, and messages that are kept instead of sent."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from market_data.candles import Candles
from market_data.intervals import HOUR_MS
from market_data.store import write_candles
from workers.tests.broker import Published, keep_messages

START_MS = 1_609_459_200_000  # 2021-01-01
SYMBOLS = ("AAAUSDT", "BBBUSDT", "CCCUSDT")


def wavy_candles(n_bars: int, *, phase: float = 0.0, start_ms: int = START_MS) -> Candles:
    """Prices that swing around a rising line."""
    bars = np.arange(n_bars + 1)
    price = 100.0 + bars / 100.0 + 10.0 * np.sin(bars / 15.0 + phase)
    opening, close = price[:-1], price[1:].copy()
    return Candles(
        start_ms + bars[:-1] * HOUR_MS,
        opening.copy(),
        np.maximum(opening, close) + 0.5,
        np.minimum(opening, close) - 0.5,
        close,
        np.full(n_bars, 5.0),
    )


@pytest.fixture
def market(transactional_db: None) -> None:
    """Three cryptocurrencies with 1,000 hourly candles each."""
    for number, symbol in enumerate(SYMBOLS):
        write_candles(symbol=symbol, source="test", interval="1h", candles=wavy_candles(1000, phase=number))


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> Published:
    return keep_messages(monkeypatch)


@pytest.fixture
def trader(transactional_db: None) -> Any:
    return User.objects.create_user("trader")


@pytest.fixture
def client(trader: Any) -> APIClient:
    """The API as the trader sees it."""
    client = APIClient()
    client.force_authenticate(trader)
    return client


@pytest.fixture
def run_backtest(client: APIClient, market: None, published: Published) -> Callable[..., dict[str, Any]]:
    """POST a backtest of RSI, execute its jobs, and return the run as it is afterwards."""

    def run(**body: Any) -> dict[str, Any]:
        response = client.post("/api/backtests/", {"strategy": "rsi", **body}, format="json")
        assert response.status_code == 202, response.json()
        published.execute_all()
        return client.get(response.json()["links"]["self"]).json()

    return run
