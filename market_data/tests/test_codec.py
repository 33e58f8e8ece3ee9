import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market_data import codec
from market_data.candles import Candles
from market_data.tests.candle_maker import candles_at, make_candles, same, without


def test_candles_come_back_bit_for_bit():
    candles = without(make_candles(744), 3, 4, 200)
    assert same(codec.decode(codec.encode(candles), len(candles)), candles)


@given(
    st.lists(
        st.floats(min_value=1e-12, max_value=1e15, allow_nan=False, allow_infinity=False),
        min_size=1,
        max_size=40,
    )
)
def test_prices_that_are_no_decimals_come_back_bit_for_bit(prices: list[float]):
    values = np.array(prices)
    times = 1_704_067_200_000 + 3_600_000 * np.arange(len(values), dtype=np.int64)
    candles = Candles(times, values, values, values, values, values / 3)
    assert same(codec.decode(codec.encode(candles), len(values)), candles)


def test_columns_of_different_types_come_back_in_any_order():
    values = {
        "short": np.array([1.25, 2.5, 3.75]),
        "short too": np.array([1.0, 20.0, 3.0]),
        "long": np.array([1234567.8, 2.5, 0.1]),
        "longer": np.array([98765432101.5, 2.0, 1.0]),
        "no decimal": np.array([1 / 3, 2 / 3, 0.1]),
    }
    times = 1_704_067_200_000 + 3_600_000 * np.arange(3, dtype=np.int64)
    for columns in itertools.permutations(values.values()):
        candles = Candles(times, *columns)
        assert same(codec.decode(codec.encode(candles), 3), candles)


def test_times_to_the_millisecond_come_back():
    candles = candles_at(np.array([1_704_067_200_001, 1_704_067_200_777, 1_709_999_999_999], dtype=np.int64))
    assert same(codec.decode(codec.encode(candles), 3), candles)


def test_equal_candles_have_equal_bytes_and_checksums():
    assert codec.encode(make_candles(100)) == codec.encode(make_candles(100))
    assert codec.checksum(make_candles(100)) == codec.checksum(make_candles(100))


@pytest.mark.parametrize("name", codec.COLUMNS)
def test_the_checksum_sees_a_change_of_one_value_in_any_column(name: str):
    candles, changed = make_candles(100), make_candles(100)
    array = getattr(changed, name)
    array[50] = np.nextafter(array[50], np.inf) if array.dtype == np.float64 else array[50] + 1
    assert codec.checksum(candles) != codec.checksum(changed)


def test_a_month_of_decimals_takes_less_than_half_of_the_arrays():
    candles = make_candles(744)
    assert len(codec.encode(candles)) < 744 * 48 / 2


@pytest.mark.parametrize(
    "damage", [lambda data: data[:40], lambda data: data[:10], lambda data: b"\x07" + data[1:]]
)
def test_damaged_bytes_are_refused(damage):
    data = codec.encode(make_candles(100))
    with pytest.raises(codec.ChunkError):
        codec.decode(damage(data), 100)
