"""What stands where, in which words and in whose time."""

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.large_run import FIXTURE
from tests.browser.site import Site
from tests.browser.states import NOTHING, live_prices
from tests.browser.tabs import fresh_tab
from tests.browser.test_control import start_held
from tests.browser.waiting import until_true

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_what_happened_to_prices_fills_a_wide_screen_to_its_end(page: Page, site: Site):
    page.set_viewport_size({"width": 1920, "height": 1080})
    live_prices("live")(page)
    page.goto("/prices/")
    happened = page.get_by_role("list", name="Activity, newest first")
    expect(happened.get_by_role("listitem")).to_have_count(60)
    until_true(page, lambda: 1080 - 32 <= bottom_of(happened) <= 1080)


def bottom_of(element: Locator) -> float:
    box = element.bounding_box()
    assert box is not None
    return box["y"] + box["height"]


@pytest.mark.parametrize(
    ("zone", "started", "utc"),
    [
        ("Asia/Kolkata", "2025-11-20 14:13", "2025-11-20 08:43:45 UTC"),
        ("America/New_York", "2025-11-20 03:43", "2025-11-20 08:43:45 UTC"),
    ],
)
def test_times_are_of_the_users_zone_and_say_utc_when_pointed_at(
    browser: Browser, site: Site, zone: str, started: str, utc: str
):
    listed = {**NOTHING, "count": 1, "results": [FIXTURE["run_at_end"]]}
    with fresh_tab(browser, site.url, timezone_id=zone) as page:
        page.route("**/api/runs/?**", lambda route: route.fulfill(json=listed))
        page.goto("/runs/")
        time = page.locator("table.runs time")
        expect(time).to_have_text(started)
        expect(time).to_have_attribute("title", utc)


def test_the_list_of_runs_follows_a_run_that_is_under_way(page: Page, site: Site):
    try:
        run_id, completed = start_held(page, site, "157")
        other = page.context.new_page()
        other.goto("/runs/")
        row = other.locator("tr", has=other.locator(f"a[href='/runs/{run_id}/']"))
        expect(row).to_contain_text(f"{completed} of 48")
        expect(row.get_by_role("progressbar")).to_be_visible()
        completed = site.hold_workers_in_mid_run(run_id, count=completed + 4)
        expect(row).to_contain_text(f"{completed} of 48")
    finally:
        site.release_workers()
    expect(row).to_contain_text("Completed")
    expect(row.get_by_role("progressbar")).to_have_count(0)


def test_the_market_is_searched_and_the_range_chosen_by_one_click(page: Page, site: Site):
    page.goto("/?symbols=")
    page.get_by_label("Search cryptocurrencies").fill("bt")
    ticks = page.get_by_role("group", name="Cryptocurrencies").get_by_role("checkbox")
    expect(ticks.first).to_be_visible()
    count = ticks.count()
    assert 0 < count < 10
    page.get_by_role("button", name="Choose found").click()
    expect(page.locator(".summary dd").first).to_have_text(str(count))
    expect(page.get_by_text("there are candles from 2024-01-02 until 2026-01-01")).to_be_visible()
    page.get_by_role("button", name="2024", exact=True).click()
    expect(page.get_by_label("From", exact=True)).to_have_value("2024-01-02")
    expect(page.get_by_label("Until, not included")).to_have_value("2025-01-01")
    page.get_by_role("button", name="Start run").click()
    expect(page.get_by_test_id("summary")).to_contain_text(f"{count} results")
    expect(page.locator(".run-what")).to_contain_text("2024-01-02 → 2025-01-01")
