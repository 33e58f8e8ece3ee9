"""A webhook on its whole way: from a request, through a run on a real worker, to its receiver by the scheduler."""

import json

from tests.faults.checks import wait_for
from tests.security.conftest import Site
from workers.tests.test_webhooks import Receiver


def test_the_end_of_a_run_is_told_to_whoever_asked_for_it(site: Site) -> None:
    with Receiver() as receiver, site.client() as client:
        body = {"strategy": "rsi", "notify": {"webhook": receiver.url}}
        run = client.post("/api/backtests/", json=body).raise_for_status().json()
        assert run["notify"] == {"webhook": receiver.url}
        wait_for(lambda: receiver.got, 60, "a webhook")
        receiver.shutdown()
        wait_for(
            lambda: client.get(run["links"]["deliveries"]).json()[0]["status"] == "delivered",
            60,
            "its receipt",
        )
    ((_, headers, text),) = receiver.got
    assert headers["webhook-signature"].startswith("v1,")
    assert json.loads(text)["data"]["run"] == run["id"]
