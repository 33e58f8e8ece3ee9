"""Messages that could run code: only JSON is read from the queue, by a real worker."""

import pickle
import subprocess
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection, Exchange, Producer, Queue
from redis import Redis

from tests.faults.checks import wait_for
from tests.security.conftest import Site


class Bomb:
    """Touches a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[list[str]]]:
        return subprocess.call, (["touch", str(self.path)],)


@pytest.mark.parametrize("serializer", ["pickle", "yaml"])
def test_a_message_that_is_not_json_is_refused_and_not_executed(
    site: Site, tmp_path: Path, serializer: str
) -> None:
    touched = tmp_path / "touched"
    body: Any = [[], {"job_id": Bomb(touched)}, {}] if serializer == "pickle" else [[], {"job_id": 1}, {}]
    before = len(site.log_of("worker0"))
    with Connection(site.redis_url) as connection:
        producer = Producer(connection.channel(), serializer=serializer)
        producer.publish(
            body,
            exchange=Exchange("jobs"),
            routing_key="jobs",
            declare=[Queue("jobs", Exchange("jobs"), routing_key="jobs")],
            headers={"task": "workers.tasks.execute_job", "id": "1", "lang": "py", "root_id": "1"},
        )
    refused = "Refusing to deserialize"
    wait_for(lambda: refused in site.log_of("worker0")[before:], 60, "a refusal in the worker's log")
    assert Redis.from_url(site.redis_url).llen("jobs") == 0
    assert not touched.exists()

    run = site.paused_run()
    site.resume(run)
    with site.client() as client:
        wait_for(
            lambda: client.get(f"/api/runs/{run}/").json()["status"] == "completed", 60, "a run after it"
        )


def test_the_bomb_would_have_gone_off(tmp_path: Path) -> None:
    """Otherwise the test above would prove nothing."""
    pickle.loads(pickle.dumps(Bomb(tmp_path / "touched")))
    assert (tmp_path / "touched").exists()
