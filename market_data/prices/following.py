"""Which symbols a feed follows."""

import re
from collections.abc import Sequence

from market_data.errors import MarketDataError
from market_data.intervals import INTERVAL_MS
from market_data.market import cryptocurrencies
from market_data.symbols import SYMBOL

MOST_SYMBOLS = 200
MAJORS = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT", "BNBUSDT", "DOGEUSDT", "ADAUSDT", "TRXUSDT")
"""What is followed as long as the store has no candles."""
_TOP = re.compile(r"top:([1-9][0-9]{0,3})")


class UnknownSymbolsError(MarketDataError):
    """Settings name symbols or intervals that can't be."""


def check_symbols(wanted: Sequence[str]) -> None:
    """Raise UnknownSymbolsError unless these are symbols, or `top:N`."""
    wrong = [symbol for symbol in wanted if not SYMBOL.fullmatch(symbol)]
    if _top(wanted) is not None:
        return
    if wrong or not 1 <= len(wanted) <= MOST_SYMBOLS:
        raise UnknownSymbolsError(
            f"PRICE_SYMBOLS is a list such as BTCUSDT,ETHUSDT of at most {MOST_SYMBOLS}, or top:48"
            + (f"; {wrong[0]!r} is no symbol." if wrong else ".")
        )


def check_intervals(wanted: Sequence[str]) -> None:
    """Raise UnknownSymbolsError for an interval that there is not."""
    for interval in wanted:
        if interval not in INTERVAL_MS:
            raise UnknownSymbolsError(
                f"PRICE_INTERVALS: there is no interval {interval!r}; there are {', '.join(INTERVAL_MS)}."
            )


def symbols_to_follow(wanted: Sequence[str]) -> list[str]:
    """The symbols that `PRICE_SYMBOLS` means: those it names, or with `top:N` the store's most traded.

    Raises
    ------
    UnknownSymbolsError
        If it names none, too many, or what is no symbol.
    """
    check_symbols(wanted)
    top = _top(wanted)
    return list(dict.fromkeys(wanted)) if top is None else _most_traded(top)


def has_room(wanted: Sequence[str], followed: Sequence[str]) -> bool:
    """Whether `PRICE_SYMBOLS` may come to mean more than the symbols that are followed."""
    top = _top(wanted)
    return top is not None and (len(followed) < top or tuple(followed) == MAJORS)


def _top(wanted: Sequence[str]) -> int | None:
    match = _TOP.fullmatch(wanted[0]) if len(wanted) == 1 else None
    return min(int(match[1]), MOST_SYMBOLS) if match else None


def _most_traded(count: int) -> list[str]:
    present = cryptocurrencies().exclude(symbol__contains=".")
    return [one.symbol for one in present[:count]] or list(MAJORS)
