"""The digest of a result: everything it depends on, so that a result can never be stale."""

import hashlib
from uuid import UUID

import orjson

from backtests.engine.version import ENGINE_VERSION
from backtests.spec import BacktestSpec
from market_data import store
from market_data.models import CandleSeries


class Digester:
    """Digests of one spec over many series."""

    def __init__(self, spec: BacktestSpec) -> None:
        self._spec = spec
        content = {
            "engine": ENGINE_VERSION,
            "strategy": spec.strategy.name,
            "code": spec.strategy.code_version,
            "parameters": spec.parameters_json,
            "execution": spec.execution_json,
            "source": spec.source,
            "interval": spec.interval,
        }
        self._common = hashlib.blake2b(orjson.dumps(content, option=orjson.OPT_SORT_KEYS), digest_size=16)

    def digest(self, series: CandleSeries) -> UUID:
        """The digest of the spec's result over the candles that `series` holds as it was read.

        A range that reaches beyond the series is cut to it, so that it is the same result either way.
        """
        spec = self._spec
        assert series.first_open_ms is not None, "a series without candles has no result"
        assert series.last_open_ms is not None, "a series without candles has no result"
        start_ms = max(spec.start_ms, series.first_open_ms)
        end_ms = min(spec.end_ms, series.last_open_ms + series.interval_ms)
        candles = store.range_checksum(series, spec.start_ms, spec.end_ms, spec.warm_up_bars)
        digest = self._common.copy()
        digest.update(
            f"{series.cryptocurrency.symbol} {series.generated} {start_ms} {end_ms} {candles}".encode()
        )
        return UUID(bytes=digest.digest())
