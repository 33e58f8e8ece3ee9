"""A market that never existed, for trying things out where there are no real candles.

Coins move with the market and with themselves; both have fat tails, calm and wild times, and a daily rhythm,
so that strategies meet trends, crashes and noise of a credible size. The same arguments give equal candles.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from market_data.candles import Candles, FloatArray, IntArray
from market_data.intervals import DAY_MS, INTERVAL_MS

SOURCE = "sample"
END_MS = (
    1_767_225_600_000  # 2026-01-01: fixed, so that a generated market does not depend on the day it is made
)
YEAR_DAYS = 365
COINS = """
    BTC ETH SOL XRP BNB DOGE ADA TRX AVAX LINK DOT LTC BCH UNI NEAR ATOM ETC XLM FIL APT ARB OP INJ SUI
    AAVE MKR GRT ALGO VET ICP HBAR QNT EGLD XTZ SAND MANA AXS THETA EOS FTM FLOW KSM ZEC DASH CRV SNX ENJ BAT
""".split()  # noqa: SIM905 (a list of 48 lines says no more)
_MARKET_SHARE = 0.65
_TAIL_DEGREES = 4.0
_YEARLY_VOLATILITY = (0.5, 1.2)
_FIRST_PRICE, _FIRST_DAILY_VOLUME = 40_000.0, 2e9  # of the largest coin; the others follow by rank


@dataclass(frozen=True, slots=True)
class SampleCoin:
    """One made-up cryptocurrency and its candles."""

    symbol: str
    name: str
    candles: Candles


def generate(
    *, symbol_count: int, candle_count: int, interval: str = "1h", seed: int = 1, end_ms: int = END_MS
) -> Iterator[SampleCoin]:
    """Make candles up, one cryptocurrency after the other.

    Parameters
    ----------
    symbol_count, candle_count
        How many cryptocurrencies, and how many candles each.
    interval
        Length of a candle, as in `INTERVAL_MS`.
    seed
        Another number gives another market.
    end_ms
        Close time of the last candle, milliseconds since 1970 UTC.
    """
    step_ms = INTERVAL_MS[interval]
    times = np.arange(end_ms - candle_count * step_ms, end_ms, step_ms, dtype=np.int64)
    scale = np.sqrt(step_ms / (YEAR_DAYS * DAY_MS))
    market = _shocks(np.random.default_rng([seed, 0]), candle_count)
    for number in range(symbol_count):
        random = np.random.default_rng([seed, number + 1])
        own = _shocks(random, candle_count)
        volatility = random.uniform(*_YEARLY_VOLATILITY) * (0.6 if number == 0 else 1.0)
        mixed = np.sqrt(_MARKET_SHARE) * market + np.sqrt(1 - _MARKET_SHARE) * own
        coin = symbol_name(number)
        yield SampleCoin(
            f"{coin}USDT",
            f"{coin} (generated)",
            _candles(random, number + 1, times, mixed * volatility * scale),
        )


def symbol_name(number: int) -> str:
    """The name of the n-th made-up coin; those after the well-known names are numbered."""
    return COINS[number] if number < len(COINS) else f"COIN{number + 1}"


def _shocks(random: np.random.Generator, count: int) -> FloatArray:
    """Returns with variance near 1: fat tails, and a volatility that wanders slowly."""
    tails = random.standard_t(_TAIL_DEGREES, count) / np.sqrt(_TAIL_DEGREES / (_TAIL_DEGREES - 2))
    knots = max(count // 72, 2)
    level = np.cumsum(random.normal(0.0, 0.25, knots))
    level -= np.linspace(0.0, level[-1], knots)
    wild = np.exp(np.interp(np.linspace(0, knots - 1, count), np.arange(knots), np.clip(level, -0.8, 0.8)))
    return np.clip(tails * wild / np.sqrt(np.mean(wild**2)), -12.0, 12.0)


def _candles(random: np.random.Generator, rank: int, times: IntArray, returns: FloatArray) -> Candles:
    """Candles around a path of log returns; prices are rounded to a tick, as on an exchange."""
    count = len(times)
    drift = random.normal(0.15, 0.45) / len(returns) - 0.5 * returns.var()
    start = _FIRST_PRICE * rank**-2.6 * random.lognormal(0.0, 0.3)
    path = start * np.exp(np.cumsum(np.concatenate([[0.0], returns + drift])))
    digits = int(np.clip(5 - np.floor(np.log10(path.min())), 2, 8))
    prices = np.maximum(np.round(path, digits), 10.0**-digits)
    opened, closed = prices[:-1].copy(), prices[1:].copy()
    spread = np.abs(returns).mean() * random.exponential(0.5, (2, count))
    high = np.round(np.maximum(opened, closed) * (1 + spread[0]), digits)
    low = np.round(np.minimum(opened, closed) * (1 - np.minimum(spread[1], 0.5)), digits)
    rhythm = 1 + 0.4 * np.sin(2 * np.pi * (times % DAY_MS) / DAY_MS)
    per_candle = _FIRST_DAILY_VOLUME * rank**-1.2 * (times[-1] - times[0]) / DAY_MS / count
    traded = per_candle * rhythm * random.lognormal(0.0, 0.6, count)
    traded *= 1 + 3 * np.abs(returns) / returns.std()
    return Candles(
        times.copy(),
        opened,
        np.maximum(high, np.maximum(opened, closed)),
        np.clip(low, 10.0**-digits, np.minimum(opened, closed)),
        closed,
        np.round(traded / prices[:-1], 3),
    )
