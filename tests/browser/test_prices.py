"""The page of live prices before a real feed that listens to a local exchange."""

import asyncio
import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import websockets
from playwright.sync_api import Browser, Page, expect

from config.processes import Child
from market_data.prices.tests.feeding import QUICK
from tests.browser.conftest import Watched
from tests.browser.tabs import fresh_tab
from tests.browser.test_accessibility import violations
from tests.browser.test_screenshots import SIZES
from tests.browser.waiting import PATIENCE_MS, until_drawn, until_fits
from tests.price_market import STILL, WALKING, PriceMarket, price_market
from tests.servers import private_folder

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

BTC, ETH = "[data-symbol=BTCUSDT]", "[data-symbol=ETHUSDT]"
NOTE_NOTIFICATIONS = """
window.notified = [];
window.Notification = class {
  static permission = "granted";
  constructor(title, { body }) { window.notified.push(body); }
};
"""


@pytest.fixture(scope="module")
def market(chromium: str) -> Iterator[PriceMarket]:
    """A stack with a few candles, without a feed at first."""
    feed = json.dumps(QUICK)
    with private_folder() as folder, price_market(folder, {**STILL, **WALKING}, PRICE_FEED=feed) as market:
        yield market


@pytest.fixture(scope="module")
def feed(market: PriceMarket) -> Child:
    """The feed; the tests before the first that asks for it see none."""
    return market.stack.start_prices()


@pytest.fixture
def page(browser: Browser, market: PriceMarket) -> Iterator[Page]:
    """A fresh browser context with one tab."""
    with fresh_tab(browser, market.stack.url) as page:
        yield page


@pytest.fixture
def watched(page: Page, market: PriceMarket) -> Watched:
    """The list of complaints of this test's page."""
    return Watched(page, market.stack.url)


@pytest.fixture
def prices(market: PriceMarket, feed: Child) -> dict[str, float]:
    """The exchange's prices, as every test finds them."""
    market.exchange.fixed.prices.update(STILL)
    return market.exchange.fixed.prices


def open_prices(page: Page) -> None:
    page.goto("/prices/")
    expect(page.locator(f"{BTC} .price-value b")).to_have_text("40,000.00")


def price_of(page: Page, card: str) -> str:
    return page.locator(f"{card} .price-value b").inner_text()


def test_without_a_feed_the_page_says_what_to_do(page: Page, watched: Watched):
    page.goto("/prices/")
    expect(page.get_by_role("heading", name="There is no price feed yet")).to_be_visible()
    expect(page.get_by_text("python manage.py price_feed")).to_be_visible()
    assert violations(page) == []
    assert watched.complaints == []


def test_cards_update_without_a_reload(page: Page, prices: dict[str, float], watched: Watched):
    open_prices(page)
    page.evaluate("window.isTheSamePage = true")
    expect(page.locator(f"{BTC} .price-source")).to_contain_text("Binance")
    expect(page.locator(f"{BTC} .age")).to_have_text("now")
    expect(page.locator(f"{BTC} .price-change")).to_contain_text("+25")
    prices["BTCUSDT"] = 40_123.45
    expect(page.locator(f"{BTC} .price-value")).to_have_text(re.compile(r"40,123\.45▲ risen"))
    prices["BTCUSDT"] = 39_999.0
    expect(page.locator(f"{BTC} .price-value")).to_have_text(re.compile(r"39,999\.00▼ fallen"))
    assert page.evaluate("window.isTheSamePage")
    expect(page.locator("cs-price-chart canvas")).to_be_visible()
    expect(page.locator(".banner")).to_have_count(0)
    assert watched.complaints == []


def test_a_paused_page_stands_still_and_catches_up_when_it_goes_on(page: Page, prices: dict[str, float]):
    open_prices(page)
    page.keyboard.press("p")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    page.wait_for_timeout(300)
    sol = price_of(page, "[data-symbol=SOLUSDT]")
    prices["BTCUSDT"] = 41_000.0
    page.wait_for_timeout(2500)
    assert (price_of(page, BTC), price_of(page, "[data-symbol=SOLUSDT]")) == ("40,000.00", sol)
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(f"{BTC} .price-value b")).to_have_text("41,000.00")


def test_the_interval_is_chosen_and_kept(page: Page, prices: dict[str, float]):
    open_prices(page)
    page.get_by_role("button", name="10 s").click()
    expect(page.get_by_text("every 10 s")).to_be_visible()
    seen: list[str] = []
    started = time.monotonic()
    # In these 8 s, a page that kept its interval of a second would show eight prices. Three are due: the one that it
    # has, one that was on its way to it, and the one that answers the choice.
    for _ in range(32):
        seen.append(price_of(page, "[data-symbol=SOLUSDT]"))
        page.wait_for_timeout(250)
    assert len(set(seen)) <= 3 + (time.monotonic() - started) // 10
    page.reload()
    expect(page.get_by_role("button", name="10 s")).to_have_attribute("aria-pressed", "true")


def test_a_source_that_stands_in_is_announced_and_marked(
    page: Page, market: PriceMarket, prices: dict[str, float]
):
    open_prices(page)
    binance = market.exchange.faults["binance"]
    try:
        binance.kind = "cut"
        expect(page.get_by_text("Binance does not work; prices come from Kraken")).to_be_visible()
        expect(page.locator(f"{BTC} .price-value b")).to_have_text("40,001.00")
        expect(page.locator(f"{BTC} .price-source")).to_have_text(re.compile(r"Kraken\s+secondary\s+now"))
        expect(page.locator(".activity")).to_contain_text("Kraken")
        page.locator("summary", has_text="Sources").click()
        expect(page.get_by_label("Only Binance")).to_be_visible()
        expect(page.locator(".sources")).to_contain_text("secondary, in use")
    finally:
        binance.kind = ""
    expect(page.locator(".banner")).to_have_count(0)
    expect(page.locator(f"{BTC} .price-value b")).to_have_text("40,000.00")


def test_an_alert_is_made_fires_is_told_and_armed_again(
    page: Page, prices: dict[str, float], watched: Watched
):
    page.add_init_script(NOTE_NOTIFICATIONS)
    open_prices(page)
    page.get_by_role("button", name="New alert for ETH").click()
    page.get_by_label("Price", exact=True).fill("0")
    page.get_by_role("button", name="Add alert").click()
    expect(page.get_by_text("A price must be more than 0.")).to_be_visible()
    assert violations(page) == []
    page.get_by_label("Price", exact=True).fill("2,600")
    page.get_by_label("Direction").select_option("up")
    page.get_by_role("button", name="Add alert").click()
    alerts = page.get_by_role("region", name="Alerts", exact=True)
    expect(alerts).to_contain_text("ETH rises above 2,600.00 waits")
    fired = page.get_by_role("alert").filter(has_text="ETH rises above 2,600.00: 2,650.00 from Binance")
    for _ in range(20):  # the feed hears of it within a second or so; what it saw rise before does not count
        for price, shown in ((2500.0, "2,500.00"), (2650.0, "2,650.00")):
            prices["ETHUSDT"] = price
            expect(page.locator(f"{ETH} .price-value b")).to_have_text(shown)
        if fired.is_visible():
            break
    expect(fired).to_be_visible()
    expect(alerts).to_contain_text("fired")
    assert page.evaluate("window.notified") == ["ETH rises above 2,600.00: 2,650.00 from Binance"]
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator(".fired")).to_have_count(0)
    page.get_by_role("button", name="Arm again").click()
    expect(page.get_by_role("button", name="Arm again")).to_have_count(0)
    page.get_by_role("button", name="Delete: ETH").click()
    expect(alerts).not_to_contain_text("ETH")
    assert [text for text in watched.complaints if "400" not in text] == []


def test_a_card_leads_to_a_run_of_its_symbol(page: Page, market: PriceMarket, prices: dict[str, float]):
    market.stack.manage("generate_market", "--symbols", "3", "--years", "0.1")
    open_prices(page)
    page.locator(BTC).click(position={"x": 40, "y": 100})
    page.get_by_role("button", name="Start run").wait_for()
    expect(page).to_have_url(re.compile("symbols=BTCUSDT"))
    expect(page.locator(".summary dd").first).to_have_text("1")


def test_everything_is_reached_by_keyboard(page: Page, prices: dict[str, float]):
    open_prices(page)
    page.keyboard.press("/")
    page.keyboard.type("btc")
    expect(page.locator(".price-card")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(".price-card")).to_have_count(len(prices))
    pressed = page.get_by_role("button", name="SOL in the chart")
    before = pressed.get_attribute("aria-pressed")
    pressed.focus()
    page.keyboard.press("Enter")
    expect(pressed).not_to_have_attribute("aria-pressed", before or "")
    page.get_by_role("link", name="SOL").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/?*SOLUSDT*")


def test_five_hundred_viewers_cost_the_exchange_no_more_than_one(
    market: PriceMarket, prices: dict[str, float]
):
    async def watch(viewers: int, seconds: float) -> float:
        """Requests a second that the exchange has while so many watch, each of whom has had a price."""
        address = f"{market.stack.websocket_url}/ws/prices/?interval=1"
        async with AsyncExitStack() as stack:
            connecting = [
                stack.enter_async_context(websockets.connect(address, compression=None, open_timeout=90))
                for _ in range(viewers)
            ]
            sockets = await asyncio.gather(*connecting)
            async with asyncio.timeout(PATIENCE_MS / 1000):  # the feed may have just been started
                await asyncio.gather(*(has_price(socket) for socket in sockets))
            before, began = market.requests(), time.monotonic()
            await asyncio.sleep(seconds)
            return (market.requests() - before) / (time.monotonic() - began)

    async def has_price(socket: Any) -> None:
        while '"BTCUSDT"' not in await socket.recv():
            pass

    with ThreadPoolExecutor() as threads:  # Playwright has a loop of its own in this one
        one = threads.submit(asyncio.run, watch(1, 4.0)).result()
        many = threads.submit(asyncio.run, watch(500, 4.0)).result()
    # The source that stands by is asked by the clock, whoever watches; 500 would each cost at least one in that time.
    assert many <= one + 5


def test_a_killed_feed_shows_as_stale_until_another_one_leads(
    page: Page, market: PriceMarket, feed: Child, prices: dict[str, float], screenshots: Path
):
    open_prices(page)
    market.stack.kill(feed)
    expect(page.locator(".banner")).to_contain_text("The feed process says nothing")
    expect(page.locator(f"{BTC}.is-stale .mark-warning")).to_contain_text("stale 1")
    assert price_of(page, BTC) == "40,000.00"
    first = page.locator(f"{BTC} .mark-warning").inner_text()
    expect(page.locator(f"{BTC} .mark-warning")).not_to_have_text(first)
    assert violations(page) == []
    page.screenshot(path=screenshots / "prices-stale-laptop-light.png")
    prices["BTCUSDT"] = 40_500.0
    market.stack.start_prices("prices-again")
    expect(page.locator(f"{BTC} .price-value b")).to_have_text("40,500.00")
    expect(page.locator(".banner")).to_have_count(0)
    expect(page.locator(".is-stale")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_size_and_theme_fits_and_axe_finds_nothing(
    page: Page, prices: dict[str, float], screenshots: Path, theme: Any, watched: Watched
):
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    open_prices(page)

    def look(name: str) -> None:
        until_drawn(page)
        page.screenshot(path=screenshots / f"prices-{name}-{theme}.png")
        until_fits(page, name)
        assert violations(page) == [], name

    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        look(size)
    width, height = SIZES["phone"]
    page.set_viewport_size({"width": width, "height": height})
    for panel in ("Chart", "Alerts", "Activity"):
        page.get_by_role("group", name="Show").get_by_role("button", name=panel).click()
        look(f"phone-{panel.lower()}")
    assert watched.complaints == []
