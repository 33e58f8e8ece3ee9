"""Early termination: when enough has been seen, enough has failed, or it has taken long enough.

Checked under the run's lock after every outcome, so the counts are exact; only the clock is the sweeper's.
"""

from collections.abc import Sequence
from functools import lru_cache

from django.utils import timezone

from workers import handlers, predicates
from workers.models import Run


def is_hit(run: Run, metrics: predicates.Metrics) -> bool:
    """Whether an outcome satisfies the run's predicate; never without one."""
    return bool(run.hit) and _condition(run.kind, run.hit)(metrics)


def until_enough(run: Run, outcomes: Sequence[predicates.Metrics]) -> int:
    """How many of some outcomes, taken one by one, a new run has use for."""
    hits = 0
    for count, metrics in enumerate(outcomes, start=1):
        hits += is_hit(run, metrics)
        if run.max_hits and hits >= run.max_hits:
            return count
    return len(outcomes)


def verdict(run: Run) -> tuple[Run.Status, Run.Reason] | None:
    """How the run is to end now, if it is."""
    if run.max_hits and run.hits >= run.max_hits:
        return Run.Status.STOPPED, Run.Reason.MAX_HITS
    if run.max_failures and run.failed >= run.max_failures:
        return Run.Status.FAILED, Run.Reason.MAX_FAILURES
    if run.total == run.completed + run.cancelled:
        return Run.Status.COMPLETED, Run.Reason.FINISHED
    return None


def has_timed_out(run: Run) -> bool:
    """Whether a run under way has used up its time."""
    if run.timeout_seconds is None or run.status != Run.Status.RUNNING:
        return False
    return run.elapsed_seconds(timezone.now()) >= run.timeout_seconds


@lru_cache(maxsize=256)
def _condition(kind: str, text: str) -> predicates.Condition:
    return predicates.parse(text, handlers.find(kind).metric_names)
