"""The servers that the suite itself runs on."""

import os

import psycopg2
import pytest
import redis
from django.conf import settings
from django.db import connection

from tests.servers import fresh_database, fresh_postgres_database, private_valkey


@pytest.mark.django_db
def test_the_suite_runs_on_the_database_it_was_asked_for():
    wanted = os.environ.get("DATABASE_URL", "sqlite")
    assert wanted.startswith(connection.vendor[:6])
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


def test_the_suites_redis_answers():
    assert redis.Redis.from_url(settings.REDIS_URL).ping()


def test_a_private_valkey_is_empty_and_gone_afterwards():
    with private_valkey() as url:
        client = redis.Redis.from_url(url)
        assert client.dbsize() == 0
    with pytest.raises(redis.ConnectionError):
        client.ping()


def test_a_fresh_postgres_database_is_empty_and_gone_afterwards():
    with fresh_postgres_database() as url:
        server = psycopg2.connect(url)
        cursor = server.cursor()
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        assert cursor.fetchone() == (0,)
        server.close()
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(url)


def test_two_fresh_databases_differ():
    with fresh_database() as first, fresh_database() as second:
        assert first != second
