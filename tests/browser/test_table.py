"""The table of a run and what stands around it: filter, columns, header, charts, and the ways from them to a result."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watched
from tests.browser.site import Site
from tests.browser.test_control import start_held
from tests.browser.test_live_run import RESULT_ROWS
from tests.browser.waiting import attributes

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

COUNTED = """[...document.querySelectorAll('.overview-chart rect title')]
  .reduce((sum, one) => sum + Number(one.textContent.split(': ').at(-1)), 0)"""


@pytest.fixture(scope="module")
def finished(site: Site) -> str:
    """Address of a complete run."""
    return site.finished_run(strategy="sma_cross", parameters={"fast": 19, "slow": 97})


def test_a_filter_takes_words_and_conditions(page: Page, site: Site, finished: str, watched: Watched):
    results = site.get(f"/api/backtests/{finished.split('/')[2]}/results/?page_size=1000")["results"]
    good = {
        result["symbol"]
        for result in results
        if result["metrics"]["total_return"] > -0.5 and result["metrics"]["trade_count"] > 0
    }
    assert 0 < len(good) < len(results)
    page.goto(finished)
    page.get_by_test_id("summary").wait_for()
    page.keyboard.press("/")
    page.keyboard.type("return>-50 trades>0")
    expect(page.locator(RESULT_ROWS)).to_have_count(len(good))
    assert set(attributes(page.locator(RESULT_ROWS), "data-symbol")) == good
    page.get_by_label("Filter the table").fill("btc")
    expect(page.locator(RESULT_ROWS)).to_have_count(1)
    page.get_by_label("Filter the table").fill("z" * 10_000)
    page.get_by_role("button", name="Clear the filter").click()
    expect(page.locator("cs-result-table table")).to_have_attribute("aria-rowcount", str(len(results) + 1))
    assert watched.complaints == []


def test_columns_are_chosen_and_kept(page: Page, finished: str):
    page.goto(finished)
    page.get_by_text("Columns", exact=True).click()
    page.get_by_label("Sortino").check()
    expect(page.get_by_role("columnheader", name="Sortino")).to_be_visible()
    page.reload()
    expect(page.get_by_role("columnheader", name="Sortino")).to_be_visible()
    page.get_by_role("button", name="Sortino").click()
    expect(page.get_by_role("columnheader", name="Sortino")).to_have_attribute("aria-sort", "descending")


def test_the_header_stays_while_the_table_scrolls(page: Page, finished: str):
    page.goto(finished)
    page.get_by_test_id("summary").wait_for()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Simple moving average cross"
    )  # not the name before it
    header = page.get_by_role("columnheader", name="Symbol")
    before = header.bounding_box()
    page.locator(RESULT_ROWS).first.hover()
    page.mouse.wheel(0, 600)
    expect(page.locator(f"{RESULT_ROWS} a").first).not_to_be_in_viewport()
    assert header.bounding_box() == before


def test_the_charts_grow_with_the_run_and_lead_to_results(page: Page, site: Site, watched: Watched):
    try:
        run_id, completed = start_held(page, site, "151")
        expect(page.locator(".overview-chart circle")).to_have_count(completed)
        assert page.evaluate(COUNTED) == completed
        completed = site.hold_workers_in_mid_run(run_id, count=completed + 5)
        expect(page.locator(".overview-chart circle")).to_have_count(completed)
        assert page.evaluate(COUNTED) == completed
    finally:
        site.release_workers()
    expect(page.get_by_test_id("summary")).to_contain_text("Complete. 48 results")
    expect(page.locator(".overview-chart circle")).to_have_count(48)
    dot = page.locator(".overview-chart circle").first
    dot.click(force=True)  # others may lie over it: any of them is a way
    page.wait_for_url("**/runs/*/*USDT/")
    assert watched.complaints == []


def test_gain_and_loss_are_told_by_a_sign_as_well_as_by_colour(page: Page, finished: str):
    page.goto(finished)
    page.get_by_test_id("summary").wait_for()
    for tone, sign in (("gain", "+"), ("loss", "−")):
        texts = page.locator(f"{RESULT_ROWS} td.{tone}").all_inner_texts()
        assert texts
        assert all(text.startswith(sign) for text in texts)


def test_each_row_has_its_curve_and_each_metric_its_definition(page: Page, finished: str):
    page.goto(finished)
    page.get_by_test_id("summary").wait_for()
    expect(page.locator(RESULT_ROWS)).to_have_count(48)
    expect(page.locator(f"{RESULT_ROWS} .spark")).to_have_count(48)
    page.locator(f"{RESULT_ROWS} a").first.click()
    metrics = page.locator(".metrics > div")
    expect(metrics.first).to_be_visible()
    definitions = attributes(metrics, "title")
    assert len(definitions) >= 15
    assert all(definitions)


def test_a_trade_is_shown_where_it_happened(page: Page, finished: str, watched: Watched):
    page.goto(f"{finished}BTCUSDT/")
    page.locator("cs-candle-chart canvas").first.wait_for()
    trade = page.locator("table.trades tbody tr").first
    time = trade.get_by_role("button").inner_text()
    trade.get_by_role("button").click()
    expect(page.locator("table.trades tr.chosen")).to_have_count(1)
    # The chart takes the range over in its next frame.
    page.wait_for_function(
        """text => {
            const shown = document.querySelector("cs-candle-chart").chart.timeScale().getVisibleRange();
            const entry = Date.parse(`${text.replace(" ", "T")}Z`) / 1000;
            return shown.from <= entry && entry <= shown.to;
        }""",
        arg=time,
    )
    assert watched.complaints == []
