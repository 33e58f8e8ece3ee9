"""Candles that a user brings; on a site of their own, for they change what every form offers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.site import Site
from tests.browser.test_live_run import ROWS

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def site(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A Candlestream whose market these tests may change."""
    with Site(tmp_path_factory.mktemp("imports") / "home") as site:
        yield site


def test_a_file_of_candles_is_imported_and_a_broken_one_says_why(page: Page, site: Site, tmp_path: Path):
    hours = [f"2024-03-{1 + hour // 24:02d} {hour % 24:02d}:00:00" for hour in range(48)]
    lines = [f"{hour},{100 + bar},{103 + bar},{98 + bar},{101 + bar},5" for bar, hour in enumerate(hours)]
    header = "datetime,open,high,low,close,volume"
    good, bad = tmp_path / "PAGEUSDT_1h.csv", tmp_path / "BADUSDT_1h.csv"
    good.write_text("\n".join([header, *lines]))
    bad.write_text("\n".join([header, lines[0], lines[1].replace(",104,", ",1,")]))
    page.goto("/data/")
    page.get_by_label("Source", exact=True).fill("page-test")
    page.locator("input[type=file]").set_input_files([good, bad])
    expect(page.get_by_text("PAGEUSDT 1h: 48 candles")).to_be_visible()
    expect(page.locator(".transfers .field-error")).to_contain_text("BADUSDT")
    page.get_by_label("Source and interval").select_option("page-test 1h")
    expect(page.locator("table.series tbody tr")).to_have_count(1)

    page.get_by_role("link", name="New run").first.click()
    page.get_by_role("button", name="Start run").click()
    expect(page.get_by_test_id("summary")).to_contain_text("1 results")
    expect(page.locator(ROWS)).to_have_attribute("data-symbol", "PAGEUSDT")
    expect(page.get_by_text("generated sample")).to_have_count(0)
