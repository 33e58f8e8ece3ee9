"""Control and early termination, over REST and on the functions."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import AsyncClient
from django.utils import timezone
from rest_framework.test import APIClient

from workers import control, execution, feeds, sweeper
from workers.models import Job, Run
from workers.runs import RunOptions
from workers.tests.broker import Published
from workers.tests.conftest import log_of, statuses


@pytest.fixture
def client(owner: Any) -> APIClient:
    client = APIClient()
    client.force_authenticate(owner)
    return client


def test_max_hits_ends_a_run_with_exactly_that_hit(count: Any, published: Published) -> None:
    run = count(30, options=RunOptions(hit="number >= 3", max_hits=5))
    published.execute_all()
    log = log_of(run)
    assert [event.get("hit") for event in log if event["type"] == "result"] == [False] * 3 + [True] * 5
    assert (run.status, run.reason, run.hits, run.cancelled) == ("stopped", "max_hits", 5, 22)
    assert (log[-1]["type"], log[-1]["reason"]) == ("complete", "max_hits")


def test_max_hits_counts_linked_outcomes_one_by_one(count: Any, published: Published) -> None:
    run = count(10, known=["1", "2", "7", "8"], options=RunOptions(hit="number > 1", max_hits=2))
    assert [event["type"] for event in log_of(run)] == ["start", "result", "result", "result", "complete"]
    assert (run.succeeded, run.hits, run.cancelled, published) == (3, 2, 7, [])
    assert statuses(run.pk).count("succeeded") == 3


def test_max_failures_fails_a_run(count: Any, published: Published) -> None:
    run = count(10, wrong=["1", "3", "5"], options=RunOptions(max_failures=2))
    published.execute_all()
    run.refresh_from_db()
    assert (run.status, run.reason, run.failed, run.succeeded) == ("failed", "max_failures", 2, 2)


def test_a_run_ends_when_its_time_is_up(count: Any) -> None:
    run = count(10, options=RunOptions(timeout_seconds=60))
    sweeper.sweep()
    assert not Run.objects.get().has_ended
    Run.objects.update(created_at=timezone.now() - timedelta(seconds=61))
    sweeper.sweep()
    run.refresh_from_db()
    assert (run.status, run.reason, run.cancelled) == ("stopped", "timeout", 10)


def test_verbs_answer_with_the_state_they_left(count: Any, client: APIClient) -> None:
    run = count(10)
    for verb, status, next_verbs in (
        ("pause", "paused", {"stop", "resume"}),
        ("pause", "paused", {"stop", "resume"}),
        ("resume", "running", {"stop", "pause"}),
        ("resume", "running", {"stop", "pause"}),
        ("stop", "stopped", set()),
        ("stop", "stopped", set()),
        ("pause", "stopped", set()),
    ):
        answer = client.post(f"/api/runs/{run.pk}/{verb}/")
        assert (answer.status_code, answer.json()["status"]) == (200, status)
        assert {"stop", "pause", "resume"} & answer.json()["links"].keys() == next_verbs


def test_waiting_jobs_are_moved_to_the_front(count: Any, client: APIClient, published: Published) -> None:
    run = count(30)
    answer = client.patch(f"/api/runs/{run.pk}/", {"keys": ["25", "20", "0", "nope"]}, format="json")
    assert answer.status_code == 200
    for _ in range(4):
        execution.execute_job(job_id=published.pop(0))
    keys = Job.objects.filter(run=run, status="dispatched").order_by("position").values_list("key", flat=True)
    assert list(keys)[:2] == ["25", "20"]
    assert [event["type"] for event in log_of(run)][:2] == ["start", "progress"]


def test_a_run_of_high_priority_travels_on_the_queue_that_is_served_first(
    count: Any, client: APIClient, published: Published
) -> None:
    run = count(30)
    client.patch(f"/api/runs/{run.pk}/", {"priority": "high"}, format="json")
    published.first_queue.clear()
    for _ in range(4):
        execution.execute_job(job_id=published.pop(0))
    assert len(published.first_queue) == 4


@pytest.mark.parametrize("body", [{}, {"priority": "urgent"}, {"keys": "BTC"}, {"keys": [{}]}])
def test_a_malformed_change_of_priorities_is_refused(count: Any, client: APIClient, body: Any) -> None:
    run = count(3)
    assert client.patch(f"/api/runs/{run.pk}/", body, format="json").status_code == 400


def test_failed_jobs_are_retried_in_a_new_run(count: Any, client: APIClient, published: Published) -> None:
    run = count(5, wrong=["1", "3"])
    assert client.post(f"/api/runs/{run.pk}/retry/").status_code == 409
    published.execute_all()
    answer = client.post(f"/api/runs/{run.pk}/retry/")
    assert (answer.status_code, answer.json()["retry_of"]) == (202, str(run.pk))
    again = Run.objects.get(pk=answer.json()["id"])
    assert list(again.jobs.order_by("position").values_list("key", flat=True)) == ["1", "3"]


def test_a_retry_counts_as_a_run_under_way(
    count: Any, client: APIClient, published: Published, settings: Any
) -> None:
    run = count(2, wrong=["1"])
    published.execute_all()
    settings.MAX_ACTIVE_RUNS_PER_USER = 2
    path = f"/api/runs/{run.pk}/retry/"
    assert [client.post(path).status_code for _ in range(3)] == [202, 202, 429]
    assert Run.objects.filter(retry_of=run).count() == 2


def test_staff_who_retry_a_run_send_nothing_in_its_owners_name(count: Any, published: Published) -> None:
    run = count(2, wrong=["1"], options=RunOptions(notify={"webhook": "https://hooks.example/"}))
    published.execute_all()
    staff = APIClient()
    staff.force_authenticate(User.objects.create_user("operator", is_staff=True))
    assert staff.post(f"/api/runs/{run.pk}/retry/").json()["notify"] == {}
    owner = APIClient()
    owner.force_authenticate(run.owner)
    assert owner.post(f"/api/runs/{run.pk}/retry/").json()["notify"] == run.notify


def test_a_run_without_failures_has_nothing_to_retry(
    count: Any, client: APIClient, published: Published
) -> None:
    run = count(2)
    published.execute_all()
    answer = client.post(f"/api/runs/{run.pk}/retry/")
    assert (answer.status_code, answer.json()["detail"]) == (409, "No job of this run failed.")


def test_only_an_ended_run_can_be_deleted(count: Any, client: APIClient) -> None:
    run = count(2)
    assert client.delete(f"/api/runs/{run.pk}/").status_code == 409
    control.stop_run(run_id=run.pk)
    assert client.delete(f"/api/runs/{run.pk}/").status_code == 204
    assert client.get(f"/api/runs/{run.pk}/").status_code == 404
    assert not Job.objects.exists()


def test_stats_say_how_a_run_went(count: Any, client: APIClient, published: Published) -> None:
    run = count(4, known=["0"], options=RunOptions(hit="number > 1"))
    published.execute_all()
    stats = client.get(f"/api/runs/{run.pk}/stats/").json()
    assert (stats["hits"], stats["cached"], stats["retried_jobs"], stats["event_count"]) == (2, 1, 0, 6)
    assert stats["first_result_seconds"] >= 0
    assert stats["mean_waiting_seconds"] >= 0


def test_nobody_else_controls_a_run(count: Any) -> None:
    run = count(3)
    stranger = APIClient()
    stranger.force_authenticate(User.objects.create_user("stranger"))
    for verb in ("stop", "pause", "resume", "retry"):
        assert stranger.post(f"/api/runs/{run.pk}/{verb}/").status_code == 404
    assert stranger.patch(f"/api/runs/{run.pk}/", {"priority": "high"}, format="json").status_code == 404
    assert stranger.delete(f"/api/runs/{run.pk}/").status_code == 404
    assert stranger.get(f"/api/runs/{run.pk}/stats/").status_code == 404
    assert not Run.objects.get().has_ended


def test_a_poll_waits_for_the_next_event(
    count: Any, client: APIClient, published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "READ_EVERY_SECONDS", 0.05)
    run = count(2)
    events = f"/api/runs/{run.pk}/events/"
    assert client.get(events, {"after": 1, "wait": 0.2}).json()["events"] == []
    published.execute_all()
    page = client.get(events, {"after": 1, "wait": 30}).json()
    assert ([event["seq"] for event in page["events"]], page["ended"]) == ([2, 3, 4], True)


@pytest.mark.parametrize("wait", ["-1", "31", "x", "nan"])
def test_a_bad_wait_is_named(count: Any, client: APIClient, wait: str) -> None:
    answer = client.get(f"/api/runs/{count(1).pk}/events/", {"wait": wait})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["wait"])


async def stream(run: Run, owner: Any, **headers: str) -> tuple[int, str]:
    client = AsyncClient()
    await sync_to_async(client.force_login)(owner)
    response: Any = await client.get(f"/api/runs/{run.pk}/stream/", headers=headers)
    if not response.streaming:
        return response.status_code, response.content.decode()
    return response.status_code, "".join([part.decode() async for part in response])


async def test_server_sent_events_carry_every_event_with_its_number(
    count: Any, owner: Any, published: Published
) -> None:
    run = await sync_to_async(count)(2)
    streaming = asyncio.create_task(stream(run, owner))
    await sync_to_async(published.execute_all)()
    status, text = await asyncio.wait_for(streaming, 30)
    assert status == 200
    assert [line for line in text.splitlines() if line.startswith("id:")] == [
        "id: 1",
        "id: 2",
        "id: 3",
        "id: 4",
    ]


async def test_a_stream_goes_on_after_the_last_event_id(count: Any, owner: Any, published: Published) -> None:
    run = await sync_to_async(count)(2)
    await sync_to_async(published.execute_all)()
    _, text = await stream(run, owner, **{"Last-Event-ID": "2"})
    assert [line for line in text.splitlines() if line.startswith("id:")] == ["id: 3", "id: 4"]
    assert await stream(run, owner, **{"Last-Event-ID": "4"}) == (204, "")
    assert (await stream(run, owner, **{"Last-Event-ID": "x"}))[0] == 400


async def test_an_idle_stream_is_kept_alive(count: Any, owner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.sse.KEEP_ALIVE_SECONDS", 0.05)
    run = await sync_to_async(count)(2)
    client = AsyncClient()
    await sync_to_async(client.force_login)(owner)
    response: Any = await client.get(f"/api/runs/{run.pk}/stream/")
    text = ""
    async with asyncio.timeout(30):
        async for part in response:
            text += part.decode()
            if text.count(": keep-alive") == 2:
                await sync_to_async(control.stop_run)(run_id=run.pk)
    assert text.count(": keep-alive") >= 2
    assert '"type":"complete"' in text, "it goes on after them"


async def test_a_stream_is_its_owners_alone(count: Any) -> None:
    run = await sync_to_async(count)(2)
    stranger = await sync_to_async(User.objects.create_user)("stranger")
    assert (await stream(run, stranger))[0] == 404
    assert (await AsyncClient().get(f"/api/runs/{run.pk}/stream/")).status_code == 401
