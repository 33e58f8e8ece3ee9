"""What a Celery worker does beside executing tasks: warm up before it forks its pool, and beat."""

import gc
import os
from typing import Any

from celery import bootsteps

from workers import dispatch, handlers
from workers.heartbeat import Heartbeat


class HeartbeatStep(bootsteps.StartStopStep):
    """Registers the worker before its pool exists, beats while it runs, signs off when it stops."""

    requires = ("celery.worker.components:Pool",)

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        self.queues = list(parent.app.amqp.queues.consume_from)
        self.heartbeat = Heartbeat(slots=parent.concurrency, queues=self.queues)

    def create(self, parent: Any) -> None:
        # Everything compiled here is inherited by the children: a respawned one is ready at once.
        for handler in handlers.all_handlers():
            if (handler.queue or dispatch.JOBS_QUEUE) in self.queues:
                handler.warm_up()
        # What is loaded by now stays, and is shared with the children: no collection need look at it, or copy it.
        gc.collect()
        gc.freeze()
        self.heartbeat.register()

    def start(self, parent: Any) -> None:
        pool = parent.pool._pool  # noqa: SLF001 -- there is no public list of a pool's processes
        self.heartbeat.start(lambda: [process.pid for process in pool._pool if _is_alive(process.pid)])  # noqa: SLF001

    def stop(self, parent: Any) -> None:
        self.heartbeat.stop()

    terminate = stop


def _is_alive(pid: int) -> bool:
    """Whether a child still runs; the pool itself may notice its death only seconds later."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    except ChildProcessError:
        return False
