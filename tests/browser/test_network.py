"""What the network does to a page, and what its user sees of it: nothing lost, nothing doubled."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import Site
from tests.browser.test_live_run import RESULT_ROWS, start_run
from tests.browser.waiting import attributes, until_connected

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

NO_WEBSOCKET = """
window.WebSocket = class {
  constructor() { setTimeout(() => this.onclose?.({ code: 1006 })); }
  close() {}
};
"""


def symbols(page: Page) -> list[str]:
    """The symbols of the table's rows."""
    return attributes(page.locator(RESULT_ROWS), "data-symbol")


def test_a_cut_of_five_seconds_in_mid_run_loses_and_doubles_nothing(page: Page, site: Site):
    site.hold_workers()
    try:
        run_id = start_run(page, Period="37")
        until_connected(page)
        completed = site.hold_workers_in_mid_run(run_id)
        expect(page.locator(RESULT_ROWS)).to_have_count(completed)
        page.context.set_offline(True)
        until_connected(page, "lost")
    finally:
        site.release_workers()
    expect(page.get_by_text("Connection lost")).to_be_visible()
    page.wait_for_timeout(5000)
    assert len(symbols(page)) == completed
    page.context.set_offline(False)
    expect(page.get_by_test_id("summary")).to_be_visible()
    expect(page.get_by_text("Connection lost")).to_have_count(0)
    known = site.get(f"/api/backtests/{run_id}/results/?page_size=1000")["results"]
    assert sorted(symbols(page)) == sorted(result["symbol"] for result in known)


def test_where_streams_are_blocked_too_the_page_polls(page: Page, site: Site):
    page.add_init_script(NO_WEBSOCKET)
    page.route("**/stream/**", lambda route: route.abort())
    site.hold_workers()
    try:
        run_id = start_run(page, Period="41")
        until_connected(page, "polling")
        completed = site.hold_workers_in_mid_run(run_id)
        expect(page.locator(RESULT_ROWS)).to_have_count(completed)
    finally:
        site.release_workers()
    expect(page.get_by_test_id("summary")).to_be_visible()
    expect(page.locator(RESULT_ROWS)).to_have_count(len(site.get("/api/cryptocurrencies/?source=sample")))


def test_a_page_of_results_that_shifts_while_it_is_read_loses_no_row(page: Page, site: Site):
    """Between the count of a growing list and its page, a result can push another one off the end."""
    site.hold_workers()
    try:
        run_id = start_run(page, Period="101")
        completed = site.hold_workers_in_mid_run(run_id)
        shifted = site.get(f"/api/backtests/{run_id}/results/?page_size=1000")
        del shifted["results"][0]
        page.route("**/results/?**", lambda route: route.fulfill(json=shifted))
        page.reload()
        expect(page.locator(RESULT_ROWS)).to_have_count(completed)
    finally:
        site.release_workers()
    expect(page.get_by_test_id("summary")).to_be_visible()
    expect(page.locator(RESULT_ROWS)).to_have_count(48)
