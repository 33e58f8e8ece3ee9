"""What staff can do to runs in the admin, and what would break them."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from workers.models import Event, Job, Run
from workers.tests.broker import Published


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("operator"))
    return client


def act(staff: Client, action: str, *rows: Any, of: str = "run", sure: bool = False) -> str:
    body = {
        "action": action,
        "_selected_action": [row.pk for row in rows],
        **({"post": "yes"} if sure else {}),
    }
    return staff.post(f"/admin/workers/{of}/", body, follow=True).content.decode()


def test_chosen_runs_are_paused_resumed_and_stopped(staff: Client, count: Any, published: Published) -> None:
    first, second = count(5), count(5)
    assert "2 of 2 chosen runs changed" in act(staff, "pause", first, second)
    assert "1 of 1 chosen runs changed" in act(staff, "resume", first)
    assert "2 of 2 chosen runs changed" in act(staff, "stop", first, second)
    assert "0 of 2 chosen runs changed" in act(staff, "stop", first, second)
    assert {run.status for run in Run.objects.all()} == {"stopped"}


def test_only_an_ended_run_is_deleted_and_with_all_that_belongs_to_it(
    staff: Client, count: Any, published: Published
) -> None:
    run = count(5)
    act(staff, "delete_selected", run, sure=True)
    assert Run.objects.count() == 1
    act(staff, "stop", run)
    act(staff, "delete_selected", run, sure=True)
    assert (Run.objects.count(), Job.objects.count(), Event.objects.count()) == (0, 0, 0)


@pytest.mark.parametrize(("model", "of"), [(Event, "event"), (Job, "job")])
def test_no_event_or_job_is_taken_out_of_a_run(
    staff: Client, count: Any, published: Published, model: Any, of: str
) -> None:
    count(5)
    row, before = model.objects.first(), model.objects.count()
    page = act(staff, "delete_selected", row, of=of, sure=True)
    assert "delete_selected" not in page
    assert staff.post(f"/admin/workers/{of}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert model.objects.count() == before
