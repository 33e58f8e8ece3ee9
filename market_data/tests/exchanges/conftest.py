from collections.abc import Iterator

import ccxt
import pytest

from market_data.exchanges import connection
from market_data.tests.exchanges.server import Exchange, running_exchange


@pytest.fixture
def server(settings, tmp_path, monkeypatch) -> Iterator[Exchange]:
    """A local exchange that ccxt's Binance and Kraken talk to; they wait little between attempts."""
    settings.CANDLE_FILES_DIR = tmp_path / "candles"
    monkeypatch.setattr(connection, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setattr(ccxt.Exchange, "throttle", lambda *_args, **_options: None)
    with running_exchange() as exchange:
        settings.EXCHANGE_URLS = {"binance": exchange.url, "kraken": exchange.url}
        yield exchange
