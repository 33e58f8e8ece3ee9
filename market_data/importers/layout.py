"""Which column of a table means what: recognised by the names that exchanges and tools give them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from market_data.errors import FileRefusedError
from market_data.intervals import INTERVAL_MS
from market_data.symbols import QUOTES, split_symbol, symbol_of

FIELDS = ("time", "open", "high", "low", "close", "volume")
_NAMES = {
    "time": "datetime open_time opentime open_time_ms start_time timestamp unix_timestamp unix time date t",
    "open": "open o open_price first",
    "high": "high h high_price max",
    "low": "low l low_price min",
    "close": "close c close_price last",
    "volume": "volume v vol base_volume volume_base",
    "symbol": "symbol ticker pair tic market instrument coin",
}
HEADERLESS = {
    12: (
        "binance",
        "time open high low close volume close_time quote_volume trades taker taker_quote ignore",
    ),
    8: ("kraken", "time open high low close vwap volume trades"),
    7: ("kraken", "time open high low close volume trades"),
    6: ("rows", "time open high low close volume"),
}
"""Tables without a header, told apart by how many columns they have: a name and the columns."""
_MINUTES = {str(length // 60_000): name for name, length in INTERVAL_MS.items()}


@dataclass(frozen=True, slots=True)
class Layout:
    """What a table's columns mean.

    Attributes
    ----------
    name
        What make of table it is, for people.
    columns
        The table's own name of each of `FIELDS`.
    symbol_column
        The column that names the cryptocurrency, if there is one.
    """

    name: str
    columns: dict[str, str]
    symbol_column: str | None


def detect(columns: Sequence[str], overrides: Mapping[str, str], file_name: str, base: str = "") -> Layout:
    """The layout of a table with a header.

    Parameters
    ----------
    columns
        As the header names them, in any order and case.
    overrides
        Columns that the user has named: `{"time": "Date"}`.
    base
        The coin, when it is known: tells its volume from the one in quote currency.

    Raises
    ------
    FileRefusedError
        If a column is missing, or was named and is not there.
    """
    by_name = {_plain(column): column for column in columns}
    for field, column in overrides.items():
        if field not in (*FIELDS, "symbol") or column not in columns:
            raise FileRefusedError(
                f"{file_name} has no column {column!r} for {field!r}; it has {', '.join(columns)}."
            )
    chosen: dict[str, str] = {}
    for field in FIELDS:
        column = overrides.get(field) or _column_of(field, by_name, base)
        if column is None:
            raise FileRefusedError(
                f"{file_name} has no column for {field!r}; it has {', '.join(columns)[:200]}. Name it with "
                f"--columns {field}=NAME, or check the delimiter."
            )
        chosen[field] = column
    symbol = overrides.get("symbol") or _column_of("symbol", by_name, base)
    return Layout(_make(by_name), chosen, symbol)


def symbol_in(stem: str) -> str | None:
    """The symbol in a file's name: `binance_BTCUSDT_1h`, `BTC_USDT-1h`; None if there is none, or two."""
    words = re.findall(r"[A-Za-z0-9]+", stem)
    found: list[str] = []
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if split_symbol(word.upper())[1] and word.upper() not in QUOTES:
            found.append(word)
        elif following.upper() in QUOTES:
            found.append(word + following)
    upper = {word for word in found if word.isupper()} or {word.upper() for word in found}
    return symbol_of(upper.pop()) if len(upper) == 1 else None


def interval_in(stem: str) -> str | None:
    """The interval in a file's name: `1h` in `BTCUSDT-1h-2024-01`, 60 minutes in Kraken's `XBTUSD_60`."""
    words = re.split(r"[^A-Za-z0-9]+", stem)
    named = [word.lower() for word in words if word.lower() in INTERVAL_MS]
    if named:
        return named[0]
    return _MINUTES.get(words[-1]) if len(words) == 2 else None


def _plain(column: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", column.strip().lower()).strip("_")


def _column_of(field: str, by_name: Mapping[str, str], base: str) -> str | None:
    names = _NAMES[field].split()
    if field == "volume":
        names = [f"volume_{base.lower()}", *_volumes_of_a_coin(by_name), *names]
    return next((by_name[name] for name in names if name in by_name), None)


def _volumes_of_a_coin(by_name: Mapping[str, str]) -> list[str]:
    """`volume_eth`, but not `volume_usdt`."""
    return [name for name in by_name if name.startswith("volume_") and name[7:].upper() not in QUOTES]


def _make(by_name: Mapping[str, str]) -> str:
    if "adj_close" in by_name:
        return "yahoo"
    if "turnover" in by_name:
        return "bybit"
    if any(name.startswith("volume_") and name[7:].upper() in (*QUOTES, "BTC") for name in by_name):
        return "cryptodatadownload"
    if {"open_time", "close_time"} <= by_name.keys():
        return "binance"
    return "columns"
