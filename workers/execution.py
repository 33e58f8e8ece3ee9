"""What a worker does with a message: claim the job, do the work, complete it."""

import logging
import os
import time
from functools import lru_cache
from typing import NoReturn
from uuid import UUID

from celery.exceptions import SoftTimeLimitExceeded
from django.db import InterfaceError, OperationalError, connection

from workers import claims, completion, handlers, reporting
from workers.claims import Claim
from workers.handlers import JobError, JobHandler, Spec
from workers.models import Run

logger = logging.getLogger(__name__)

DATABASE_AWAY = (OperationalError, InterfaceError)
AGAIN_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Pauses between attempts at a claimed job while the database is away."""
IDLE_SECONDS = 5.0
"""A database connection that was unused for longer is checked before it is used again."""

_used_at = time.monotonic()


def execute_job(*, job_id: int) -> None:
    """Execute one job, unless another process holds it or its run doesn't want it any more."""
    _check_connection()
    claim = _claim(job_id)
    if claim is None:
        return
    for seconds in AGAIN_SECONDS:
        try:
            _execute(claim)
        except DATABASE_AWAY as error:
            logger.warning("job %s: trying again in %s s: %s", claim.job_id, seconds, error)
            connection.close()
            time.sleep(seconds)
        else:
            return
    _end_process(f"job {job_id} could not be completed")


def _execute(claim: Claim) -> None:
    """Do the work and record its outcome; doing it twice changes nothing."""
    started = time.perf_counter()
    try:
        handler, spec = _work_of(claim.run_id)
        with reporting.reporting(claim):
            outcome = handler.execute(spec, claim.key)
    except DATABASE_AWAY:
        raise
    except reporting.NotWantedError:
        logger.info("job %s of run %s is not wanted any more", claim.key, claim.run_id)
        return
    except JobError as error:
        reason = str(error)
    except SoftTimeLimitExceeded:
        reason = "took longer than the time limit of a job"
    except Exception as error:
        logger.exception("job %s of run %s failed", claim.key, claim.run_id)
        reason = f"internal error: {type(error).__name__}: {error}"
    else:
        completion.complete_job(claim, handler, outcome, elapsed_ms=_ms_since(started))
        return
    completion.fail_job(claim, reason=reason, elapsed_ms=_ms_since(started))


def _check_connection() -> None:
    """Drop a kept connection that broke while nobody used it, so that the next statement opens a new one."""
    global _used_at  # noqa: PLW0603 -- one connection in a process
    idle = time.monotonic() - _used_at
    if idle > IDLE_SECONDS and connection.connection is not None and not connection.is_usable():
        connection.close()
    connection.ensure_connection()
    _used_at = time.monotonic()


def _claim(job_id: int) -> Claim | None:
    try:
        return claims.claim_job(job_id)
    except DATABASE_AWAY as error:
        _end_process(f"job {job_id} may be claimed or not: {error}")


def _end_process(reason: str) -> NoReturn:
    """End this pool process: nobody would give its job to another one while it lives."""
    logger.error("%s; ending this process, so that the sweeper gives its job to another", reason)
    os._exit(os.EX_TEMPFAIL)


@lru_cache(maxsize=64)
def _work_of(run_id: UUID) -> tuple[JobHandler, Spec]:
    """Handler and spec of a run, which never change."""
    run = Run.objects.only("kind", "spec").get(pk=run_id)
    return handlers.find(run.kind), run.spec


def _ms_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000.0, 3)
