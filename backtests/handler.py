"""What a run of kind `backtest` does: one job per cryptocurrency, reusing results that exist."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson

from backtests import summary
from backtests.digests import Digester
from backtests.engine.warm_up import warm_up_kernels
from backtests.execution import compute_result
from backtests.models import Result, ResultLink
from backtests.spec import ALL_SYMBOLS, BacktestSpec
from market_data import store
from market_data.models import CandleSeries
from workers import rows
from workers.handlers import InvalidSpecError, PlannedJob, Spec


class BacktestHandler:
    """Plugs backtests into the fan-out."""

    kind = "backtest"
    metric_names: frozenset[str] = frozenset(Result.METRICS)

    def warm_up(self) -> None:
        warm_up_kernels()

    def plan(self, spec: Spec) -> Sequence[PlannedJob]:
        """One job per symbol, most traded first; those without any candle come last and fail with a reason."""
        backtest = BacktestSpec.parse(spec)
        wanted = None if spec["symbols"] == ALL_SYMBOLS else spec["symbols"]
        series = store.load_series(source=backtest.source, interval=backtest.interval, symbols=wanted)
        if not any(_has_candles(each, backtest) for each in series):
            raise InvalidSpecError({"symbols": ["none of them has candles in this range"]})
        known = _known_results(backtest, series)
        missing = set(wanted or ()) - {each.cryptocurrency.symbol for each in series}
        planned = [PlannedJob(symbol := each.cryptocurrency.symbol, known.get(symbol)) for each in series]
        planned += [PlannedJob(symbol) for symbol in sorted(missing)]
        return _first(planned, spec.get("priority_symbols", []))

    def execute(self, spec: Spec, key: str) -> Result:
        return compute_result(_parsed(orjson.dumps(spec)), key)

    def store(self, outcome: Result) -> None:
        rows.insert(outcome, ignore_conflicts=True)

    def record(self, outcomes: Sequence[tuple[int, Result]], *, cached: bool) -> list[dict[str, Any]]:
        links = [ResultLink(job_id=job_id, result_id=result.pk, cached=cached) for job_id, result in outcomes]
        if len(links) == 1:
            rows.insert(links[0])
        else:
            ResultLink.objects.bulk_create(links)
        return [event_fields(result) for _, result in outcomes]

    def metrics(self, outcome: Result) -> dict[str, float | None]:
        return outcome.metrics()

    def retry_spec(self, spec: Spec, keys: Sequence[str]) -> Spec:
        return {**spec, "symbols": list(keys)}

    def summarise(self, run_id: UUID) -> dict[str, Any]:
        return summary.summarise(run_id)

    def links(self, run_id: UUID) -> dict[str, str]:
        return {"results": f"/api/backtests/{run_id}/results/"}


def event_fields(result: Result) -> dict[str, Any]:
    """What a result's event says of it; never its trades."""
    return {
        "symbol": result.symbol,
        "metrics": result.metrics(Result.HEADLINE),
        "warnings": result.warnings,
        "sparkline": result.sparkline,
        "generated": result.generated,
    }


def _first(planned: list[PlannedJob], symbols: list[str]) -> list[PlannedJob]:
    """The same jobs, those of some symbols first, in their order."""
    rank = {symbol: number for number, symbol in enumerate(symbols)}
    return sorted(planned, key=lambda job: rank.get(job.key, len(rank)))


@lru_cache(maxsize=64)
def _parsed(spec: bytes) -> BacktestSpec:
    """The same spec arrives once per symbol."""
    return BacktestSpec.parse(orjson.loads(spec))


def _has_candles(series: CandleSeries, spec: BacktestSpec) -> bool:
    assert series.first_open_ms is not None, "series without candles are not loaded"
    assert series.last_open_ms is not None, "series without candles are not loaded"
    return series.first_open_ms < spec.end_ms and series.last_open_ms >= spec.start_ms


def _known_results(spec: BacktestSpec, series: Sequence[CandleSeries]) -> dict[str, Result]:
    """Results that exist already, by symbol; none for a strategy without a declared version."""
    if not spec.strategy.declared_version:
        return {}
    digester = Digester(spec)
    digests = {each.cryptocurrency.symbol: digester.digest(each) for each in series}
    results = Result.objects.defer(*Result.CURVES).in_bulk(list(digests.values()))
    return {symbol: results[digest] for symbol, digest in digests.items() if digest in results}
