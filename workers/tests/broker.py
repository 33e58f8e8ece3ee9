"""A broker that only remembers, and a worker that executes what it remembers."""

from collections.abc import Sequence

import pytest

from workers import dispatch, execution


class Published(list[int]):
    """Ids of the jobs that messages were sent for, in order; `first_queue` has those of the first queue."""

    def __init__(self) -> None:
        super().__init__()
        self.first_queue: list[int] = []

    def execute_all(self) -> None:
        """Do what workers do, until no message is left."""
        while self:
            execution.execute_job(job_id=self.pop(0))


def keep_messages(monkeypatch: pytest.MonkeyPatch) -> Published:
    """Keep the messages that would go to the broker."""
    sent = Published()

    def publish(job_ids: Sequence[int], *, queue: str = dispatch.JOBS_QUEUE) -> None:
        sent.extend(job_ids)
        if queue == dispatch.FIRST_QUEUE:
            sent.first_queue.extend(job_ids)

    monkeypatch.setattr(dispatch, "publish", publish)
    return sent
