"""ccxt's real Binance and Kraken classes against a local server that speaks their protocols."""

from types import SimpleNamespace

import pytest

from market_data import store
from market_data.exchanges import connection, downloading
from market_data.exchanges.connection import ExchangeError, UnknownSymbolError, open_exchange
from market_data.exchanges.downloading import Downloaded, Wanted, download
from market_data.intervals import HOUR_MS
from market_data.models import CandleSeries
from market_data.tests.candle_maker import START_MS, make_candles, same, without
from market_data.tests.exchanges.server import KRAKEN_CANDLES, Exchange

pytestmark = pytest.mark.django_db
FOREVER_MS = 4_000_000_000_000
HOURS = 3200
CANDLES = without(make_candles(HOURS), 5, 6, *range(1200, 1250))


@pytest.fixture(autouse=True)
def _market(server: Exchange) -> None:
    server.candles = {"BTCUSDT": CANDLES, "ETHUSDT": make_candles(100, seed=2)}
    server.now_ms = START_MS + HOURS * HOUR_MS


def fetch(name: str = "binance", symbol: str = "BTCUSDT", **wanted: int) -> Downloaded:
    return download(open_exchange(name), Wanted(symbol, "1h", **wanted))


def expect(server: Exchange, monkeypatch: pytest.MonkeyPatch, faults: list[str]) -> None:
    """Let the exchange misbehave so, and what asks it wait no longer than it must where that gets no answer."""
    server.faults.extend(faults)
    if "timeout" in faults:
        monkeypatch.setattr(connection, "TIMEOUT_MS", 300)


def stored(symbol: str = "BTCUSDT"):
    series = CandleSeries.objects.get(cryptocurrency__symbol=symbol)
    return store.load_candles(series, 0, FOREVER_MS)


def test_all_candles_arrive(server):
    done = fetch()
    assert same(stored(), CANDLES)
    assert (done.added_count, done.page_count, done.delisted) == (len(CANDLES), 4, False)
    assert done.series is not None
    assert (done.series.source, done.series.gap_count, done.series.missing_count) == ("binance", 2, 52)


@pytest.mark.parametrize(
    "faults",
    [
        ["500"],
        ["503", "502"],
        ["", "500", "", "503"],
        ["timeout"],
        ["cut", "", "cut"],
        ["broken"],
        ["overlap", "overlap", "overlap"],
        ["short", "short"],
        ["reversed"],
        ["twice", "twice"],
        ["", "overlap", "cut", "short", "500", "timeout"],
    ],
    ids=lambda faults: " ".join(fault or "ok" for fault in faults),
)
def test_the_same_candles_arrive_on_bad_days(server, monkeypatch, faults):
    expect(server, monkeypatch, faults)
    fetch()
    assert not server.faults
    assert same(stored(), CANDLES)


@pytest.mark.parametrize(
    "faults",
    [
        ["429"],
        ["too often", "too often"],
        ["503", "500"],
        ["timeout"],
        ["cut"],
        ["broken"],
        ["overlap"],
        ["short", "short"],
        ["reversed"],
        ["twice"],
        ["cut", "500", "broken", "timeout", "short", "overlap"],
    ],
    ids=" ".join,
)
def test_the_same_candles_arrive_from_kraken_on_bad_days(server, monkeypatch, faults):
    server.now_ms = START_MS + 700 * HOUR_MS
    expect(server, monkeypatch, faults)
    fetch("kraken", start_ms=START_MS)
    assert not server.faults
    assert same(stored(), CANDLES.between(0, server.now_ms))


@pytest.mark.parametrize("name", ["binance", "kraken"])
@pytest.mark.parametrize("tells_time", [True, False])
@pytest.mark.parametrize("hours_ahead", [-1, 1])
def test_a_clock_that_is_an_hour_off_spoils_no_candle(server, monkeypatch, hours_ahead, tells_time, name):
    """The exchange is in the middle of hour 100; this host believes it is an hour later, or earlier."""
    server.now_ms = START_MS + 100 * HOUR_MS + HOUR_MS // 2
    ours = (server.now_ms + hours_ahead * HOUR_MS) / 1000
    monkeypatch.setattr(connection.time, "time", lambda: ours)
    exchange = open_exchange(name)
    exchange._client.has["fetchTime"] = tells_time
    download(exchange, Wanted("BTCUSDT", "1h", start_ms=START_MS))
    assert same(stored(), CANDLES.between(0, START_MS + 100 * HOUR_MS))


@pytest.mark.parametrize(("name", "status"), [("binance", "429"), ("binance", "418"), ("kraken", "429")])
def test_a_wait_that_the_exchange_asks_for_is_kept(server, name, status):
    server.now_ms = START_MS + 700 * HOUR_MS
    server.faults.extend([f"{status} 1"])
    fetch(name, start_ms=START_MS)
    (_, refused), (_, again) = server.requests[:2]
    assert again - refused >= 1.0
    assert same(stored(), CANDLES.between(0, server.now_ms))


def test_an_exchange_that_does_not_recover_is_given_up_and_what_came_is_kept(server, monkeypatch):
    monkeypatch.setattr(connection, "ATTEMPTS", 3)
    server.faults.extend(["", "500", "500", "500"])
    with pytest.raises(ExchangeError, match="binance did not answer in 3 attempts"):
        fetch()
    assert same(stored(), CANDLES.bars(0, 1000))
    assert same(stored(), CANDLES.bars(0, 1000))
    fetch()
    assert same(stored(), CANDLES)


def test_only_what_is_missing_is_asked_for(server):
    fetch()
    server.requests.clear()
    done = fetch()
    assert (done.added_count, done.page_count) == (0, 0)
    assert server.requests == []


def test_the_candle_that_is_growing_is_left_out_by_the_exchanges_clock(server):
    server.now_ms = START_MS + 100 * HOUR_MS + HOUR_MS // 2
    fetch()
    assert stored().open_time_ms[-1] == START_MS + 99 * HOUR_MS
    server.now_ms = START_MS + 101 * HOUR_MS
    assert fetch().added_count == 1
    assert same(stored(), CANDLES.between(0, START_MS + 101 * HOUR_MS))


def test_a_download_can_begin_and_end_anywhere(server):
    fetch(start_ms=START_MS + 30 * 60_000 + 10 * HOUR_MS, end_ms=START_MS + 20 * HOUR_MS)
    assert stored().open_time_ms.tolist() == [START_MS + hour * HOUR_MS for hour in range(11, 20)]


@pytest.mark.parametrize("name", ["binance", "kraken"])
def test_candles_before_the_stored_ones_are_added_without_a_hole(server, name):
    server.now_ms = START_MS + 700 * HOUR_MS
    fetch(name, start_ms=START_MS + 600 * HOUR_MS)
    fetch(name, start_ms=START_MS + 100 * HOUR_MS)
    assert same(stored(), CANDLES.between(START_MS + 100 * HOUR_MS, server.now_ms))


def test_earlier_candles_are_fetched_from_the_end_so_that_an_interruption_leaves_no_hole(server, monkeypatch):
    monkeypatch.setattr(connection, "ATTEMPTS", 1)
    fetch(start_ms=START_MS + 3000 * HOUR_MS)
    server.faults.extend(["", "", "500"])
    with pytest.raises(ExchangeError):
        fetch(start_ms=START_MS)
    assert same(stored(), CANDLES.between(START_MS + 2000 * HOUR_MS, FOREVER_MS))
    fetch(start_ms=START_MS)
    assert same(stored(), CANDLES)


def test_kraken_gives_its_last_candles_and_the_rest_follows_day_by_day(server):
    server.now_ms = START_MS + 2000 * HOUR_MS
    fetch("kraken")
    first_ms = server.now_ms - KRAKEN_CANDLES * HOUR_MS
    assert same(stored(), CANDLES.between(first_ms, server.now_ms))
    server.now_ms += 500 * HOUR_MS
    server.faults.extend(["cut", "500", "overlap"])
    fetch("kraken")
    assert same(stored(), CANDLES.between(first_ms, server.now_ms))


def test_a_symbol_that_the_exchange_never_had_is_named(server):
    with pytest.raises(UnknownSymbolError, match="binance has no NONEUSDT"):
        fetch(symbol="NONEUSDT")


@pytest.mark.parametrize("name", ["binance", "kraken"])
def test_a_symbol_that_the_exchange_no_longer_knows_is_named(server, name):
    server.faults.append("unknown")
    with pytest.raises(UnknownSymbolError, match=f"{name} does not know it"):
        fetch(name)
    assert not CandleSeries.objects.exists()


def test_a_delisted_coin_gives_what_there_is_and_is_reported(server):
    server.delisted.add("ETHUSDT")
    done = fetch(symbol="ETHUSDT")
    assert (done.added_count, done.delisted) == (100, True)


def test_a_delisted_coin_without_candles_is_reported(server):
    server.candles["XUSDT"] = make_candles(0)
    server.delisted.add("XUSDT")
    with pytest.raises(UnknownSymbolError, match="binance no longer trades XUSDT"):
        fetch(symbol="XUSDT", start_ms=START_MS)


@pytest.mark.parametrize(
    ("name", "interval", "message"),
    [("bitcoinbank", "1h", "is no exchange"), ("kraken", "2h", "kraken has no 2h candles; it has 1m, 5m")],
)
def test_what_no_exchange_offers_is_said(server, name, interval, message):
    with pytest.raises(ExchangeError, match=message):
        download(open_exchange(name), Wanted("BTCUSDT", interval))


def test_the_most_traded_pairs_come_first(server):
    server.candles = {f"{coin}USDT": make_candles(1) for coin in "ABCD"}
    server.volumes = {"AUSDT": 5.0, "BUSDT": 50.0, "CUSDT": 500.0, "DUSDT": 1.0}
    assert open_exchange("binance").most_traded(3) == ["CUSDT", "BUSDT", "AUSDT"]


def test_time_that_runs_out_is_said_and_what_came_is_kept(server, monkeypatch):
    """Every page takes a second, by a clock of the test's own."""
    monkeypatch.setattr(downloading, "time", SimpleNamespace(monotonic=lambda: float(len(server.requests))))
    with pytest.raises(ExchangeError, match="start it again to go on"):
        download(open_exchange("binance"), Wanted("BTCUSDT", "1h", start_ms=START_MS), seconds=1.5)
    assert same(stored(), CANDLES.bars(0, 2000))
