"""What the form of a new run asks for: it travels by address and preset, and is kept where it is refused."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watched
from tests.browser.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def started_run(page: Page, site: Site) -> dict[str, Any]:
    """Press the button, wait for the run's page; the run as the API tells it."""
    page.get_by_role("button", name="Start run").click()
    expect(page.get_by_test_id("summary")).to_be_visible()
    return site.get(f"/api/runs/{page.url.rstrip('/').rsplit('/', 1)[1]}/")


def test_sides_sizes_and_stops_reach_the_run_and_come_back(page: Page, site: Site, watched: Watched):
    page.goto("/?strategy=rsi&symbols=BTCUSDT,ETHUSDT")
    page.get_by_label("long and short").check()
    page.get_by_label("A fixed amount", exact=True).check()
    page.get_by_label("A fixed amount, quote currency").fill("750")
    page.get_by_label("Fixed fee").fill("1.5")
    page.get_by_label("Stop loss").fill("4")
    page.get_by_label("Take profit").fill("12.5")
    page.get_by_label("Trailing stop").fill("6")
    page.get_by_label("Longest holding").fill("72")
    page.get_by_label("Pause after a stop").fill("3")
    run = started_run(page, site)
    asked = {
        "direction": "long_short", "fixed_cash": 750, "equity_fraction": None, "fixed_fee": 1.5, "stop_loss": 0.04,
        "take_profit": 0.125, "trailing_stop": 0.06, "max_holding_bars": 72, "cooldown_bars": 3,
    }  # fmt: skip
    assert {name: run["spec"][name] for name in asked} == asked
    expect(page.locator(".run-what")).to_contain_text("long and short")
    expect(page.locator(".run-what")).to_contain_text("stop loss 4 %")
    page.locator("summary", has_text="Settings").click()
    expect(page.locator(".run-settings")).to_contain_text("750.00 in quote currency")

    page.get_by_role("link", name="Run with changes").click()
    expect(page.get_by_label("A fixed amount, quote currency")).to_have_value("750")
    expect(page.get_by_label("long and short")).to_be_checked()
    for label, value in (("Take profit", "12.5"), ("Longest holding", "72"), ("Fixed fee", "1.5")):
        expect(page.get_by_label(label)).to_have_value(value)
    assert watched.complaints == []


def test_a_preset_keeps_stops_and_sizes(page: Page, site: Site, watched: Watched):
    page.goto("/?strategy=macd")
    page.get_by_label("Stop loss").fill("8")
    page.get_by_label("A share of equity, %").fill("20")
    page.get_by_role("button", name="Save as a preset").click()
    page.get_by_role("dialog").get_by_label("Name").fill("Careful")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Reset account and stops").click()
    expect(page.get_by_label("Stop loss")).to_have_value("")
    page.get_by_role("button", name="Careful", exact=True).click()
    expect(page.get_by_label("Stop loss")).to_have_value("8")
    expect(page.get_by_label("A share of equity, %")).to_have_value("20")
    assert watched.complaints == []


def test_a_value_out_of_range_is_named_beside_its_field_and_kept(page: Page, site: Site):
    page.goto("/?stopLossPercent=100&equityPercent=0")
    page.get_by_role("button", name="Start run").click()
    stop = page.locator(".field", has_text="Stop loss")
    expect(stop.locator(".field-error")).to_have_text("More than 0, less than 100.")
    expect(page.get_by_label("Stop loss")).to_have_value("100")
    expect(page.locator(".size-way .field-error")).to_have_text("More than 0, at most 100.")
    expect(page.get_by_role("button", name="2 fields need a look")).to_be_visible()
    expect(page).to_have_url(re.compile("stopLossPercent=100"))


def test_what_only_the_server_can_refuse_is_named_beside_its_field_and_kept(page: Page, site: Site):
    page.goto("/?webhook=http%3A%2F%2F127.0.0.1%2Fhook&email=true&hit=sharpe%3E1")
    page.get_by_role("button", name="Start run").click()
    webhook = page.locator(".field", has_text="Webhook")
    expect(webhook.locator(".field-error")).to_contain_text("127.0.0.1")
    expect(page.get_by_label("Webhook")).to_have_value("http://127.0.0.1/hook")
    expect(page.locator(".field", has_text="Send me an e-mail").locator(".field-error")).to_contain_text(
        "e-mail"
    )
    expect(page.get_by_label("Send me an e-mail")).to_be_checked()
    page.get_by_label("Webhook").fill("")
    expect(webhook.locator(".field-error")).to_have_count(0)


def test_the_time_of_a_run_is_judged_by_those_before_it(page: Page, site: Site, watched: Watched):
    page.route("**/api/runs/?**", lambda route: route.fulfill(json={"results": [], "count": 0, "next": None}))
    page.goto("/")
    expect(page.locator(".summary")).to_contain_text("not measured yet")
    page.unroute("**/api/runs/?**")
    site.finished_run(parameters={"period": 103})
    page.goto("/")
    expect(page.locator(".summary")).to_contain_text("about")
    assert watched.complaints == []
