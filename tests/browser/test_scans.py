"""A scan from the form to its signals: what a strategy says of a whole market at this moment."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watched
from tests.browser.site import Site
from tests.browser.test_accessibility import violations
from tests.browser.waiting import attributes, until_true

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

ROWS = "table.scan tbody tr"


def test_a_market_is_scanned_and_a_signal_backtested(page: Page, site: Site, watched: Watched):
    page.goto("/?strategy=rsi")
    page.get_by_text("Scan it now").click()
    expect(page.get_by_text("Range, UTC")).to_have_count(0)
    expect(page.get_by_label("Stop loss")).to_have_count(0)
    page.get_by_label("Signals of the latest").fill("24")
    page.get_by_role("button", name="Scan now").click()
    expect(page.get_by_role("heading", name="Scan: RSI reversal")).to_be_visible()
    expect(page.locator(".run-head [data-status=completed]")).to_be_visible()
    expect(page.locator(ROWS)).to_have_count(48)

    run_id = page.url.rstrip("/").rsplit("/", 1)[1]
    run = site.get(f"/api/runs/{run_id}/")
    assert (run["kind"], run["spec"]["within_bars"]) == ("scan", 24)
    summary = run["summary"]
    tabs = page.get_by_role("toolbar", name="Signals")
    expect(tabs.get_by_role("button", name="Enter long")).to_contain_text(str(summary["enter_long_count"]))
    tabs.get_by_role("button", name="Hold").click()
    expect(page.locator(ROWS)).to_have_count(summary["hold_count"])
    tabs.get_by_role("button", name="All").click()
    expect(page.locator(ROWS)).to_have_count(48)
    results = site.get(f"{run['links']['results']}?page_size=100")["results"]
    entries = [row for row in results if row["signal"] == "enter"]
    assert entries, "nothing to look at"
    shown = attributes(page.locator(ROWS), "data-symbol")[: len(entries)]
    assert set(shown) == {row["symbol"] for row in entries}
    live = page.locator("table.scan").inner_text()
    page.reload()
    # The unit of the strength comes with the strategies, which may be later than the rows.
    until_true(page, lambda: page.locator("table.scan").inner_text() == live, "the same table")

    page.get_by_role("link", name=f"Backtest {shown[0]}", exact=True).click()
    expect(page.get_by_role("button", name="Start run")).to_be_visible()
    expect(page.get_by_label("Search cryptocurrencies")).to_be_visible()
    page.get_by_role("button", name="Start run").click()
    expect(page.get_by_test_id("summary")).to_contain_text("1 results")
    assert watched.complaints == []


def test_a_scan_is_repeated_from_its_page_and_refused_at_its_field(page: Page, site: Site):
    page.goto("/?strategy=rsi&task=scan&withinBars=0")
    expect(page.locator(".field", has_text="Signals of the latest").locator(".field-error")).to_have_text(
        "From 1 to 1000."
    )
    page.get_by_label("Signals of the latest").fill("3")
    page.get_by_role("button", name="Scan now").click()
    page.get_by_role("link", name="Scan again").click()
    expect(page.get_by_label("Signals of the latest")).to_have_value("3")
    page.get_by_label("A hit is").fill("sharpe > 1")
    page.get_by_role("button", name="Scan now").click()
    expect(page.locator(".field", has_text="A hit is").locator(".field-error")).to_contain_text("sharpe")


def test_a_scan_is_saved_started_and_deleted(page: Page, site: Site, watched: Watched):
    page.goto("/scans/")
    expect(page.get_by_role("heading", name="No saved scans yet")).to_be_visible()
    page.get_by_role("link", name="Set up a scan").click()
    page.locator("label.card", has_text="MACD cross").click()
    page.get_by_label("Signals of the latest").fill("12")
    page.get_by_role("button", name="Top 10").click()
    page.get_by_role("button", name="Save this scan").click()
    page.get_by_role("dialog", name="Save this scan").get_by_label("Name").fill("<b>Morning</b>")
    page.keyboard.press("Enter")
    page.wait_for_url("**/scans/")
    row = page.locator("table.saved-scans tbody tr")
    expect(row).to_contain_text("<b>Morning</b>")
    expect(row).to_contain_text("MACD cross · 1h")
    expect(row.get_by_role("checkbox")).to_be_checked()
    with page.expect_response(lambda answer: answer.request.method == "PATCH"):
        row.get_by_role("checkbox").uncheck()
    page.reload()
    expect(row.get_by_role("checkbox")).not_to_be_checked()
    assert violations(page) == []

    row.get_by_role("button", name="Scan now").click()
    expect(page.locator(ROWS)).to_have_count(10)
    expect(page.locator(".run-head [data-status=completed]")).to_be_visible()
    page.goto("/scans/")
    expect(row).to_contain_text("hit")
    row.get_by_role("link", name="Edit a copy").click()
    expect(page.get_by_label("Signals of the latest")).to_have_value("12")
    page.get_by_role("button", name="Save this scan").click()
    page.get_by_role("dialog", name="Save this scan").get_by_label("Name").fill("<b>Morning</b>")
    page.keyboard.press("Enter")
    expect(page.get_by_text("You have a saved scan of that name.")).to_be_visible()
    page.goto("/scans/")
    row.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="No saved scans yet")).to_be_visible()
    assert [text for text in watched.complaints if "400" not in text] == []
