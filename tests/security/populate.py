"""Fill an empty database with users and runs, and print them as JSON: `python -m tests.security.populate`."""

import json
import os
import sys
from datetime import timedelta
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.contrib.auth.models import User  # noqa: E402 -- models can be imported only now
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from backtests.tests.runs.conftest import SYMBOLS, wavy_candles  # noqa: E402
from market_data.store import write_candles  # noqa: E402
from workers import control, runs  # noqa: E402
from workers.models import ApiToken, Run  # noqa: E402
from workers.tests.counting.handler import counting_spec  # noqa: E402

PASSWORD = "correct horse battery staple"
MANY = 12_000
LIVE_RUNS = 8


def populate() -> dict[str, Any]:
    """A small market; users with tokens; an ended run of many events; paused runs, to be resumed later."""
    call_command("migrate", verbosity=0)
    for number, symbol in enumerate(SYMBOLS):
        write_candles(symbol=symbol, source="test", interval="1h", candles=wavy_candles(300, phase=number))
    owner = User.objects.create_user("owner", password=PASSWORD)
    other = User.objects.create_user("other", password=PASSWORD)
    staff = User.objects.create_superuser("staff", password=PASSWORD)
    tokens = {user.username: ApiToken.issue(owner=user) for user in (owner, other, staff)}
    tokens["expired"] = ApiToken.issue(owner=owner, name="expired")
    tokens["brief"] = ApiToken.issue(owner=owner, name="brief")
    ApiToken.objects.filter(name="expired").update(expires_at=timezone.now() - timedelta(seconds=1))
    long = _run(owner, MANY, known=[str(k) for k in range(MANY)])
    live = [_paused(owner) for _ in range(LIVE_RUNS)]
    return {"tokens": tokens, "password": PASSWORD, "long": str(long.pk), "live": live}


def _run(owner: Any, jobs: int, **more: Any) -> Run:
    return runs.create_run(owner=owner, kind="count", spec=counting_spec(jobs, **more))


def _paused(owner: Any) -> str:
    run = _run(owner, 20, sleep_ms=20)
    control.pause_run(run_id=run.pk)
    return str(run.pk)


if __name__ == "__main__":
    json.dump(populate(), sys.stdout)
    connection.close()
