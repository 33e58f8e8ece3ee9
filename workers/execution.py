"""What a worker does with a message: claim the job, do the work, complete it."""

import logging
import time
from functools import lru_cache
from uuid import UUID

from celery.exceptions import SoftTimeLimitExceeded

from workers import claims, completion, handlers
from workers.handlers import JobError, JobHandler, Spec
from workers.models import Run

logger = logging.getLogger(__name__)


def execute_job(*, job_id: int) -> None:
    """Execute one job, unless another process holds it or its run doesn't want it any more."""
    claim = claims.claim_job(job_id)
    if claim is None:
        return
    handler, spec = _work_of(claim.run_id)
    started = time.perf_counter()
    try:
        outcome = handler.execute(spec, claim.key)
    except JobError as error:
        completion.fail_job(claim, reason=str(error), elapsed_ms=_ms_since(started))
    except SoftTimeLimitExceeded:
        completion.fail_job(
            claim, reason="took longer than the time limit of a job", elapsed_ms=_ms_since(started)
        )
    except Exception as error:
        logger.exception("job %s of run %s failed", claim.key, claim.run_id)
        reason = f"internal error: {type(error).__name__}: {error}"
        completion.fail_job(claim, reason=reason, elapsed_ms=_ms_since(started))
    else:
        completion.complete_job(claim, handler, outcome, elapsed_ms=_ms_since(started))


@lru_cache(maxsize=64)
def _work_of(run_id: UUID) -> tuple[JobHandler, Spec]:
    """Handler and spec of a run, which never change."""
    run = Run.objects.only("kind", "spec").get(pk=run_id)
    return handlers.find(run.kind), run.spec


def _ms_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000.0, 3)
