"""Messages to the workers. A message only says "look at this job": the table decides what is done."""

import logging
from collections.abc import Sequence

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

EXECUTE_JOB = "workers.tasks.execute_job"
FIRST_QUEUE = "first"
"""Served before all others: a run's first jobs travel on it, so that no run waits long for its first result."""
JOBS_QUEUE = "jobs"


def publish_on_commit(job_ids: Sequence[int], *, queue: str = JOBS_QUEUE) -> None:
    """Send a message for each job once the transaction is committed."""
    if job_ids:
        transaction.on_commit(lambda: publish(job_ids, queue=queue))


def publish(job_ids: Sequence[int], *, queue: str = JOBS_QUEUE) -> None:
    """Send a message for each job; what can't be sent now, the sweeper sends again."""
    try:
        with current_app.producer_or_acquire() as producer:
            for job_id in job_ids:
                current_app.send_task(
                    EXECUTE_JOB,
                    kwargs={"job_id": job_id},
                    queue=queue,
                    producer=producer,
                    retry=False,
                    ignore_result=True,
                )
    except OperationalError as error:
        logger.warning("could not publish %d jobs, the sweeper will: %s", len(job_ids), error)
