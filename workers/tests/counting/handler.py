"""A kind of run without any finance: job `k` sleeps, then its outcome is the number k."""

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from workers.handlers import FinishedJob, InvalidSpecError, JobError, PlannedJob, Spec
from workers.models import Job


def counting_spec(jobs: int, **more: Any) -> Spec:
    """A spec of `jobs` jobs; `sleep_ms`, `known`, `wrong`, `broken` and `deadly` (lists of keys) say more of them.

    With a `gate`, the path of a file, jobs from number `gate_from` on wait until there is such a file, though each
    no longer than `gate_seconds`: where several runs wait, those that hold no process would wait for ever.
    """
    return {"jobs": jobs, "sleep_ms": 0, "known": [], "wrong": [], "broken": [], "deadly": [], **more}


class CountingHandler:
    """Outcomes are integers."""

    kind = "count"
    queue: str | None = None
    metric_names = frozenset({"number"})

    def warm_up(self) -> None:
        """Nothing to load."""

    def plan(self, spec: Spec, *, owner: Any) -> Sequence[PlannedJob]:
        if spec["jobs"] == 0:
            raise InvalidSpecError({"jobs": ["must be at least 1"]})
        known = set(spec["known"])
        keys = spec.get("only") or [str(k) for k in range(spec["jobs"])]
        return [PlannedJob(key, int(key) if key in known else None) for key in keys]

    def execute(self, spec: Spec, key: str) -> int:
        if key in spec["wrong"]:
            raise JobError(f"{key} is no good")
        if key in spec["broken"]:
            raise ZeroDivisionError("a bug")
        if key in spec["deadly"]:
            os.kill(os.getpid(), signal.SIGKILL)
        if folder := spec.get("log_folder"):
            with Path(folder, key).open("a") as log:
                log.write("x")
        time.sleep(spec["sleep_ms"] / 1000)
        if "gate" in spec and int(key) >= spec["gate_from"]:
            _wait_for(Path(spec["gate"]), spec.get("gate_seconds", float("inf")))
        return int(key)

    def store(self, outcome: int) -> None:
        """An integer needs no row."""

    def record(self, finished: Sequence[FinishedJob], *, cached: bool) -> list[dict[str, Any]]:
        return [{"number": done.outcome} for done in finished]

    def metrics(self, outcome: int) -> dict[str, float | None]:
        return {"number": float(outcome)}

    def retry_spec(self, spec: Spec, keys: Sequence[str]) -> Spec:
        return {**spec, "only": list(keys)}

    def summarise(self, run_id: UUID) -> dict[str, Any]:
        return {"sum": sum(int(key) for key in _succeeded_keys(run_id))}

    def links(self, run_id: UUID) -> dict[str, str]:
        return {}


def _wait_for(path: Path, seconds: float) -> None:
    until = time.monotonic() + seconds
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.005)


def _succeeded_keys(run_id: UUID) -> list[str]:
    return list(Job.objects.filter(run_id=run_id, status=Job.Status.SUCCEEDED).values_list("key", flat=True))
