"""Is a strategy fit to be backtested? Look-ahead, determinism, memory, speed: each answered in a sentence."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from statistics import median
from typing import Any

import numpy as np

from backtests.engine.errors import EngineError
from backtests.engine.sample_candles import random_walk
from backtests.engine.shared import Shared, arrays
from backtests.engine.signals import ENTER_LONG, ENTER_SHORT, EXIT_LONG, EXIT_SHORT, Flags
from backtests.engine.trades import iso_time
from backtests.strategies.strategy import Strategy
from market_data.candles import Candles, FloatArray

CUTS = 12
SPEED_LIMIT_NS = 1_000
SAME = 1e-8
"""Indicator values that differ by less than this share of their usual size are the same."""

_WORDS = {
    ENTER_LONG: "enter long",
    EXIT_LONG: "exit long",
    ENTER_SHORT: "enter short",
    EXIT_SHORT: "exit short",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer of one check."""

    check: str
    passed: bool
    message: str


def check_strategy(
    strategy: Strategy, candles: Candles | None = None, parameters: Any = None
) -> list[Finding]:
    """Run all checks; a check that the strategy's code breaks off fails with what it raised."""
    parameters = strategy.Parameters() if parameters is None else parameters
    if candles is None:
        candles = random_walk(max(6_000, 4 * strategy.warm_up_bars(parameters)))
    checks = {
        "signals": check_signals_exist,
        "look-ahead": check_look_ahead,
        "determinism": check_determinism,
        "warm-up": check_warm_up,
        "speed": check_speed,
    }
    return [_run(name, check, strategy, candles, parameters) for name, check in checks.items()]


def _run(name: str, check: Callable[..., Finding], *arguments: Any) -> Finding:
    try:
        return check(*arguments)
    except EngineError as error:
        return Finding(name, False, str(error))


def check_signals_exist(strategy: Strategy, candles: Candles, parameters: Any) -> Finding:
    """Signals are well formed, the candles are left alone, and something is said at all."""
    copy = _copy(candles)
    flags = strategy.signals(copy, parameters).flags
    changed = [
        f.name for f in fields(candles) if not np.array_equal(getattr(copy, f.name), getattr(candles, f.name))
    ]
    if changed:
        return Finding("signals", False, f"decide() changes the candles it is given: {', '.join(changed)}")
    counts = [f"{np.count_nonzero(flags & flag)} × {word}" for flag, word in _WORDS.items()]
    entries = int(np.count_nonzero(flags & (ENTER_LONG | ENTER_SHORT)))
    message = f"{', '.join(counts)} over {len(candles)} bars"
    return Finding("signals", entries > 0, message if entries else f"it never enters: {message}")


def check_look_ahead(strategy: Strategy, candles: Candles, parameters: Any) -> Finding:
    """Signals up to a bar stay the same when the future is cut off, and when it is another one."""
    known = strategy.signals(candles, parameters).flags
    for end in _cuts(known, strategy.look_back_bars(parameters) + 1):
        for future, past in (
            ("cut off", candles.bars(0, end)),
            ("replaced", _with_another_future(candles, end)),
        ):
            flags = strategy.signals(_copy(past), parameters).flags[:end]
            bar = _first_difference(known[:end], flags)
            if bar is not None:
                return Finding(
                    "look-ahead", False, _look_ahead(candles, bar, known[bar], flags[bar], future, end)
                )
    return Finding("look-ahead", True, "signals don't change when later candles are cut off or replaced")


def _look_ahead(candles: Candles, bar: int, known: int, unknown: int, future: str, end: int) -> str:
    return (
        f"it looks ahead: at bar {bar} ({iso_time(int(candles.open_time_ms[bar]))}) it says {_say(known)}, "
        f"but {_say(unknown)} when the candles from bar {end} on are {future}"
    )


def check_determinism(strategy: Strategy, candles: Candles, parameters: Any) -> Finding:
    """The same candles give the same signals, whatever ran before."""
    first = strategy.signals(candles, parameters).flags.copy()
    again = strategy.signals(_copy(candles), parameters).flags.copy()
    strategy.signals(random_walk(len(candles), seed=1), parameters)
    later = strategy.signals(_copy(candles), parameters).flags
    for flags, when in ((again, "the second time"), (later, "after another series")):
        bar = _first_difference(first, flags)
        if bar is not None:
            return Finding("determinism", False, f"the same candles give other signals at bar {bar} {when}")
    return Finding("determinism", True, "the same candles give the same signals")


def check_warm_up(strategy: Strategy, candles: Candles, parameters: Any) -> Finding:
    """After `warm_up_bars`, signals no longer depend on where the data begins."""
    stated = strategy.warm_up_bars(parameters)
    needed = bars_until_same(strategy, candles, parameters)
    signals = needed.pop("signals")
    values = ", ".join(f"{name} {bars}" for name, bars in needed.items())
    message = f"signals depend on where the data begins for {signals} bars, warm_up_bars() states {stated}"
    if values:
        message += f"; values to {SAME:g}: {values}"
    return Finding("warm-up", signals <= stated, message)


def bars_until_same(strategy: Strategy, candles: Candles, parameters: Any) -> dict[str, int]:
    """Bars it takes until signals and indicators forget where the data begins.

    Knows the indicators that are asked for through `shared`. Compares the whole series with tails of it that
    begin later.
    """
    whole = Shared()
    flags = strategy.signals(candles, parameters, whole).flags
    needed = {"signals": 0}
    for start in _starts(len(candles), strategy.look_back_bars(parameters)):
        tail = Shared()
        tail_flags = strategy.signals(candles.bars(start, len(candles)), parameters, tail).flags
        differing = np.flatnonzero(flags[start:] != tail_flags)
        needed["signals"] = max(needed["signals"], _bars_until(differing))
        for (name, long), short in zip(whole.results().items(), tail.results().values(), strict=True):
            for one, other in zip(arrays(long), arrays(short), strict=True):
                bars = _bars_until(_differing_values(one[start:], other))
                needed[name] = max(needed.get(name, 0), bars)
    return needed


def _bars_until(differing: np.ndarray[Any, Any]) -> int:
    return int(differing[-1]) + 1 if differing.size else 0


def _differing_values(values: FloatArray, others: FloatArray) -> np.ndarray[Any, Any]:
    usual_size = float(np.nanmedian(np.abs(values))) if np.isfinite(values).any() else 0.0
    difference = np.abs(values - others)
    return np.flatnonzero((difference > SAME * usual_size) | (np.isnan(values) != np.isnan(others)))


def check_speed(strategy: Strategy, candles: Candles, parameters: Any) -> Finding:
    """Nanoseconds a bar, median of seven runs after the first."""
    strategy.signals(candles, parameters)
    times = [_time(lambda: strategy.signals(candles, parameters)) for _ in range(7)]
    speed = median(times) / len(candles)
    message = f"{speed:.1f} ns a bar for the signals of {len(candles)} bars"
    if speed <= SPEED_LIMIT_NS:
        return Finding("speed", True, message)
    return Finding(
        "speed", False, f"{message}: loop over bars in a compiled function (numba.njit) or use NumPy"
    )


def _time(function: Callable[[], object]) -> int:
    start = time.perf_counter_ns()
    function()
    return time.perf_counter_ns() - start


def _cuts(flags: Flags, lowest: int) -> Iterator[int]:
    """Ends of the known past: evenly spread, and right behind bars that say something."""
    n_bars = len(flags)
    spread = np.linspace(lowest, n_bars - 1, CUTS, dtype=np.int64)
    spoken = np.flatnonzero(flags)
    behind = spoken[np.linspace(0, len(spoken) - 1, CUTS, dtype=np.int64)] + 1 if spoken.size else spoken
    yield from (int(end) for end in np.unique(np.concatenate((spread, behind))) if lowest <= end < n_bars)


def _starts(n_bars: int, look_back: int) -> list[int]:
    """Where shortened series begin: odd numbers of bars, up to a third of the whole."""
    return [start for start in (1, 7, 101, n_bars // 5, n_bars // 3) if n_bars - start > look_back]


def _with_another_future(candles: Candles, end: int) -> Candles:
    """The candles with those from `end` on replaced: first far higher, then far lower prices."""
    factor = np.ones(len(candles))
    factor[end:] = np.where(np.arange(len(candles) - end) % 10 < 5, 3.0, 0.2)
    prices = (candles.open, candles.high, candles.low, candles.close)
    open_, high, low, close = (price * factor for price in prices)
    return Candles(candles.open_time_ms, open_, high, low, close, candles.volume * factor)


def _copy(candles: Candles) -> Candles:
    return replace(candles, **{field.name: getattr(candles, field.name).copy() for field in fields(candles)})


def _first_difference(one: Flags, other: Flags) -> int | None:
    bars = np.flatnonzero(one != other)
    return int(bars[0]) if bars.size else None


def _say(flags: int) -> str:
    words = [word for flag, word in _WORDS.items() if flags & flag]
    return " and ".join(words) or "nothing"
