"""Candles that a user brings; on a site of their own, for they change what every form offers."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from market_data.intervals import HOUR_MS
from market_data.tests.candle_maker import START_MS, make_candles
from market_data.tests.exchanges.server import Exchange, running_exchange
from tests.browser.site import Site
from tests.browser.test_live_run import ROWS
from tests.browser.waiting import until, until_true
from tests.launcher.launched import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
HOURS = 6000
LONGEST_ANSWER_SECONDS = 8
"""Less than a download's own patience with an exchange."""
LATE_ANSWER = """
    const send = XMLHttpRequest.prototype.send;
    XMLHttpRequest.prototype.send = function (body) {
        const loaded = this.onload;
        this.onload = () => { window.answerUpload = () => loaded.call(this); };
        send.call(this, body);
    };
"""
"""The page hears that a file has arrived when the test says so."""
HEADER = "datetime,open,high,low,close,volume"


@pytest.fixture(scope="module")
def exchange() -> Iterator[Exchange]:
    """A local server that speaks Binance's protocol."""
    with running_exchange() as exchange:
        symbols = ["AAAUSDT", "BBBUSDT", "CCCUSDT"]
        exchange.candles = {symbol: make_candles(HOURS, seed=seed) for seed, symbol in enumerate(symbols)}
        exchange.volumes = {symbol: float(10 + seed) for seed, symbol in enumerate(symbols)}
        exchange.now_ms = START_MS + HOURS * HOUR_MS
        yield exchange


@pytest.fixture(scope="module")
def site(chromium: str, exchange: Exchange, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A Candlestream whose market these tests may change."""
    home = tmp_path_factory.mktemp("imports") / "home"
    with Site(home, EXCHANGE_URLS=json.dumps({"binance": exchange.url})) as site:
        yield site


def candle_lines(count: int) -> list[str]:
    hours = [f"2024-03-{1 + hour // 24:02d} {hour % 24:02d}:00:00" for hour in range(count)]
    return [f"{hour},{100 + bar},{103 + bar},{98 + bar},{101 + bar},5" for bar, hour in enumerate(hours)]


def test_a_file_of_candles_is_imported_and_a_broken_one_says_why(page: Page, site: Site, tmp_path: Path):
    lines = candle_lines(48)
    good, bad = tmp_path / "PAGEUSDT_1h.csv", tmp_path / "BADUSDT_1h.csv"
    good.write_text("\n".join([HEADER, *lines]))
    bad.write_text("\n".join([HEADER, lines[0], lines[1].replace(",104,", ",1,")]))
    page.goto("/data/")
    page.get_by_label("Source", exact=True).fill("page-test")
    page.locator("input[type=file]").set_input_files([good, bad])
    expect(page.get_by_text("PAGEUSDT 1h: 48 candles")).to_be_visible()
    expect(page.locator(".transfers .field-error")).to_contain_text("BADUSDT_1h.csv, line 3, column 'high'")
    page.get_by_label("Source and interval").select_option("page-test 1h")
    expect(page.locator("table.series tbody tr")).to_have_count(1)

    page.get_by_role("link", name="New run").first.click()
    page.get_by_role("button", name="Start run").click()
    expect(page.get_by_test_id("summary")).to_contain_text("1 results")
    expect(page.locator(ROWS)).to_have_attribute("data-symbol", "PAGEUSDT")
    expect(page.get_by_text("generated sample")).to_have_count(0)


def test_an_import_that_the_list_names_before_its_upload_is_answered_stands_there_once(
    page: Page, site: Site, tmp_path: Path
):
    listings: list[Route] = []

    def hold(listing: Route) -> None:
        listings.append(listing)

    page.add_init_script(LATE_ANSWER)
    page.route("**/api/runs/*kind=import*", hold)
    file = tmp_path / "ONCEUSDT_1h.csv"
    file.write_text("\n".join([HEADER, *candle_lines(48)]))
    site.hold_workers()
    try:
        page.goto("/data/")
        page.locator("input[type=file]").set_input_files(file)
        until(page, "typeof window.answerUpload === 'function'")
        until_true(page, lambda: listings, "the list of imports is asked for")
        listings.pop().continue_()
        expect(page.locator("cs-transfer")).to_have_count(1)
        page.evaluate("window.answerUpload()")
        expect(page.get_by_text("being kept for the workers")).to_have_count(0)
    finally:
        site.release_workers()
    expect(page.get_by_text("ONCEUSDT 1h: 48 candles")).to_be_visible()
    expect(page.locator("cs-transfer")).to_have_count(1)


def test_what_is_recognised_is_shown_before_it_is_stored(page: Page, site: Site, tmp_path: Path):
    file = tmp_path / "candles.csv"
    lines = [line[:-1] + "0" if 10 <= bar < 14 else line for bar, line in enumerate(candle_lines(24))]
    file.write_text("\n".join([HEADER.replace("volume", "size"), *reversed(lines)]))
    page.goto("/data/")
    page.get_by_label("Source", exact=True).fill("look-first")
    page.get_by_text("Say what is recognised wrongly").click()
    page.get_by_label("Symbol", exact=True).fill("lookusdt")
    page.get_by_label("Columns", exact=True).fill("volume=size")
    page.get_by_label("Show what is recognised").check()
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_text("columns layout, times as ISO 8601; time = datetime")).to_be_visible()
    expect(page.get_by_text("rows reordered 24")).to_be_visible()
    assert not stored_symbols(site, "look-first")
    page.get_by_role("button", name="Store these candles").click()
    expect(page.get_by_role("button", name="Store these candles")).to_have_count(0)
    expect(page.get_by_label("Source and interval").locator("option[value='look-first 1h']")).to_have_count(1)
    assert stored_symbols(site, "look-first") == ["LOOKUSDT"]
    page.get_by_label("Source and interval").select_option("look-first 1h")
    page.get_by_role("button", name="LOOKUSDT").click()
    expect(page.locator(".quality")).to_contain_text("Without volume: 4 candles in 1 stretch")
    expect(page.locator(".quality")).to_contain_text("On import: reordered 24 rows.")


def test_a_download_is_followed_on_the_page_and_can_be_stopped(page: Page, site: Site, exchange: Exchange):
    permits = threading.Semaphore(0)
    exchange.on_candles = lambda: permits.acquire(timeout=LONGEST_ANSWER_SECONDS)
    page.goto("/data/")
    page.get_by_label("Symbols, or none for the most traded").fill("aaausdt bbbusdt noneusdt")
    page.get_by_role("button", name="Start download").click()
    transfer = page.locator("cs-transfer")
    bar = transfer.get_by_label("Progress of Download")
    expect(bar).to_be_visible()
    expect(transfer).to_contain_text("AAAUSDT")
    permits.release(4)
    wait_for(lambda: bar.evaluate("bar => bar.value") > 0.1, 30)
    page.reload()
    expect(transfer).to_contain_text("binance · 1h · 3 symbols")  # what is under way is found again
    permits.release(4)
    wait_for(lambda: bar.evaluate("bar => bar.value") > 0.3, 30)
    permits.release(100)
    expect(transfer).to_contain_text(f"{2 * HOURS:,} candles added, 2 of 3 symbols up to date.")
    expect(transfer.locator(".field-error")).to_contain_text("NONEUSDT: binance has no NONEUSDT.")
    expect(page.get_by_label("Source and interval").locator("option[value='binance 1h']")).to_have_count(1)
    assert stored_symbols(site, "binance") == ["AAAUSDT", "BBBUSDT"]

    permits = threading.Semaphore(2)
    page.get_by_label("Symbols, or none for the most traded").fill("CCCUSDT")
    page.get_by_role("button", name="Start download").click()
    wait_for(lambda: bar.evaluate("bar => bar.value") > 0.1, 30)  # the other one has none any more
    page.get_by_role("button", name="Stop").click()
    expect(transfer.first).to_contain_text("Stopped. Candles that have been stored by then stay.")
    permits.release(100)


def stored_symbols(site: Site, source: str) -> list[str]:
    return sorted(one["symbol"] for one in site.get(f"/api/cryptocurrencies/?source={source}"))
