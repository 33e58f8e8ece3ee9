"""The Celery application: settings for a broker that may be restarted, or lose everything, at any moment."""

import os
import signal

from celery import Celery
from celery.signals import worker_process_init
from django.conf import settings

from config import processes

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("candlestream")
app.conf.update(
    broker_url=settings.REDIS_URL,
    task_ignore_result=True,
    accept_content=["json"],
    task_serializer="json",
    task_default_queue="jobs",
    # The table of jobs remembers, not the broker: messages are acknowledged early.
    task_acks_late=False,
    worker_prefetch_multiplier=1,
    broker_connection_max_retries=None,
    broker_connection_retry_on_startup=True,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    broker_transport_options={
        "visibility_timeout": 30,
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "socket_keepalive": True,
        "health_check_interval": 10,
        # Queues are served in the order in which the worker names them: `--queues first,jobs`.
        "queue_order_strategy": "priority",
    },
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
)
# Celery closes the database connection after every task unless told how often it may be used again.
app.conf["CELERY_DB_REUSE_MAX"] = 1_000_000
app.autodiscover_tasks()
app.steps["worker"].add("workers.bootsteps:HeartbeatStep")


@worker_process_init.connect
def end_with_worker(**_: object) -> None:
    """Let a pool process die with its worker: one that lived on would hold jobs that nobody vouches for."""
    processes.end_with_parent(signal.SIGKILL)
