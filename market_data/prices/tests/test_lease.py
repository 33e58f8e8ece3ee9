"""One leads, by the database's clock."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import DatabaseError, InterfaceError, connection, connections, transaction
from django.db.backends.signals import connection_created

from market_data.prices import lease, threads
from market_data.prices.models import FeedLease
from workers.clock import database_now

pytestmark = pytest.mark.django_db(transaction=True)


def expire() -> None:
    FeedLease.objects.update(expires_at=database_now() - timedelta(seconds=1))


def test_the_lead_is_had_by_one_until_it_expires_or_is_given_back():
    first = lease.acquire("one", 30)
    assert first is not None
    assert lease.acquire("two", 30) is None
    expire()
    second = lease.acquire("two", 30)
    assert second is not None
    assert second > first
    lease.release(second)
    third = lease.acquire("three", 30)
    assert third is not None
    assert third > second


def test_a_leader_whose_lease_ran_out_goes_on_unless_another_one_took_it():
    first = lease.acquire("one", 30) or 0
    expire()
    assert lease.renew(first, 30)
    assert lease.acquire("two", 30) is None
    expire()
    assert lease.acquire("two", 30)
    assert not lease.renew(first, 30)
    lease.release(first)
    assert lease.acquire("three", 30) is None, "one that was replaced can't end the other's term"


def test_only_a_leader_that_was_not_replaced_is_confirmed():
    first = lease.acquire("one", 30) or 0
    lease.confirm(first)
    expire()
    lease.confirm(first)  # nobody else leads
    second = lease.acquire("two", 30) or 0
    lease.confirm(second)
    with pytest.raises(lease.ReplacedError):
        lease.confirm(first)


def test_terms_rise_even_in_a_new_database():
    first = lease.acquire("one", 30) or 0
    FeedLease.objects.all().delete()
    time.sleep(0.002)
    assert (lease.acquire("two", 30) or 0) > first


def test_of_many_that_try_at_once_one_leads():
    together = threading.Barrier(6)

    def attempt(number: int) -> int | None:
        together.wait()
        try:
            return lease.acquire(str(number), 30)
        finally:
            connections.close_all()

    lease.acquire("one", 30)
    for _ in range(3):
        expire()
        with ThreadPoolExecutor(6) as threads:
            terms = list(threads.map(attempt, range(6)))
        assert sum(term is not None for term in terms) == 1


def test_a_process_that_is_suspended_in_a_transaction_does_not_hold_up_the_next_leader(monkeypatch):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite's one lock is the file's: only the end of a process gives it back")
    lease.acquire("one", 30)
    monkeypatch.setattr(threads, "IDLE_SECONDS", 0.5)
    locked, resumed = threading.Event(), threading.Event()

    def suspended() -> None:
        connection_created.connect(threads.end_idle_transactions)
        try:
            with transaction.atomic():
                FeedLease.objects.select_for_update().get()
                locked.set()
                resumed.wait(30)
                FeedLease.objects.update(holder="too late")
        finally:
            connection_created.disconnect(threads.end_idle_transactions)
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        feed = pool.submit(suspended)
        assert locked.wait(10)
        expire()  # waits for the lock
        assert lease.acquire("two", 30)
        resumed.set()
        assert isinstance(feed.exception(), DatabaseError | InterfaceError)
    assert FeedLease.objects.get().holder == "two"
