"""What a user does to a run under way, and to one that is over."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watched
from tests.browser.site import RUN_SECONDS, Site
from tests.browser.test_live_run import RESULT_ROWS, shown, start_run
from tests.browser.test_network import NO_WEBSOCKET, symbols
from tests.browser.waiting import until_connected
from tests.launcher.launched import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def start_held(page: Page, site: Site, period: str) -> tuple[str, int]:
    """Start a run and hold its workers in the middle of it, its page connected; its id and how much is done."""
    site.hold_workers()
    run_id = start_run(page, Period=period)
    until_connected(page)
    return run_id, site.hold_workers_in_mid_run(run_id)


def test_a_run_is_stopped_by_keyboard_after_a_question(page: Page, site: Site, watched: Watched):
    try:
        run_id, completed = start_held(page, site, "73")
        expect(page.locator(RESULT_ROWS)).to_have_count(completed)
        page.keyboard.press("s")
        page.get_by_role("dialog", name="Stop this run?").get_by_role("button", name="Stop").click()
        expect(page.get_by_test_id("summary")).to_contain_text(f"Stopped. {completed} results")
        # It is over, but not all of it was done.
        share = 100 * completed // site.get(f"/api/runs/{run_id}/")["progress"]["total"]
        expect(page.get_by_role("progressbar", name="Progress")).to_have_attribute(
            "aria-valuenow", str(share)
        )
    finally:
        site.release_workers()
    page.wait_for_timeout(500)
    assert site.get(f"/api/runs/{run_id}/")["progress"]["completed"] == completed
    expect(page.locator(RESULT_ROWS)).to_have_count(completed)
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    assert watched.complaints == []


def test_a_paused_run_shows_what_waits_lets_it_be_reordered_and_goes_on(
    page: Page, site: Site, watched: Watched
):
    try:
        site.hold_workers()
        # One job at a time: no other can have been on its way to a worker when the run is paused.
        run = site.start_run(parameters={"period": 79}, max_parallel=1)
        page.goto(run["links"]["page"])
        until_connected(page)
        completed = site.hold_workers_in_mid_run(run["id"])
        expect(page.locator(RESULT_ROWS)).to_have_count(completed)
        wait_for(site.held_jobs, RUN_SECONDS)
        page.keyboard.press("p")
        expect(page.get_by_role("button", name="Resume")).to_be_visible()
        waiting = page.locator("tr.waiting")
        last = waiting.last
        symbol = last.get_attribute("data-waiting") or ""
        last.get_by_role("button").click()
        expect(waiting.first).to_have_attribute("data-waiting", symbol)
        completed = site.let_jobs_end(run["id"], site.held_jobs())
        expect(page.locator(RESULT_ROWS)).to_have_count(completed)
        page.get_by_role("button", name="Resume").click()
        # It does not end meanwhile: only what is taken first can be begun.
        wait_for(site.held_jobs, RUN_SECONDS)
        assert site.held_jobs() == {symbol}
    finally:
        site.release_workers()
    expect(page.get_by_test_id("summary")).to_contain_text("Complete. 48 results")
    assert watched.complaints == []


def test_where_websockets_are_blocked_events_are_streamed(page: Page, site: Site):
    page.add_init_script(NO_WEBSOCKET)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    try:
        _, completed = start_held(page, site, "83")
        assert any("/stream/?after=" in url for url in asked)
        expect(page.locator(RESULT_ROWS)).to_have_count(completed)
    finally:
        site.release_workers()
    expect(page.get_by_test_id("summary")).to_be_visible()
    expect(page.get_by_text("blocked here")).to_have_count(0)
    assert len(set(symbols(page))) == 48


def test_a_run_that_ends_with_enough_hits_says_so(page: Page, site: Site, watched: Watched):
    page.goto("/")
    page.locator("input.input[id='parameters.period']").fill("9")
    page.get_by_text("Order, hits, an early end").click()
    page.get_by_label("A hit is").fill("trade_count >= 1")
    page.get_by_label("End after hits").fill("3")
    page.get_by_role("button", name="Start run").click()
    expect(page.get_by_test_id("summary")).to_contain_text("there are enough hits")
    expect(page.locator(".figure", has_text="Hits")).to_contain_text("3 of 3")
    live = shown(page)
    page.reload()
    expect(page.locator(".figure", has_text="Hits")).to_contain_text("3 of 3")
    assert shown(page) == live
    assert watched.complaints == []


def test_a_wrong_predicate_is_named_at_its_field(page: Page, site: Site):
    page.goto("/?hit=sharp%3E1&maxHits=2")
    page.get_by_role("button", name="Start run").click()
    expect(page.locator(".field", has_text="A hit is").locator(".field-error")).to_contain_text("sharp")
    expect(page.get_by_label("A hit is")).to_have_value("sharp>1")


def test_an_ended_run_is_deleted_after_a_question(page: Page, site: Site, watched: Watched):
    address = site.finished_run(parameters={"period": 97})
    page.goto("/runs/")
    row = page.locator("tr", has=page.locator(f"a[href='{address}']"))
    row.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog", name="Delete this run?").get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)
    page.goto(address)
    expect(page.get_by_role("heading", name="This run is not here")).to_be_visible()
    assert [text for text in watched.complaints if "404" not in text] == []
