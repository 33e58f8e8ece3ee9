"""Claims: one conditional UPDATE decides which process executes a job."""

import os
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from workers import heartbeat

_CLAIM = """
    UPDATE workers_job
       SET status = 'running', attempt = attempt + 1, worker_id = %s, pid = %s, redeliver_at = NULL,
           started_at = {now}
     WHERE id = %s AND status = 'dispatched'
       AND EXISTS (SELECT 1 FROM workers_run WHERE workers_run.id = workers_job.run_id
                                              AND workers_run.status = 'running')
    RETURNING run_id, key, attempt
"""
# One statement that also returns the row: the ORM would need two, on the path of every job.
_NOW = {"postgresql": "clock_timestamp()", "sqlite": "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')"}
# A claim that a crash of the database server forgets is made again by another process; no reason to wait for a disk.
_WITHOUT_WAITING = {"postgresql": "SET LOCAL synchronous_commit TO off;", "sqlite": ""}


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that this process holds; `attempt` tells it from earlier and later holders."""

    job_id: int
    run_id: UUID
    key: str
    attempt: int


def claim_job(job_id: int) -> Claim | None:
    """Take a dispatched job of a running run; None if another process was faster or it is not to be done."""
    with connection.cursor() as cursor:
        text = _WITHOUT_WAITING[connection.vendor] + _CLAIM.format(now=_NOW[connection.vendor])
        cursor.execute(text, [heartbeat.worker_id(), os.getpid(), job_id])
        row = cursor.fetchone()
    if row is None:
        return None
    run_id, key, attempt = row
    return Claim(job_id=job_id, run_id=UUID(str(run_id)), key=key, attempt=attempt)
