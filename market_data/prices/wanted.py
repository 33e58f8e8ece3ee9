"""What a viewer asks for: which symbols, how often, from which source; and what it may say while it watches."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Literal
from urllib.parse import parse_qs

from pydantic import Field, TypeAdapter

from market_data.errors import MarketDataError
from market_data.symbols import symbol_of
from workers.messages import Message, parse_message

INTERVALS_SECONDS = (1, 5, 10, 30)
DEFAULT_INTERVAL_SECONDS = 5
MAX_SYMBOLS = 500
MAX_FIELDS = 20
SHOWN = 5


class InvalidWantedError(MarketDataError):
    """Something that can't be watched; `errors` holds a list of messages for each field."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        super().__init__("; ".join(f"{field}: {' '.join(messages)}" for field, messages in errors.items()))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one viewer watches.

    Attributes
    ----------
    symbols
        None means all there are.
    interval_seconds
        A price of a symbol is sent at most once in so many seconds.
    source
        Only prices from this source; None means from whichever is in use.
    """

    symbols: frozenset[str] | None = None
    interval_seconds: int = DEFAULT_INTERVAL_SECONDS
    source: str | None = None


def of_query(query: str) -> Wanted:
    """What `?symbols=BTCUSDT,ETHUSDT&interval=5&source=binance` asks for; each may be left out.

    Raises
    ------
    InvalidWantedError
        If there are too many symbols, one can't be one, or the interval is not offered.
    """
    try:
        values = parse_qs(query, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise InvalidWantedError({"query": [f"At most {MAX_FIELDS} parameters can be given."]}) from error
    return of_texts({name: texts[-1] for name, texts in values.items()})


def of_texts(values: Mapping[str, str]) -> Wanted:
    """`of_query` of what has been taken apart already."""
    errors: dict[str, list[str]] = {}
    symbols, problems = _symbols(values.get("symbols", "").split(","))
    if problems:
        errors["symbols"] = problems
    interval = _interval(values.get("interval", str(DEFAULT_INTERVAL_SECONDS)))
    if interval is None:
        errors["interval"] = [_which_intervals(values["interval"])]
    if errors or interval is None:
        raise InvalidWantedError(errors)
    return Wanted(symbols, interval, values.get("source") or None)


def check(wanted: Wanted, *, symbols: Collection[str], sources: Collection[str]) -> None:
    """Compare with what there is; where there are no prices at all yet, any symbol may come.

    Raises
    ------
    InvalidWantedError
        If a symbol or the source is not known.
    """
    errors: dict[str, list[str]] = {}
    unknown = sorted((wanted.symbols or frozenset()).difference(symbols)) if symbols else []
    if unknown:
        errors["symbols"] = [f"There are no live prices of {_some(unknown)}."]
    if wanted.source is not None and wanted.source not in sources:
        offered = ", ".join(sorted(sources)) or "none yet"
        errors["source"] = [f"There is no source {wanted.source[:40]!r}; there are: {offered}."]
    if errors:
        raise InvalidWantedError(errors)


class Set(Message):
    """Watch something else from now on; what is left out stays as it is, `null` symbols mean all."""

    type: Literal["set"]
    symbols: list[Annotated[str, Field(max_length=60)]] | None = Field(default=None, max_length=MAX_SYMBOLS)
    interval: int | None = None
    source: Annotated[str, Field(max_length=60)] | None = None


class Pause(Message):
    """Send nothing but alerts until `resume`."""

    type: Literal["pause"]


class Resume(Message):
    """Go on, with the newest price of each symbol that has changed meanwhile."""

    type: Literal["resume"]


Request = Set | Pause | Resume
_form: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="type")])


def parse(text: str | None) -> Request:
    """What a viewer says in a text frame.

    Raises
    ------
    InvalidMessageError
        If it is too long, not JSON, or not of a message's form.
    """
    return parse_message(text, _form)


def changed(wanted: Wanted, message: Set) -> Wanted:
    """What is wanted after a `set`.

    Raises
    ------
    InvalidWantedError
        As `of_query`.
    """
    given = message.model_fields_set
    if "symbols" in given:
        symbols, problems = _symbols(message.symbols or ())
        if problems:
            raise InvalidWantedError({"symbols": problems})
        wanted = replace(wanted, symbols=symbols)
    if "interval" in given:
        if message.interval not in INTERVALS_SECONDS:
            raise InvalidWantedError({"interval": [_which_intervals(str(message.interval))]})
        wanted = replace(wanted, interval_seconds=message.interval)
    return replace(wanted, source=message.source or None) if "source" in given else wanted


def _symbols(names: Iterable[str]) -> tuple[frozenset[str] | None, list[str]]:
    """The symbols in names, None for no name at all, and what is wrong with them."""
    given = [name for name in (name.strip() for name in names) if name]
    if len(given) > MAX_SYMBOLS:
        return None, [f"At most {MAX_SYMBOLS} symbols can be watched at once; got {len(given)}."]
    found = {name: symbol_of(name[:60]) for name in given}
    wrong = [name for name, symbol in found.items() if symbol is None]
    if wrong:
        return None, [f"Symbols look like BTCUSDT; got {_some(wrong)}."]
    return frozenset(symbol for symbol in found.values() if symbol is not None) or None, []


def _interval(text: str) -> int | None:
    return int(text) if text in map(str, INTERVALS_SECONDS) else None


def _which_intervals(got: str) -> str:
    offered = ", ".join(map(str, INTERVALS_SECONDS))
    return f"Prices are sent every {offered} seconds; got {got[:20]!r}."


def _some(names: list[str]) -> str:
    shown = ", ".join(name[:30] for name in names[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown} and {len(names) - SHOWN} more"
