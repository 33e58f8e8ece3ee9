"""The indicators that the page draws are those the engine decides by: both are held to one file."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backtests.engine.indicators import averages, momentum, volatility
from market_data.candles import FloatArray

FIXTURE = Path(__file__).parents[2] / "tests" / "fixtures" / "indicators.json"
PERIOD = 6


def computed(high: FloatArray, low: FloatArray, close: FloatArray) -> dict[str, FloatArray]:
    """Every indicator that the page draws, by the engine."""
    line, signal = momentum.macd(close, 5, 9, 4)
    mean, deviation = volatility.mean_and_deviation(close, PERIOD)
    return {
        "sma": averages.sma(close, PERIOD),
        "ema": averages.ema(close, PERIOD),
        "rsi": momentum.rsi(close, PERIOD),
        "simple_rsi": momentum.simple_rsi(close, PERIOD),
        "macd": line,
        "macd_signal": signal,
        "mean": mean,
        "deviation": deviation,
        "atr": volatility.atr(high, low, close, PERIOD),
        "roc": momentum.roc(close, PERIOD),
        "highest": _of_the_bars_before(volatility.highest(high, PERIOD)),
        "lowest": _of_the_bars_before(volatility.lowest(low, PERIOD)),
    }


def _of_the_bars_before(values: FloatArray) -> FloatArray:
    return np.concatenate([[np.nan], values[:-1]])


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    return json.loads(FIXTURE.read_text())


def test_the_engine_computes_the_indicators_that_the_page_is_tested_with(reference: dict[str, Any]):
    columns = {name: np.array(values, dtype=np.float64) for name, values in reference["candles"].items()}
    values = computed(**columns)
    assert set(values) == set(reference["values"])
    for name, found in values.items():
        expected = np.array(reference["values"][name], dtype=np.float64)
        np.testing.assert_allclose(found, expected, rtol=1e-12, err_msg=name)
