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
from backtests.planning import planned_jobs, wanted_series
from backtests.spec import BacktestSpec
from market_data.models import CandleSeries
from workers import rows
from workers.handlers import FinishedJob, InvalidSpecError, PlannedJob, Spec

_LISTED = tuple(field.attname for field in Result._meta.concrete_fields if field.attname not in Result.CURVES)


class StrategyHandler:
    """What all kinds of runs of a strategy have in common."""

    queue: str | None = None

    def warm_up(self) -> None:
        warm_up_kernels()

    def retry_spec(self, spec: Spec, keys: Sequence[str]) -> Spec:
        return {**spec, "symbols": list(keys)}


class BacktestHandler(StrategyHandler):
    """Plugs backtests into the fan-out."""

    kind = "backtest"
    metric_names: frozenset[str] = frozenset(Result.METRICS)

    def plan(self, spec: Spec, *, owner: Any) -> Sequence[PlannedJob]:
        """One job per symbol; those without any candle come last and fail with a reason."""
        backtest = BacktestSpec.parse(spec)
        series = wanted_series(spec)
        if not any(_has_candles(each, backtest) for each in series):
            raise InvalidSpecError({"symbols": ["none of them has candles in this range"]})
        known = _known_results(backtest, series)
        return planned_jobs(
            spec, series, known, owner=owner, kind=self.kind, results=ResultLink.objects.all()
        )

    def execute(self, spec: Spec, key: str) -> Result:
        return compute_result(_parsed(orjson.dumps(spec)), key)

    def store(self, outcome: Result) -> None:
        rows.insert(outcome, ignore_conflicts=True)

    def record(self, finished: Sequence[FinishedJob], *, cached: bool) -> list[dict[str, Any]]:
        links = [
            ResultLink(
                job_id=done.job_id, seq=done.seq, hit=done.hit, result_id=done.outcome.pk, cached=cached
            )
            for done in finished
        ]
        rows.insert_many(links)
        return [event_fields(done.outcome) for done in finished]

    def metrics(self, outcome: Result) -> dict[str, float | None]:
        return outcome.metrics()

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
    places = ", ".join(["%s"] * len(digests))
    text = f"SELECT {{columns}} FROM backtests_result WHERE id IN ({places})"  # noqa: S608 -- only places
    found = rows.fetch_many(Result, text, [digest.hex for digest in digests.values()], _LISTED)
    results = {result.pk: result for result, _ in found}
    return {symbol: results[digest] for symbol, digest in digests.items() if digest in results}
