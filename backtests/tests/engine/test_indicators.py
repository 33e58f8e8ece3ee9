"""Indicators against TA-Lib, and where there is little or nothing to compute."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import talib

from backtests.engine.indicators.averages import ema, sma
from backtests.engine.indicators.momentum import macd, roc, rsi, simple_rsi
from backtests.engine.indicators.trend import adx
from backtests.engine.indicators.volatility import atr, highest, lowest, mean_and_deviation
from backtests.engine.sample_candles import random_walk
from market_data.candles import Candles, FloatArray

PERIODS = (2, 3, 14, 50)


def both(candles: Candles, period: int) -> dict[str, tuple[Any, Any]]:
    """Our values and TA-Lib's, by indicator."""
    high, low, close = candles.high, candles.low, candles.close
    mean, deviation = mean_and_deviation(close, period)
    upper, middle, lower = talib.BBANDS(close, period, 2.0, 2.0)
    line, signal = macd(close, period, 2 * period, 9)
    their_line, their_signal, _ = talib.MACD(close, period, 2 * period, 9)
    line[np.isnan(their_line)] = np.nan  # TA-Lib shows the line only from the signal line's first value on
    return {
        "sma": (sma(close, period), talib.SMA(close, period)),
        "ema": (ema(close, period), talib.EMA(close, period)),
        "rsi": (rsi(close, period), talib.RSI(close, period)),
        "roc": (roc(close, period), talib.ROC(close, period)),
        "stddev": (deviation, talib.STDDEV(close, period, 1.0)),
        "bbands upper": (mean + 2.0 * deviation, upper),
        "bbands middle": (mean, middle),
        "bbands lower": (mean - 2.0 * deviation, lower),
        "macd line": (line, their_line),
        "macd signal": (signal, their_signal),
        "atr": (atr(high, low, close, period), talib.ATR(high, low, close, period)),
        "adx": (adx(high, low, close, period), talib.ADX(high, low, close, period)),
        "max": (highest(high, period), talib.MAX(high, period)),
        "min": (lowest(low, period), talib.MIN(low, period)),
    }


IN_PERCENT = ("rsi", "roc", "adx")


def assert_same(candles: Candles, period: int) -> None:
    """Equal to 1e-9; NaN at the same bars.

    Prices and their spreads are compared relative to the highest price so far: TA-Lib's running sums keep the
    rounding errors of all earlier prices.
    """
    highest_so_far = np.maximum.accumulate(candles.high)
    for name, (ours, theirs) in both(candles, period).items():
        scale = 100.0 if name in IN_PERCENT else highest_so_far
        assert np.array_equal(np.isnan(ours), np.isnan(theirs)), f"{name}({period}): NaN at other bars"
        difference = np.nanmax(np.abs(ours - theirs) / scale, initial=0.0)
        assert difference <= 1e-9, f"{name}({period}) differs by {difference}"


def assert_exact(close: FloatArray, period: int) -> None:
    """Means and deviations equal those of every window by itself to 1e-9 of the larger of price and value."""
    windows = np.lib.stride_tricks.sliding_window_view(close, period)
    mean, deviation = mean_and_deviation(close, period)
    valid = slice(period - 1, None)
    for ours, exact in (
        (sma(close, period), windows.mean(1)),
        (mean, windows.mean(1)),
        (deviation, windows.std(1)),
    ):
        assert np.max(np.abs(ours[valid] - exact) / np.maximum(close[valid], exact)) <= 1e-9


@pytest.mark.parametrize("period", PERIODS)
def test_indicators_equal_ta_lib_on_a_random_walk(period: int):
    assert_same(random_walk(3_000, seed=4), period)


@pytest.mark.parametrize("period", PERIODS)
@pytest.mark.parametrize("factor", [1e-3, 1e-6])
def test_means_and_deviations_stay_exact_after_a_collapse(period: int, factor: float):
    close = random_walk(600, seed=4).close
    close[300:] *= factor
    assert_exact(close, period)


@pytest.mark.real_candles
def test_indicators_equal_ta_lib_on_every_real_series(
    real_series_names: list[Path], load_real_series: Callable[[Path], Candles]
):
    assert len(real_series_names) >= 140
    for name in real_series_names:
        candles = load_real_series(name)
        for period in (14, 20):
            assert_same(candles, period)
            assert_exact(candles.close, period)


def test_a_gap_in_time_changes_nothing_as_indicators_count_bars():
    walk = random_walk(400, seed=6)
    times = walk.open_time_ms.copy()
    times[200:] += 90 * 86_400_000
    gapped = Candles(times, walk.open, walk.high, walk.low, walk.close, walk.volume)
    for (ours, _), (other, _) in zip(both(walk, 14).values(), both(gapped, 14).values(), strict=True):
        assert np.array_equal(ours, other, equal_nan=True)


@pytest.mark.parametrize("length", [0, 1, 2, 13, 14, 15, 27, 28, 29])
def test_short_series_give_arrays_of_their_length_with_nan_until_the_first_value(length: int):
    walk = random_walk(40, seed=8).bars(0, length)
    first = {
        "sma": 13,
        "ema": 13,
        "rsi": 14,
        "roc": 14,
        "stddev": 13,
        "atr": 14,
        "adx": 27,
        "max": 13,
        "min": 13,
    }
    values = {
        "sma": sma(walk.close, 14),
        "ema": ema(walk.close, 14),
        "rsi": rsi(walk.close, 14),
        "roc": roc(walk.close, 14),
        "stddev": mean_and_deviation(walk.close, 14)[1],
        "atr": atr(walk.high, walk.low, walk.close, 14),
        "adx": adx(walk.high, walk.low, walk.close, 14),
        "max": highest(walk.high, 14),
    }
    for name, array in values.items():
        assert array.shape == (length,), name
        assert np.array_equal(np.isnan(array), np.arange(length) < first[name]), name
    line, signal = macd(walk.close, 5, 14, 4)
    assert np.array_equal(np.isnan(line), np.arange(length) < 13)
    assert np.array_equal(np.isnan(signal), np.arange(length) < 16)


def test_constant_prices_have_no_deviation_no_range_and_no_direction():
    close = np.full(200, 1 / 3)
    mean, deviation = mean_and_deviation(close, 14)
    assert set(mean[13:]) == {1 / 3}
    assert set(deviation[13:]) == {0.0}
    assert set(atr(close, close, close, 14)[14:]) == {0.0}
    assert set(adx(close, close, close, 14)[27:]) == {0.0}
    assert set(rsi(close, 14)[14:]) == set(talib.RSI(close, 14)[14:]) == {0.0}
    assert np.isnan(simple_rsi(close, 14)).all()
    assert sma(close, 14)[13:] == pytest.approx(1 / 3, rel=1e-15)


def test_after_a_spike_has_left_the_window_constant_prices_have_no_deviation_again():
    close = np.full(200, 1 / 3)
    close[50] = 1e6
    _, deviation = mean_and_deviation(close, 14)
    assert (deviation[50:64] > 0).all()
    assert set(deviation[64:]) == {0.0}
    assert np.isnan(simple_rsi(close, 14)[65:]).all()


def test_after_a_fading_spike_has_left_the_window_constant_prices_have_no_deviation_again():
    close = np.full(200, 1 / 3)
    close[57:67] *= 1.0 + 1e8 / 10.0 ** np.arange(10)
    mean, deviation = mean_and_deviation(close, 14)
    assert set(mean[80:]) == {1 / 3}
    assert set(deviation[80:]) == {0.0}


def test_deviation_of_tiny_moves_of_a_large_price_is_exact():
    random = np.random.default_rng(0)
    close = 69_000.0 + random.normal(0.0, 1e-3, 2_000)
    _, deviation = mean_and_deviation(close, 20)
    windows = np.lib.stride_tricks.sliding_window_view(close, 20)
    assert deviation[19:] == pytest.approx(windows.std(axis=1), rel=1e-9)


def test_simple_rsi_is_the_share_of_rises_in_the_window():
    close = random_walk(500, seed=9).close
    change = np.lib.stride_tricks.sliding_window_view(np.diff(close), 14)
    rises, falls = np.maximum(change, 0).sum(axis=1), np.maximum(-change, 0).sum(axis=1)
    assert simple_rsi(close, 14)[14:] == pytest.approx(100 * rises / (rises + falls), rel=1e-9)


def test_published_values_of_goog(goog: Candles):
    values = rsi(goog.close, 14)
    assert np.isnan(values[13])
    assert values[14] == pytest.approx(53.27569, abs=1e-5)
    line, signal = macd(goog.close, 12, 26, 9)
    assert np.isnan(signal[32])
    assert signal[33] == pytest.approx(talib.MACD(goog.close, 12, 26, 9)[1][33])
    assert line[33] == pytest.approx(talib.MACD(goog.close, 12, 26, 9)[0][33])
