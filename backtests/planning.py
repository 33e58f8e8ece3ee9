"""Which cryptocurrencies a run covers, and in which order they are done; the same for every kind."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import QuerySet

from backtests.promise import promise
from backtests.spec import ALL_SYMBOLS
from market_data import store
from market_data.models import CandleSeries
from workers.handlers import PlannedJob, Spec

ORDERS = ("volume", "promise")


def wanted_series(spec: Spec) -> list[CandleSeries]:
    """The series that a request is about, most traded first; a symbol without any is left out."""
    wanted = None if spec["symbols"] == ALL_SYMBOLS else spec["symbols"]
    return store.load_series(source=spec["source"], interval=spec["interval"], symbols=wanted)


def planned_jobs(
    spec: Spec,
    series: Sequence[CandleSeries],
    known: Mapping[str, Any],
    *,
    owner: Any,
    kind: str,
    results: QuerySet[Any],
) -> list[PlannedJob]:
    """One job per symbol: those the request puts first, then by promise or volume, last those without candles."""
    symbols = [each.cryptocurrency.symbol for each in series]
    if spec.get("order") == "promise":
        seen = promise(results, owner=owner, kind=kind, strategy=spec["strategy"])
        symbols.sort(key=seen.of, reverse=True)  # stable: alike promising ones stay in the order of volume
    if spec["symbols"] != ALL_SYMBOLS:
        symbols += sorted(set(spec["symbols"]) - set(symbols))
    rank = {symbol: number for number, symbol in enumerate(spec.get("priority_symbols", []))}
    symbols.sort(key=lambda symbol: rank.get(symbol, len(rank)))
    return [PlannedJob(symbol, known.get(symbol)) for symbol in symbols]
