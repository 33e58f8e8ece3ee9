"""Menus that open under a button."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_one_menu_is_open_at_a_time_and_escape_or_a_press_elsewhere_closes_it(page: Page, site: Site):
    page.goto(site.finished_run(parameters={"period": 33}))
    menus = page.locator("details.menu")
    columns = menus.filter(has=page.get_by_text("Columns", exact=True))
    export = menus.filter(has=page.get_by_text("Export", exact=True))
    is_open = page.locator("details.menu[open]")

    columns.locator("summary").click()
    columns.get_by_label("Sortino").check()
    expect(columns).to_have_attribute("open", "")  # another column may be wanted as well

    export.locator("summary").click()
    expect(is_open).to_have_count(1)
    expect(export).to_have_attribute("open", "")

    page.keyboard.press("Escape")
    expect(is_open).to_have_count(0)
    expect(export.locator("summary")).to_be_focused()

    columns.locator("summary").click()
    page.get_by_role("heading", level=1).click()
    expect(is_open).to_have_count(0)


def test_a_menu_does_not_stay_over_the_result_that_is_opened_beside_it(page: Page, site: Site):
    page.goto(site.finished_run(parameters={"period": 33}))
    page.locator("details.menu summary", has_text="Settings").click()
    page.locator("tbody a").first.press("Enter")
    expect(page.locator("cs-result h1")).to_be_visible()
    expect(page.locator("details.menu[open]")).to_have_count(0)


def test_choosing_from_a_menu_closes_it(page: Page, site: Site):
    page.goto(site.finished_run(parameters={"period": 33}))
    export = page.locator("details.menu", has=page.get_by_text("Export", exact=True))
    export.locator("summary").click()
    with page.expect_download():
        export.get_by_role("button", name="CSV").click()
    expect(page.locator("details.menu[open]")).to_have_count(0)
