"""Messages to the workers. A message only says "look at this job": the table decides what is done."""

import logging
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from celery import current_app
from django.db import transaction
from kombu.exceptions import BatchPublishError, ChannelError, OperationalError  # pyright: ignore[reportAttributeAccessIssue]

logger = logging.getLogger(__name__)

EXECUTE_JOB = "workers.tasks.execute_job"
FIRST_QUEUE = "first"
"""Served before all others: a run's first jobs travel on it, so that no run waits long for its first result."""
JOBS_QUEUE = "jobs"
DOWNLOADS_QUEUE = "downloads"
"""Served by workers of its own: its jobs wait for exchanges, or read large files, and hold nobody up."""
TIME_LIMITS = {DOWNLOADS_QUEUE: (3600, 3630)}
"""Seconds after which a job is told to end, and is ended, where they differ from the task's own."""


def publish_on_commit(job_ids: Sequence[int], *, queue: str = JOBS_QUEUE) -> None:
    """Send a message for each job once the transaction is committed."""
    if job_ids:
        transaction.on_commit(lambda: publish(job_ids, queue=queue))


def publish(job_ids: Sequence[int], *, queue: str = JOBS_QUEUE) -> None:
    """Send a message for each job; what can't be sent now, the sweeper sends again."""
    if not job_ids:
        return
    try:
        with current_app.producer_or_acquire() as producer, producer.batch():
            for job_id in job_ids:
                producer.publish(**_message(job_id, queue), exchange="", routing_key=queue, retry=False)
    except (OperationalError, BatchPublishError) as error:
        logger.warning("could not publish %d jobs, the sweeper will: %s", len(job_ids), error)


def waiting_count(queue: str) -> int:
    """How many messages wait in a queue; none when the broker does not answer, or has forgotten it."""
    try:
        with current_app.producer_or_acquire() as producer:
            return producer.channel.queue_declare(queue, passive=True).message_count
    except ChannelError:  # an empty queue is not there
        return 0
    except OperationalError as error:
        logger.warning("could not count the messages in %s: %s", queue, error)
        return 0


def _message(job_id: int, queue: str) -> dict[str, Any]:
    """A task of Celery's message protocol 2; what `send_task` adds to it costs more than the sending."""
    task_id = str(uuid4())
    soft_seconds, hard_seconds = TIME_LIMITS.get(queue, (None, None))
    return {
        "body": ((), {"job_id": job_id}, {}),
        "headers": {
            "lang": "py",
            "task": EXECUTE_JOB,
            "id": task_id,
            "root_id": task_id,
            "timelimit": (hard_seconds, soft_seconds),
            "ignore_result": True,
        },
        "correlation_id": task_id,
        "serializer": "json",
    }
