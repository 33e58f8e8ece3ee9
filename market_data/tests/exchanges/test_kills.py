"""`kill -9` in the middle of a download, at random moments."""

import ccxt
import pytest

from market_data.exchanges.connection import open_exchange
from market_data.exchanges.downloading import Wanted, download
from market_data.intervals import HOUR_MS
from market_data.models import CandleSeries
from market_data.tests.candle_maker import START_MS, make_candles, without
from market_data.tests.exchanges.server import Exchange
from market_data.tests.test_kills import assert_consistent, stored
from tests.killing import KILLS, kill_at_random

pytestmark = pytest.mark.django_db(transaction=True)
HOURS = 1500


def test_a_download_that_is_killed_goes_on_where_it_stopped(server: Exchange, monkeypatch):
    monkeypatch.setattr(ccxt.Exchange, "throttle", lambda *_args, **_options: None)
    server.candles = {"BTCUSDT": without(make_candles(HOURS), 7, 8, 1100)}
    server.now_ms = START_MS + HOURS * HOUR_MS
    exchange = open_exchange("binance")
    exchange.page_candles = 300
    assert exchange.markets

    def fetch() -> None:
        download(exchange, Wanted("BTCUSDT", "1h", START_MS))

    fetch()
    undisturbed = stored("binance")
    CandleSeries.objects.all().delete()
    partly = 0
    for _ in kill_at_random(fetch, seed=2):
        partly += 0 < assert_consistent("binance") < HOURS - 3
        fetch()
        assert stored("binance") == undisturbed
        CandleSeries.objects.all().delete()
    assert partly >= KILLS // 3, "the kills fell into the middle"
