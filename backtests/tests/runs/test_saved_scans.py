"""Saved scans: kept, changed and started by hand, and by the scheduler once for every change of the candles."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from backtests.models import SavedScan
from backtests.scans import saved
from backtests.tests.runs.conftest import START_MS, wavy_candles
from market_data.intervals import HOUR_MS
from market_data.models import CandleSeries
from market_data.store import write_candles
from workers.models import Run
from workers.tests.broker import Published

REQUEST = {"strategy": "rsi", "symbols": ["AAAUSDT", "BBBUSDT"], "max_hits": 2}


def save(client: APIClient, **more: Any) -> Any:
    return client.post("/api/saved-scans/", {"name": "Morning", "request": REQUEST, **more}, format="json")


@pytest.fixture
def scan(client: APIClient, market: None, published: Published) -> SavedScan:
    answer = save(client)
    assert answer.status_code == 201, answer.json()
    return SavedScan.objects.get(pk=answer.json()["id"])


def add_candle(hour: int, symbol: str = "AAAUSDT") -> None:
    candle = wavy_candles(1, start_ms=START_MS + hour * HOUR_MS)
    write_candles(symbol=symbol, source="test", interval="1h", candles=candle)


def check_twice() -> int:
    """Two checks: the first notices a change, the second sees that no more has come."""
    return saved.start_due_scans() + saved.start_due_scans()


def test_a_scan_is_saved_changed_and_deleted(client: APIClient, scan: SavedScan) -> None:
    path = f"/api/saved-scans/{scan.pk}/"
    shown = client.get(path).json()
    assert {name: shown[name] for name in ("name", "on_new_candles", "enabled", "last_run", "error")} == {
        "name": "Morning",
        "on_new_candles": True,
        "enabled": True,
        "last_run": None,
        "error": "",
    }
    assert shown["request"] == {**REQUEST, "source": "test", "interval": "1h"}
    changed = client.patch(path, {"name": "Evening", "enabled": False}, format="json").json()
    assert (changed["name"], changed["enabled"], changed["request"]) == ("Evening", False, shown["request"])
    assert [each["name"] for each in client.get("/api/saved-scans/").json()["results"]] == ["Evening"]
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404


def test_a_saved_scan_is_started_by_hand(client: APIClient, scan: SavedScan) -> None:
    answer = client.post(f"/api/saved-scans/{scan.pk}/run/")
    run = answer.json()
    assert (answer.status_code, run["kind"], run["spec"]["symbols"]) == (202, "scan", REQUEST["symbols"])
    assert client.get(f"/api/saved-scans/{scan.pk}/").json()["last_run"] == run["id"]


def test_new_candles_start_a_scan_once(scan: SavedScan, published: Published) -> None:
    assert check_twice() == 0, "nothing has changed since it was saved"
    add_candle(1000)
    assert check_twice() == 1
    published.execute_all()
    run = Run.objects.get()
    assert (run.kind, run.owner, run.max_hits) == ("scan", scan.owner, 2)
    assert run.spec["until"] == "2021-02-11T17:00:00Z"
    assert check_twice() == 0
    add_candle(1001)
    assert check_twice() == 1
    assert Run.objects.count() == 2


def test_candles_that_come_one_after_the_other_start_one_scan(scan: SavedScan, published: Published) -> None:
    for symbol in ("AAAUSDT", "BBBUSDT"):
        add_candle(1000, symbol)
        assert saved.start_due_scans() == 0
    assert saved.start_due_scans() == 1
    published.execute_all()
    assert check_twice() == 0


def test_candles_that_never_cease_to_come_hold_a_scan_up_for_a_minute_only(
    scan: SavedScan, published: Published
) -> None:
    add_candle(1000)
    assert saved.start_due_scans() == 0
    SavedScan.objects.update(noticed_at=timezone.now() - timedelta(seconds=61))
    add_candle(1001)
    assert saved.start_due_scans() == 1


def test_candles_that_come_during_a_scan_start_the_next_after_its_end(
    scan: SavedScan, published: Published
) -> None:
    add_candle(1000)
    assert check_twice() == 1
    add_candle(1001)
    assert check_twice() == 0
    published.execute_all()
    assert check_twice() == 1


def test_candles_of_other_series_start_nothing(scan: SavedScan, published: Published) -> None:
    add_candle(1000, "CCCUSDT")
    assert check_twice() == 0


def test_a_scan_of_days_is_started_by_the_last_hour_of_a_day(
    client: APIClient, market: None, published: Published
) -> None:
    assert save(client, request={"strategy": "rsi", "interval": "1d"}).status_code == 201
    for hour in range(1000, 1009):  # the day has ended with the hour of 23:00, number 1,007
        add_candle(hour)
        assert check_twice() == (1 if hour == 1007 else 0), hour
        published.execute_all()
    assert Run.objects.get().succeeded == 3


def test_a_series_that_is_gone_starts_nothing_and_hides_no_later_candle(
    scan: SavedScan, published: Published
) -> None:
    CandleSeries.objects.filter(cryptocurrency__symbol="BBBUSDT").delete()
    assert check_twice() == 0
    add_candle(1000)
    assert check_twice() == 1


@pytest.mark.parametrize("change", [{"enabled": False}, {"on_new_candles": False}])
def test_a_scan_that_is_switched_off_is_not_started(
    scan: SavedScan, published: Published, change: dict[str, bool]
) -> None:
    SavedScan.objects.update(**change)
    add_candle(1000)
    assert check_twice() == 0


def test_scans_of_users_who_may_not_log_in_are_not_started(scan: SavedScan, published: Published) -> None:
    User.objects.update(is_active=False)
    add_candle(1000)
    assert check_twice() == 0


def test_two_schedulers_start_a_scan_once(scan: SavedScan, published: Published) -> None:
    add_candle(1000)
    assert saved.start_due_scans() == 0
    started: list[int] = []
    barrier = threading.Barrier(4)

    def check() -> None:
        barrier.wait()
        started.append(saved.start_due_scans())
        connection.close()

    threads = [threading.Thread(target=check) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sum(started), len(started), Run.objects.count()) == (1, 4, 1)


def test_too_many_runs_postpone_a_scan(scan: SavedScan, published: Published, settings: Any) -> None:
    settings.MAX_ACTIVE_RUNS_PER_USER = 0
    add_candle(1000)
    assert check_twice() == 0
    scan.refresh_from_db()
    assert "runs are under way" in scan.error
    settings.MAX_ACTIVE_RUNS_PER_USER = 1
    assert saved.start_due_scans() == 1
    scan.refresh_from_db()
    assert scan.error == ""


def test_a_request_that_is_no_longer_valid_is_said_and_not_tried_again_until_the_next_candle(
    scan: SavedScan, published: Published
) -> None:
    SavedScan.objects.update(request={**scan.request, "strategy": "gone"})
    add_candle(1000)
    assert check_twice() == 0
    scan.refresh_from_db()
    assert "There is no strategy 'gone'" in scan.error
    assert scan.seen_versions == saved.versions_of(scan.request)


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"name": ""}, "name", "blank"),
        ({"name": "x" * 81}, "name", "no more than 80"),
        ({"request": {"strategy": "nope"}}, "request.strategy", "There is no strategy"),
        ({"request": {}}, "request.strategy", "required"),
        ({"request": []}, "request", "dictionary"),
        ({"request": {**REQUEST, "until": "2021-01-05"}}, "request.until", "newest candles"),
        ({"request": {**REQUEST, "parameters": {"period": 0}}}, "request.parameters.period", "greater than"),
    ],
)
def test_a_bad_field_is_named(
    client: APIClient, market: None, body: dict[str, Any], field: str, words: str
) -> None:
    answer = save(client, **body)
    assert answer.status_code == 400
    assert words in " ".join(answer.json()["errors"][field]), answer.json()
    assert not SavedScan.objects.exists()


def test_what_is_no_field_of_a_request_is_refused(client: APIClient, market: None) -> None:
    answer = save(client, request={**REQUEST, "colour": "\0"})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["request.colour"])


def test_a_name_is_used_once_by_each_user(client: APIClient, scan: SavedScan) -> None:
    answer = save(client)
    assert (answer.status_code, answer.json()["errors"]["name"]) == (
        400,
        ["You have a saved scan of that name."],
    )
    other = APIClient()
    other.force_authenticate(User.objects.create_user("other"))
    assert save(other).status_code == 201


def test_a_user_can_save_only_so_many(client: APIClient, scan: SavedScan, settings: Any) -> None:
    settings.MAX_SAVED_SCANS_PER_USER = 1
    answer = save(client, name="Another")
    assert (answer.status_code, SavedScan.objects.count()) == (400, 1)
    assert "as many as a user may have" in answer.json()["detail"]


def test_saved_scans_are_invisible_to_others(client: APIClient, scan: SavedScan) -> None:
    stranger = APIClient()
    stranger.force_authenticate(User.objects.create_user("stranger"))
    path = f"/api/saved-scans/{scan.pk}/"
    codes = [
        stranger.get(path).status_code,
        stranger.patch(path, {"name": "mine"}, format="json").status_code,
        stranger.delete(path).status_code,
        stranger.post(f"{path}run/").status_code,
    ]
    assert codes == [404] * 4
    assert stranger.get("/api/saved-scans/").json()["results"] == []
    assert APIClient().get(path).status_code == 401
    assert not Run.objects.exists()
