"""What an operator may write, and what the answer is to what can't be."""

import pytest
from django.core.management import CommandError, call_command

from market_data import store
from market_data.errors import MarketDataError
from market_data.prices.activity import Activity
from market_data.prices.following import MAJORS, symbols_to_follow
from market_data.prices.sources.binance import parse
from market_data.prices.sources.opening import check_names, open_source
from market_data.prices.sources.protocol import ClosedCandle, SourceError, Tick
from market_data.prices.tests.price_maker import make_price
from market_data.prices.tuning import Tuning
from market_data.tests.candle_maker import make_candles


@pytest.mark.parametrize(
    "names",
    [[], ["binance", "binance"], ["binance", "a", "b", "c"], ["nasdaq"], ["ccxt:"], ["ccxt:No"], [""]],
)
def test_sources_that_there_are_not_are_refused_by_name(names: list[str]):
    with pytest.raises(MarketDataError, match="PRICE_SOURCES"):
        check_names(names)


def test_sources_are_known_by_their_names(settings):
    settings.EXCHANGE_URLS = {"coingecko": "http://127.0.0.1:1"}
    names = ["binance", "ccxt:kraken", "coingecko", "replay"]
    check_names(names[:3])
    opened = [open_source(name, replay_url="http://127.0.0.1:1") for name in names]
    assert [one.name for one in opened] == names
    assert [one.series_source for one in opened] == ["binance", "kraken", None, "replay"]
    assert [one.is_replay for one in opened] == [False, False, False, True]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PRICE_SOURCES", ["nasdaq"], "there is no source 'nasdaq'"),
        ("PRICE_SYMBOLS", ["BTC/USDT"], "'BTC/USDT' is no symbol"),
        ("PRICE_INTERVALS", ["7m"], "there is no interval '7m'"),
        ("PRICE_FEED", {"hurry": 1}, "hurry"),
        ("PRICE_FEED", {"poll_seconds": "soon"}, "poll_seconds"),
    ],
)
def test_the_command_ends_with_what_is_wrong(settings, name: str, value: object, words: str):
    settings.PRICE_SOURCES, settings.PRICE_SYMBOLS = ["replay"], ["BTCUSDT"]
    setattr(settings, name, value)
    with pytest.raises(CommandError, match=words):
        call_command("price_feed")


@pytest.mark.django_db
def test_the_most_traded_symbols_of_the_store_are_followed(settings, tmp_path):
    settings.CANDLE_FILES_DIR = tmp_path
    assert symbols_to_follow(["top:3"]) == list(MAJORS)
    for number, symbol in enumerate(("AUSDT", "BUSDT", "CUSDT", "LUNAUSDT.202205")):
        candles = make_candles(30)
        candles.volume[:] *= 10**number
        store.write_candles(symbol=symbol, source="files", interval="1h", candles=candles)
    assert symbols_to_follow(["top:2"]) == ["CUSDT", "BUSDT"]
    assert symbols_to_follow(["XUSDT", "AUSDT", "XUSDT"]) == ["XUSDT", "AUSDT"]


@pytest.mark.parametrize("wanted", [[], ["top:0"], ["top:x"], ["btcusdt"], ["BTCUSDT", "top:3"], ["A" * 99]])
@pytest.mark.django_db
def test_symbols_that_cannot_be_are_refused(wanted: list[str]):
    with pytest.raises(MarketDataError, match="PRICE_SYMBOLS"):
        symbols_to_follow(wanted)


TICKER = '{"stream": "x", "data": {"e": "24hrTicker", "E": 7, "s": "BTCUSDT", "c": "1.5", "P": "-2.5"}}'
KLINE = (
    '{"stream": "x", "data": {"e": "kline", "k": {"s": "BTCUSDT", "i": "1h", "t": 0, "x": %s,'
    ' "o": "1", "h": "2", "l": "0.5", "c": "1.5", "v": "10"}}}'
)


def test_streams_are_read():
    assert parse(TICKER) == Tick("BTCUSDT", 1.5, 7, change_24h=-0.025)
    assert parse(KLINE % "true") == ClosedCandle("BTCUSDT", "1h", 0, 1.0, 2.0, 0.5, 1.5, 10.0)
    assert parse(KLINE % "false") is None
    assert parse('{"stream": "x", "data": {"e": "trade"}}') is None


@pytest.mark.parametrize(
    "message",
    [
        "",
        "[]",
        "null",
        "7",
        "{}",
        '{"data": 7}',
        '{"data": {}}',
        TICKER[:-9],
        TICKER.replace('"1.5"', '"x"'),
        b"\xff\xfe",
    ],
)
def test_a_message_that_is_none_of_binances_is_an_error_of_the_source(message: str | bytes):
    with pytest.raises(SourceError, match="can't be read"):
        parse(message)


def test_entries_of_the_activity_have_rising_ids_and_large_moves_and_extremes_are_told_once():
    activity = Activity(Tuning(), kept=[{"id": 1 << 60}])
    before = make_price(price=100.0, high_24h=110.0, low_24h=90.0)
    activity.notice(None, before)
    for price, high, low in (
        (101.0, 110.0, 90.0),
        (111.0, 111.0, 90.0),
        (112.0, 112.0, 90.0),
        (80.0, 112.0, 80.0),
    ):
        after = make_price(price=price, high_24h=high, low_24h=low)
        activity.notice(before, after)
        before = after
    assert [entry["kind"] for entry in activity.unsent] == ["large_move", "high_24h", "large_move", "low_24h"]
    ids = [entry["id"] for entry in activity.kept]
    assert ids == sorted(set(ids))
    assert ids[1] == (1 << 60) + 1
