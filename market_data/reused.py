"""A symbol that an exchange gave to another coin is two coins: their candles become two series.

The coin that has the name now keeps it. The one before gets the month of its last candle behind it: the LUNA
that died in May 2022 is `LUNAUSDT.202205`. Both carry a warning, on the candle next to the change.
"""

from collections.abc import Sequence

import numpy as np
from django.db import transaction

from market_data import store
from market_data.candles import Candles
from market_data.models import CandleSeries
from market_data.quality import SeriesWarning

CODE = "reused_symbol"


def symbol_of_former_coin(symbol: str, last_open_ms: int) -> str:
    """`LUNAUSDT.202205` for a coin whose last candle opened in May 2022."""
    return f"{symbol}.{str(np.datetime64(last_open_ms, 'ms').astype('datetime64[M]')).replace('-', '')}"


def write_apart(
    *, symbol: str, source: str, interval: str, candles: Candles, generated: bool = False
) -> list[CandleSeries]:
    """Write candles of a symbol, those of each coin that had the name to a series of its own.

    Returns the series that were written to, the coin that has the name now last.
    """
    known = CandleSeries.objects.filter(
        cryptocurrency__symbol=symbol, source=source, interval=interval
    ).first()
    written: list[CandleSeries] = []
    for former, end_ms in _former_coins(known):
        part = candles.between(0, end_ms)
        candles = candles.between(end_ms, int(candles.open_time_ms[-1]) + 1) if len(candles) else candles
        if len(part):
            written.append(
                store.write_candles(
                    symbol=former, source=source, interval=interval, candles=part, generated=generated
                )
            )
    if len(candles):
        series = store.write_candles(
            symbol=symbol, source=source, interval=interval, candles=candles, generated=generated
        )
        written += [*split(series), CandleSeries.objects.select_related("cryptocurrency").get(pk=series.pk)]
    return written


@transaction.atomic
def split(series: CandleSeries) -> list[CandleSeries]:
    """Move the candles of former coins out of a series; returns the series they are in now, oldest first."""
    changes = [warning for warning in series.warnings if warning["code"] == CODE and "other" not in warning]
    moved: list[CandleSeries] = []
    start_ms = 0
    for change in changes:
        former = _move(series, start_ms, change)
        moved.append(former)
        start_ms = change["at_ms"]
    if changes:
        current = CandleSeries.objects.select_related("cryptocurrency").get(pk=series.pk)
        store.remove_candles_before(current, start_ms)
        names = [former.cryptocurrency.symbol for former in moved]
        _mark_beginning(series, changes, names)
    return moved


def _move(series: CandleSeries, start_ms: int, change: SeriesWarning) -> CandleSeries:
    symbol = series.cryptocurrency.symbol
    former = store.write_candles(
        symbol=symbol_of_former_coin(symbol, change["since_ms"]),
        source=series.source,
        interval=series.interval,
        candles=store.load_candles(series, start_ms, change["at_ms"]),
        generated=series.generated,
    )
    end: SeriesWarning = {**change, "at_ms": change["since_ms"], "other": symbol}
    return _warn(former, [end])


def _mark_beginning(series: CandleSeries, changes: Sequence[SeriesWarning], names: Sequence[str]) -> None:
    """Warn, on its first candle, that the coin is not the first of its name."""
    beginnings: list[SeriesWarning] = [
        {**change, "since_ms": change["at_ms"], "other": name}
        for change, name in zip(changes, names, strict=True)
    ]
    _warn(CandleSeries.objects.get(pk=series.pk), beginnings)


def _warn(series: CandleSeries, warnings: Sequence[SeriesWarning]) -> CandleSeries:
    known = [warning for warning in series.warnings if warning not in warnings]
    series.warnings = sorted([*known, *warnings], key=lambda warning: warning["at_ms"])
    series.save(update_fields=["warnings"])
    return series


def _former_coins(series: CandleSeries | None) -> list[tuple[str, int]]:
    """Symbols of the coins that had the name before, each with the first candle after it; oldest first."""
    if series is None:
        return []
    return [
        (warning["other"], warning["at_ms"])
        for warning in series.warnings
        if warning["code"] == CODE and "other" in warning and warning["at_ms"] == warning["since_ms"]
        if warning["other"].startswith(f"{series.cryptocurrency.symbol}.")
    ]
