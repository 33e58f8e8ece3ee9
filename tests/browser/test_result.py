"""One result, looked into: the whole curve, what the strategy saw, and what is said when candles change."""

from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Watched
from tests.browser.site import Site
from tests.browser.waiting import until, until_drawn, until_true

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

RANGE = {"start": "2025-03-01", "end": "2025-06-01"}
BARS = 92 * 24


@pytest.fixture(scope="module")
def finished(site: Site) -> str:
    """Address of a complete run over three months."""
    return site.finished_run(parameters={"period": 21}, symbols=["BTCUSDT", "ETHUSDT", "XRPUSDT"], **RANGE)


def drawn(page: Page, element: str, property_: str) -> Any:
    """What a chart was given to draw."""
    until(page, f"document.querySelector('{element}')?.{property_}.length > 0")
    return page.evaluate(f"document.querySelector('{element}').{property_}")


def test_the_curve_is_drawn_at_every_bar_and_adds_up_to_the_result(
    page: Page, site: Site, finished: str, watched: Watched
):
    page.goto(f"{finished}BTCUSDT/")
    expect(page.get_by_role("heading", name="Monthly returns %, UTC")).to_be_visible()
    until(page, f"document.querySelector('cs-equity-chart').times.length === {BARS}")
    result = site.get(f"/api/backtests/{finished.split('/')[2]}/results/BTCUSDT/")
    equity = drawn(page, "cs-equity-chart", "equity")
    assert equity[-1] == pytest.approx(result["metrics"]["final_equity"], rel=1e-9)
    assert max(drawn(page, "cs-equity-chart", "drawdown")) == pytest.approx(
        result["metrics"]["max_drawdown"], abs=1e-6
    )
    assert len(drawn(page, "cs-equity-chart", "buyHold")) == BARS
    assert page.locator("table.months tbody td").all_inner_texts().count("") == 9
    assert watched.complaints == []


def test_indicators_begin_with_the_range(page: Page, finished: str):
    page.goto(f"{finished}BTCUSDT/")
    until(page, "Number.isFinite(document.querySelector('cs-candle-chart')?.overlays[0]?.values[0])")
    assert page.evaluate("document.querySelector('cs-candle-chart').overlays[0].values.length") == BARS


def test_a_result_whose_candles_have_changed_says_so(page: Page, site: Site, finished: str):
    path = f"/api/backtests/{finished.split('/')[2]}/results/BTCUSDT/curve/"
    changed = {**site.get(path), "candles_changed": True}
    page.route(f"**{path}", lambda route: route.fulfill(json=changed))
    page.goto(f"{finished}BTCUSDT/")
    expect(page.get_by_text("The candles have changed since this was computed")).to_be_visible()
    page.get_by_role("button", name="Next result").click()
    expect(page.locator("cs-equity-chart canvas").first).to_be_visible()
    expect(page.get_by_text("The candles have changed since")).to_have_count(0)


def test_a_chart_of_a_result_that_was_left_is_not_drawn_any_more(page: Page, finished: str):
    """It would be kept for as long as the tab is open, with all its candles."""
    curves: list[Route] = []

    def hold(curve: Route) -> None:
        curves.append(curve)

    page.route("**/curve/", hold)
    page.goto(f"{finished}BTCUSDT/")
    page.locator("cs-candle-chart canvas").first.wait_for()
    chart = page.locator("cs-candle-chart").element_handle()
    until_true(page, lambda: curves, "the curve is asked for")
    page.get_by_role("link", name="Close, back to all results").click()
    expect(page.locator("cs-result")).to_have_count(0)
    with page.expect_response("**/curve/") as answer:
        curves[0].continue_()
    answer.value.finished()
    until_drawn(page)
    assert chart.evaluate("chart => chart.chart") is None


def test_a_result_without_its_candles_shows_what_is_kept(page: Page, finished: str, watched: Watched):
    gone = {"status": 404, "title": "Not found", "detail": "The 1h candles of BTCUSDT are no longer stored."}
    for path in ("**/curve/", "**/candles/?**"):
        page.route(path, lambda route: route.fulfill(status=404, json=gone))
    page.goto(f"{finished}BTCUSDT/")
    expect(
        page.get_by_text("No candles to draw: The 1h candles of BTCUSDT are no longer stored.")
    ).to_be_visible()
    expect(page.get_by_role("heading", name="points of the curve")).to_be_visible()
    expect(page.locator("table.trades tbody tr").first).to_be_visible()
    assert [text for text in watched.complaints if "404" not in text] == []
