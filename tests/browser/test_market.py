"""A market of full size in a real browser: 211 cryptocurrencies with five years of hourly candles each."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watched
from tests.browser.site import Site, manage
from tests.browser.test_live_run import ROWS
from tests.browser.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

SYMBOLS, CANDLES = 211, 43_800


@pytest.fixture(scope="module")
def site(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A Candlestream with a market of its own."""
    home = tmp_path_factory.mktemp("market") / "home"
    home.mkdir()
    manage(home, "migrate")
    manage(home, "generate_market", "--symbols", str(SYMBOLS), "--years", "5")
    with Site(home) as site:
        yield site


def test_every_row_of_a_whole_market_arrives_and_each_result_opens(page: Page, site: Site, watched: Watched):
    page.goto("/")
    page.get_by_role("button", name="Start run").click()
    expect(page.locator(ROWS).first).to_be_visible()
    expect(page.get_by_test_id("summary")).to_contain_text(f"Complete. {SYMBOLS} results", timeout=120_000)
    expect(page.locator(".facts")).to_contain_text(f"{SYMBOLS} of {SYMBOLS}")
    expect(page.locator("cs-result-table table")).to_have_attribute("aria-rowcount", str(SYMBOLS + 1))
    run_id = page.url.rstrip("/").rsplit("/", 1)[1]
    known = site.get(f"/api/backtests/{run_id}/results/?ordering=-total_return&page_size=1000")["results"]
    shown = page.evaluate("document.querySelector('cs-result-table').rows.map(row => row.symbol)")
    assert shown == [result["symbol"] for result in known]

    page.locator(f"{ROWS} a").first.click()
    until(page, f"document.querySelector('cs-equity-chart')?.times.length === {CANDLES}")
    until(page, f"document.querySelector('cs-candle-chart')?.candles?.time_ms.length === {CANDLES}")
    expect(page.get_by_text(f"1 of {SYMBOLS}", exact=True)).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_text(f"2 of {SYMBOLS}", exact=True)).to_be_visible()
    page.wait_for_url(f"**/{known[1]['symbol']}/")
    assert watched.complaints == []
