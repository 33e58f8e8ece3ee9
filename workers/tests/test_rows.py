"""Statements that travel together."""

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from workers import rows
from workers.models import Event, Run

pytestmark = pytest.mark.django_db


@pytest.fixture
def run() -> Run:
    return Run.objects.create(owner=User.objects.create_user("trader"), kind="count", spec={}, total=1)


def event(run: Run, seq: int) -> Event:
    return Event(run=run, seq=seq, type="result", body='{"share": "50 %"}')


def test_a_waiting_statement_is_executed_before_whatever_comes_next(run: Run):
    with transaction.atomic(), rows.fewer_trips():
        rows.insert(event(run, 1))
        rows.insert(event(run, 2))
        assert list(Event.objects.values_list("seq", "body")) == [
            (1, event(run, 1).body),
            (2, event(run, 2).body),
        ]


def test_nothing_waits_beyond_the_block(run: Run):
    with transaction.atomic():
        with rows.fewer_trips():
            rows.insert(event(run, 1))
            run.last_seq = 7
            rows.update(run, ("last_seq",))
        assert (Event.objects.count(), Run.objects.get().last_seq) == (1, 7)


def test_an_early_end_of_the_block_executes_what_waits(run: Run):
    def leave_early() -> None:
        with rows.fewer_trips():
            rows.insert(event(run, 1))
            return

    with transaction.atomic():
        leave_early()
    assert Event.objects.count() == 1


def test_what_waits_when_an_error_is_raised_is_not_executed_later(run: Run):
    def fail() -> None:
        with transaction.atomic(), rows.fewer_trips():
            rows.insert(event(run, 1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with transaction.atomic(), rows.fewer_trips():
        rows.insert(event(run, 2))
    assert list(Event.objects.values_list("seq", flat=True)) == [2]


@pytest.mark.postgres
@pytest.mark.skipif("connection.vendor != 'postgresql'")
def test_statements_that_nobody_waits_for_cost_one_trip_together(run: Run):
    with CaptureQueriesContext(connection) as trips, transaction.atomic(), rows.fewer_trips():
        rows.insert(event(run, 1))
        rows.insert(event(run, 2))
        assert Event.objects.count() == 2
        rows.insert(event(run, 3))
        rows.insert(event(run, 4))
    executed = [trip for trip in trips.captured_queries if "workers_event" in trip["sql"]]
    assert len(executed) == 2
