import numpy as np
import pytest
from django.core.management import call_command

from market_data import sample
from market_data.candles import validate
from market_data.intervals import DAY_MS, HOUR_MS
from market_data.models import CandleSeries
from market_data.tests.candle_maker import same

HOURS = 24 * 180


@pytest.fixture(scope="module")
def market() -> list[sample.SampleCoin]:
    return list(sample.generate(symbol_count=6, candle_count=HOURS))


def returns(coin: sample.SampleCoin) -> np.ndarray:
    return np.diff(np.log(coin.candles.close))


def test_generated_candles_are_legal_and_without_gaps(market):
    for coin in market:
        validate(coin.candles)
        assert np.all(np.diff(coin.candles.open_time_ms) == HOUR_MS)
        assert coin.candles.open_time_ms[-1] == sample.END_MS - HOUR_MS


def test_the_same_seed_gives_the_same_market_and_another_seed_another(market):
    again = list(sample.generate(symbol_count=2, candle_count=HOURS))
    other = list(sample.generate(symbol_count=2, candle_count=HOURS, seed=2))
    assert same(again[1].candles, market[1].candles)
    assert not same(other[1].candles, market[1].candles)


def test_coins_move_together_but_not_alike(market):
    correlation = np.corrcoef([returns(coin) for coin in market])
    others = correlation[~np.eye(len(market), dtype=bool)]
    assert np.all((others > 0.4) & (others < 0.9))


def test_returns_have_fat_tails_and_a_credible_size(market):
    for coin in market:
        change = returns(coin)
        assert np.mean((change - change.mean()) ** 4) / change.var() ** 2 > 4.5, "a normal distribution has 3"
        assert 0.3 < change.std() * np.sqrt(365 * 24) < 1.6


def test_a_large_market_has_a_name_for_every_coin():
    names = {sample.symbol_name(number) for number in range(211)}
    assert len(names) == 211
    assert len(sample.COINS) == 48


@pytest.mark.django_db
def test_the_command_stores_a_market_that_is_marked_generated():
    call_command("generate_market", symbols=3, years=40 / 365, interval="4h")
    series = list(CandleSeries.objects.select_related("cryptocurrency").order_by("cryptocurrency__symbol"))
    assert [row.cryptocurrency.symbol for row in series] == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
    assert {(row.generated, row.source, row.interval, row.candle_count) for row in series} == {
        (True, "sample", "4h", 240)
    }
    assert series[0].last_open_ms == sample.END_MS - DAY_MS // 6
