"""The Celery task of the fan-out: delivery policy and an id, nothing else."""

from celery import shared_task

from workers import execution


@shared_task(ignore_result=True, soft_time_limit=300, time_limit=330)
def execute_job(*, job_id: int) -> None:
    """Execute one job of a run. A message that comes twice changes nothing."""
    execution.execute_job(job_id=job_id)
