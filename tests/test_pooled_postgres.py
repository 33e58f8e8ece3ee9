"""Connections of the web server that wait for the next request."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from config.pooled_postgres import base

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no server"),
]


@pytest.fixture
def pooled() -> Iterator[base.DatabaseWrapper]:
    connection.ensure_connection()  # so that it takes none of those that wait
    base.keep(1)
    wrapper = base.DatabaseWrapper({**connection.settings_dict, "TEST": {}})
    yield wrapper
    base.keep(0)
    wrapper.close()


def server_process(pooled: base.DatabaseWrapper) -> Any:
    with pooled.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def test_a_closed_connection_serves_the_next_one(pooled: base.DatabaseWrapper):
    first = server_process(pooled)
    pooled.close()
    assert server_process(pooled) == first


def test_no_more_wait_than_are_allowed(pooled: base.DatabaseWrapper):
    base.keep(0)
    first = server_process(pooled)
    pooled.close()
    assert server_process(pooled) != first


def test_one_that_waited_long_is_not_used(pooled: base.DatabaseWrapper, monkeypatch: pytest.MonkeyPatch):
    first = server_process(pooled)
    pooled.close()
    monkeypatch.setattr(base, "MAX_IDLE_SECONDS", 0.0)
    assert server_process(pooled) != first


def test_one_that_the_server_has_ended_is_not_used(pooled: base.DatabaseWrapper):
    first = server_process(pooled)
    pooled.close()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [first])
    assert server_process(pooled) != first


def test_one_in_the_middle_of_a_transaction_is_really_closed(pooled: base.DatabaseWrapper):
    first = server_process(pooled)
    pooled.set_autocommit(False)
    server_process(pooled)
    pooled.close()
    assert server_process(pooled) != first


def test_one_that_is_closed_inside_a_transaction_is_not_shared(pooled: base.DatabaseWrapper):
    first = server_process(pooled)
    pooled.in_atomic_block = True  # begun, and no statement sent yet
    pooled.close()
    assert (
        base.DatabaseWrapper(pooled.settings_dict)
        .get_new_connection(pooled.get_connection_params())
        .info.backend_pid
        != first
    )


def test_a_forked_process_does_not_speak_on_its_parents_connections(pooled: base.DatabaseWrapper):
    first = server_process(pooled)
    pooled.close()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, str(len(base._idle)).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 10) == b"0"
    assert server_process(pooled) == first, "nor has the child ended them"


def test_one_with_an_error_is_really_closed(pooled: base.DatabaseWrapper):
    first = server_process(pooled)
    with pytest.raises(Exception, match="no_such_table"), pooled.cursor() as cursor:
        cursor.execute("SELECT * FROM no_such_table")
    pooled.close()
    assert server_process(pooled) != first
