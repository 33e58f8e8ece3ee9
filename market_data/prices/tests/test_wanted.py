"""What a viewer may ask for, and what it is told when it may not."""

import pytest

from market_data.prices.wanted import (
    INTERVALS_SECONDS,
    MAX_SYMBOLS,
    InvalidWantedError,
    Pause,
    Resume,
    Set,
    Wanted,
    changed,
    check,
    of_query,
    parse,
)
from workers.messages import InvalidMessageError


def test_left_out_means_everything_every_five_seconds():
    assert of_query("") == of_query("symbols=&source=") == Wanted(None, 5, None)


def test_symbols_are_read_however_they_are_written():
    wanted = of_query("symbols=btcusdt, ETH/USDT,BTCUSDT,&interval=30&source=binance")
    assert wanted == Wanted(frozenset({"BTCUSDT", "ETHUSDT"}), 30, "binance")


@pytest.mark.parametrize("interval", ["0", "2", "-5", "5.0", "1e1", "x", "", "٥", "9" * 5000])
def test_an_interval_that_is_not_offered_is_refused_with_those_that_are(interval: str):
    with pytest.raises(InvalidWantedError) as refused:
        of_query(f"interval={interval}")
    assert refused.value.errors["interval"][0].startswith("Prices are sent every 1, 5, 10, 30 seconds; got '")
    assert len(str(refused.value)) < 100


@pytest.mark.parametrize("symbols", ["€", "A", "x" * 400, "BTC USDT!", "%00%00"])
def test_what_can_be_no_symbol_is_named(symbols: str):
    with pytest.raises(InvalidWantedError) as refused:
        of_query(f"symbols=BTCUSDT,{symbols}")
    assert "Symbols look like BTCUSDT; got " in refused.value.errors["symbols"][0]
    assert len(str(refused.value)) < 120


def test_too_many_symbols_and_parameters_are_refused():
    with pytest.raises(
        InvalidWantedError, match=f"At most {MAX_SYMBOLS} symbols can be watched at once; got 501"
    ):
        of_query("symbols=" + ",".join(f"A{number}USDT" for number in range(MAX_SYMBOLS + 1)))
    with pytest.raises(InvalidWantedError, match="At most 20 parameters"):
        of_query("&".join(f"a{number}=1" for number in range(30)))


def test_unknown_symbols_and_sources_are_named_beside_what_there_is():
    wanted = of_query("symbols=NOSUCH,BTCUSDT&source=mtgox")
    with pytest.raises(InvalidWantedError) as refused:
        check(wanted, symbols={"BTCUSDT"}, sources={"binance", "ccxt:kraken"})
    assert refused.value.errors == {
        "symbols": ["There are no live prices of NOSUCH."],
        "source": ["There is no source 'mtgox'; there are: binance, ccxt:kraken."],
    }
    check(of_query("symbols=BTCUSDT&source=binance"), symbols={"BTCUSDT"}, sources={"binance"})


def test_of_many_unknown_symbols_only_some_are_named():
    wanted = of_query("symbols=" + ",".join(f"A{number}USDT" for number in range(100)))
    with pytest.raises(InvalidWantedError, match="and 95 more"):
        check(wanted, symbols={"BTCUSDT"}, sources=())


def test_before_the_first_price_any_symbol_may_be_waited_for():
    check(of_query("symbols=BTCUSDT"), symbols=(), sources=())


def test_messages_are_read():
    assert parse('{"type":"pause"}') == Pause(type="pause")
    assert parse('{"type":"resume"}') == Resume(type="resume")
    message = parse('{"type":"set","symbols":["btcusdt"],"interval":1}')
    assert message == Set(type="set", symbols=["btcusdt"], interval=1)


@pytest.mark.parametrize(
    "text",
    [
        None, "", "null", "[]", "{", '{"type":"stop"}', '{"type":"set","interval":"soon"}', '{"type":"set","colour":1}',
        '{"type":"pause","symbols":[]}', '{"type":"set","symbols":"BTCUSDT"}', '{"type":"set","symbols":[1]}',
        '{"type":"set","symbols":[' + ",".join(['"BTCUSDT"'] * 501) + "]}", "[" * 10_000, " " * 20_000,
    ],
)  # fmt: skip
def test_a_malformed_message_is_refused_in_a_sentence(text: str | None):
    with pytest.raises(InvalidMessageError) as refused:
        parse(text)
    assert 0 < len(str(refused.value)) < 300


def test_a_set_changes_only_what_it_names():
    wanted = Wanted(frozenset({"BTCUSDT"}), 5, "binance")
    assert changed(wanted, Set(type="set", interval=1)) == Wanted(frozenset({"BTCUSDT"}), 1, "binance")
    assert changed(wanted, Set(type="set", symbols=None)) == Wanted(None, 5, "binance")
    assert changed(wanted, Set(type="set", symbols=["eth-usdt"], source=None)) == Wanted(
        frozenset({"ETHUSDT"}), 5
    )


@pytest.mark.parametrize("interval", [0, 2, -1, None, 31])
def test_a_set_can_only_choose_what_is_offered(interval: int | None):
    with pytest.raises(InvalidWantedError, match="Prices are sent every"):
        changed(Wanted(), Set(type="set", interval=interval))
    with pytest.raises(InvalidWantedError, match="Symbols look like"):
        changed(Wanted(), Set(type="set", symbols=["€"], interval=INTERVALS_SECONDS[0]))
