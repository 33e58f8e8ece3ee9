"""A run as its user sees it, from the form to the final summary."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watched
from tests.browser.site import Site
from tests.browser.waiting import attributes

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

ROWS = "cs-result-table tbody tr"
RESULT_ROWS = f"{ROWS}[data-symbol]"
"""Of what is done: a run that takes longer than a few seconds lists what it has not done yet as well."""


def start_run(page: Page, **parameters: str) -> str:
    """Fill the form with parameters of its own, so that nothing is reused, and start; the run's id."""
    page.goto("/")
    for name, value in parameters.items():
        page.get_by_label(re.compile(f"^{name}"), exact=False).and_(page.locator("input.input")).fill(value)
    page.get_by_role("button", name="Start run").click()
    page.wait_for_url("**/runs/*/")
    return page.url.rstrip("/").rsplit("/", 1)[1]


def shown(page: Page) -> tuple[list[str], str, str]:
    """What a page says about a run: the symbols, the progress, the median."""
    return (
        sorted(page.locator(f"{RESULT_ROWS} th").all_inner_texts()),
        page.locator(".facts").inner_text().split(" · ")[0],
        page.locator(".figure").first.inner_text(),
    )


def test_rows_arrive_before_the_run_is_complete_and_survive_a_reload(
    page: Page, site: Site, watched: Watched
):
    total = len(site.get("/api/cryptocurrencies/?source=sample"))
    site.hold_workers()
    try:
        run_id = start_run(page, Period="17")
        nothing_yet = page.get_by_text("Waiting for the first result")  # or, after some seconds, what waits
        expect(nothing_yet.or_(page.locator("tr.waiting").first)).to_be_visible()
        completed = site.hold_workers_in_mid_run(run_id)
        expect(page.locator(RESULT_ROWS)).to_have_count(completed)
        expect(page.get_by_role("progressbar")).to_have_attribute(
            "aria-valuenow", str(100 * completed // total)
        )
        expect(page.get_by_test_id("summary")).to_have_count(0)
        before = shown(page)

        page.reload()
        expect(page.locator(RESULT_ROWS)).to_have_count(completed)
        assert shown(page) == before
        expect(page.locator(".feed li")).to_have_count(completed)
    finally:
        site.release_workers()

    expect(page.get_by_test_id("summary")).to_contain_text(f"Complete. {total} results")
    expect(page.locator(RESULT_ROWS)).to_have_count(total)
    expect(page.locator("[data-status=completed]").first).to_be_visible()
    expect(page.get_by_text("generated sample").first).to_be_visible()
    live = shown(page)
    page.reload()
    expect(page.locator(RESULT_ROWS)).to_have_count(total)
    assert shown(page) == live
    assert watched.complaints == []


def test_the_page_shows_what_the_api_says(page: Page, site: Site, watched: Watched):
    run_id = start_run(page, Period="19")
    expect(page.get_by_test_id("summary")).to_be_visible()
    results = site.get(f"/api/backtests/{run_id}/results/?ordering=-total_return&page_size=1000")["results"]
    first = results[0]
    row = page.locator(ROWS).first
    expect(row).to_have_attribute("data-symbol", first["symbol"])
    points = first["metrics"]["total_return"] * 100
    written = f"{'+' if points > 0 else '−' if points < 0 else ''}{abs(points):,.1f}"
    expect(row.locator("td").first).to_have_text(written)
    assert attributes(page.locator(ROWS), "data-symbol") == [result["symbol"] for result in results]
    assert watched.complaints == []


def test_two_tabs_of_a_run_show_the_same(page: Page, site: Site):
    site.hold_workers()
    try:
        run_id = start_run(page, Period="23")
        second = page.context.new_page()
        second.goto(f"/runs/{run_id}/")
        site.hold_workers_in_mid_run(run_id)
    finally:
        site.release_workers()
    for tab in (page, second):
        expect(tab.get_by_test_id("summary")).to_be_visible()
    assert shown(page) == shown(second)


def test_a_wrong_value_is_named_beside_its_field_and_keeps_what_was_typed(page: Page, watched: Watched):
    page.goto("/?strategy=sma_cross&p.fast=50&p.slow=20")
    page.get_by_role("button", name="Start run").click()
    field = page.locator("[aria-invalid=true]").first
    expect(field).to_be_visible()
    expect(page.locator(".field-error").first).to_be_visible()
    assert field.input_value() in ("50", "20")
    # The browser itself reports the answer 400; nothing else may be wrong.
    assert [text for text in watched.complaints if "400" not in text] == []


def test_an_unknown_run_has_a_page_of_its_own(page: Page):
    page.goto("/runs/0192f0aa-5a6e-7c1e-9f1b-3f4b8d2a7c10/")
    expect(page.get_by_role("heading", name="This run is not here")).to_be_visible()
