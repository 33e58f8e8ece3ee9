"""How a run ends before its user's eyes: with enough hits, with failures, stopped in the middle, or unseen."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watched
from tests.browser.site import Site
from tests.browser.test_control import start_held
from tests.browser.test_live_run import RESULT_ROWS
from tests.browser.waiting import attributes, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

ICON = "document.querySelector('link[rel=icon]').href"
# The browser's own notifications can't be looked at: this keeps what it is told to show.
KEEP_NOTIFICATIONS = """
window.told = [];
const Real = window.Notification;
window.Notification = class extends Real {
  constructor(title, options) { super(title, options); window.told.push([title, options.body]); }
};
"""


EARLY, LATE = "EARLYUSDT", "LATEUSDT"


@pytest.fixture(scope="module")
def late(site: Site) -> dict[str, Any]:
    """A request of which one symbol fails: it has no candles as early as that."""
    site.add_series(EARLY, "late", first_day="2024-01-01")
    site.add_series(LATE, "late", first_day="2024-03-01")
    return {"source": "late", "symbols": [EARLY, LATE], "start": "2024-01-01", "end": "2024-02-01"}


def test_hits_are_marked_where_they_stand_and_can_be_shown_alone(page: Page, site: Site, watched: Watched):
    first = site.finished_run(strategy="macd", parameters={"fast": 11})
    middle = site.get(f"/api/runs/{first.split('/')[2]}/")["summary"]["median_return"]
    address = site.finished_run(strategy="macd", parameters={"fast": 11}, hit=f"total_return > {middle}")
    page.goto(address)
    expect(page.get_by_test_id("summary")).to_be_visible()
    results = site.get(f"/api/backtests/{address.split('/')[2]}/results/?page_size=1000")["results"]
    hits = sorted(result["symbol"] for result in results if result["hit"])
    assert 0 < len(hits) < len(results)
    expect(page.locator(".figure", has_text="Hits")).to_contain_text(str(len(hits)))
    marked = page.locator(RESULT_ROWS, has=page.locator(".mark-hit"))
    assert sorted(attributes(marked, "data-symbol")) == hits
    page.get_by_role("button", name="show", exact=True).click()
    expect(page.locator(RESULT_ROWS)).to_have_count(len(hits))
    page.locator(f"{RESULT_ROWS} a").first.click()
    expect(page.locator(".result-head .mark-hit")).to_be_visible()
    assert watched.complaints == []


def test_a_run_is_stopped_at_forty_percent(page: Page, site: Site, watched: Watched):
    try:
        run_id, _ = start_held(page, site, "107")
        completed = site.hold_workers_in_mid_run(run_id, count=20)
        expect(page.locator(RESULT_ROWS)).to_have_count(completed)
        page.get_by_role("button", name="Stop").click()
        page.get_by_role("dialog", name="Stop this run?").get_by_role("button", name="Stop").click()
        expect(page.get_by_test_id("summary")).to_contain_text(f"Stopped. {completed} results")
    finally:
        site.release_workers()
    page.wait_for_timeout(500)
    expect(page.locator(RESULT_ROWS)).to_have_count(completed)
    progress = site.get(f"/api/runs/{run_id}/")["progress"]
    assert (progress["completed"], progress["cancelled"]) == (completed, 48 - completed)
    page.reload()
    expect(page.locator(RESULT_ROWS)).to_have_count(completed)
    expect(page.locator(".facts")).to_contain_text(f"{48 - completed} cancelled")
    assert watched.complaints == []


def test_a_run_that_failed_says_what_happened_and_what_is_safe(
    page: Page, site: Site, late: dict[str, Any], watched: Watched
):
    page.goto(site.finished_run(**late, max_failures=1, max_parallel=1, priority_symbols=[LATE]))
    expect(page.get_by_role("alert")).to_contain_text("The run failed: too much failed.")
    expect(page.get_by_role("alert")).to_contain_text("stored and correct")
    expect(page.locator(".run-head [data-status=failed]")).to_be_visible()
    page.get_by_role("link", name="Start it again").click()
    expect(page.get_by_label("End after failures")).to_have_value("1")
    assert watched.complaints == []


def test_what_failed_says_why_and_is_retried_alone(
    page: Page, site: Site, late: dict[str, Any], watched: Watched
):
    page.goto(site.finished_run(**late))
    failed = page.locator("tr.failed")
    expect(failed).to_have_attribute("data-symbol", LATE)
    expect(failed).to_contain_text("no candles in the range: LATEUSDT has candles from 2024-03-01")
    page.get_by_role("button", name="Retry failed").click()
    expect(page.locator(".notice-error")).to_contain_text("none of them has candles in this range")

    site.add_series(LATE, "late", first_day="2024-01-01")
    page.get_by_role("button", name="Retry failed").click()
    expect(page.locator(".facts")).to_contain_text("1 of 1")
    expect(page.locator(RESULT_ROWS)).to_have_attribute("data-symbol", LATE)
    expect(failed).to_have_count(0)
    assert [text for text in watched.complaints if "400" not in text] == []


def test_who_looks_elsewhere_is_told_when_a_run_ends(page: Page, site: Site, watched: Watched):
    page.context.grant_permissions(["notifications"], origin=site.url)
    page.add_init_script(KEEP_NOTIFICATIONS)
    try:
        run_id, _ = start_held(page, site, "109")
        expect(page).to_have_title(re.compile(r"^\d+"))
        until(page, f"{ICON}.startsWith('data:image/png')")
        page.evaluate("Object.defineProperty(document, 'hidden', { get: () => true, configurable: true })")
    finally:
        site.release_workers()
    title, text = until(page, "window.told[0]")
    summary = site.get(f"/api/runs/{run_id}/")["summary"]
    assert title == "RSI reversal: completed"
    assert text.startswith(f"{summary['result_count']} results, median return")
    expect(page).to_have_title("RSI reversal · Candlestream")
    assert page.evaluate(ICON).endswith("/favicon.svg")
    assert page.evaluate("window.told.length") == 1
    assert watched.complaints == []
