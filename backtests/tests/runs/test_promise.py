"""The order of a run's jobs by promise: where earlier runs of the strategy found hits."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from backtests.models import ResultLink
from backtests.promise import Promise, promise
from market_data.models import CandleSeries
from workers.models import Run
from workers.tests.broker import Published


def post(client: APIClient, **body: Any) -> Run:
    answer = client.post("/api/backtests/", {"strategy": "rsi", **body}, format="json")
    assert answer.status_code == 202, answer.json()
    return Run.objects.get(pk=answer.json()["id"])


def order_of(run: Run) -> list[str]:
    return [key[:3] for key in run.jobs.order_by("position").values_list("key", flat=True)]


def declare_hits(run: Run, *symbols: str) -> None:
    """Let these, and no others, have been the run's hits."""
    links = ResultLink.objects.filter(job__run=run)
    links.update(hit=False)
    links.filter(job__key__in=symbols).update(hit=True)


@pytest.fixture
def volumes(market: None) -> None:
    """AAA is traded most, then BBB, then CCC."""
    for volume, symbol in ((3.0, "AAAUSDT"), (2.0, "BBBUSDT"), (1.0, "CCCUSDT")):
        CandleSeries.objects.filter(cryptocurrency__symbol=symbol).update(quote_volume=volume)


@pytest.fixture
def earlier(client: APIClient, volumes: None, published: Published) -> Run:
    """A run of which CCC was a hit."""
    run = post(client, hit="trade_count >= 0")
    published.execute_all()
    declare_hits(run, "CCCUSDT")
    return run


def test_without_earlier_runs_the_most_traded_come_first(
    client: APIClient, volumes: None, published: Published
) -> None:
    assert order_of(post(client, order="promise")) == ["AAA", "BBB", "CCC"]


def test_earlier_hits_come_first_with_other_parameters_too(client: APIClient, earlier: Run) -> None:
    assert order_of(post(client, order="promise")) == ["CCC", "AAA", "BBB"]
    assert order_of(post(client, order="promise", parameters={"period": 21})) == ["CCC", "AAA", "BBB"]
    assert order_of(post(client)) == ["AAA", "BBB", "CCC"]


def test_symbols_to_put_first_come_before_promising_ones(client: APIClient, earlier: Run) -> None:
    assert order_of(post(client, order="promise", priority_symbols=["BBBUSDT"])) == ["BBB", "CCC", "AAA"]


def test_hits_of_other_strategies_and_other_users_say_nothing(client: APIClient, earlier: Run) -> None:
    assert order_of(post(client, order="promise", strategy="sma_cross")) == ["AAA", "BBB", "CCC"]
    stranger = APIClient()
    stranger.force_authenticate(User.objects.create_user("stranger"))
    assert order_of(post(stranger, order="promise")) == ["AAA", "BBB", "CCC"]


def test_promise_is_the_share_of_hits_drawn_towards_that_of_all(
    client: APIClient, earlier: Run, published: Published
) -> None:
    second = post(client, hit="trade_count >= 0", symbols=["AAAUSDT", "CCCUSDT"])
    declare_hits(second, "AAAUSDT")
    seen = promise(ResultLink.objects.all(), owner=earlier.owner, kind="backtest", strategy="rsi")
    assert seen == Promise(share=2 / 5, counts={"AAAUSDT": (1, 2), "BBBUSDT": (0, 1), "CCCUSDT": (1, 2)})
    assert (seen.of("AAAUSDT"), seen.of("BBBUSDT"), seen.of("DDDUSDT")) == (1.4 / 3, 0.2, 0.4)
