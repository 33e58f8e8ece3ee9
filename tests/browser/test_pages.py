"""Runs, comparison, data, exports, and what the form remembers."""

import copy
import csv
import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watched
from tests.browser.large_run import FIXTURE
from tests.browser.site import Site
from tests.browser.test_live_run import ROWS
from tests.browser.waiting import attributes, until_fits, until_true

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

HEIGHTS = "s => [...document.querySelectorAll(s)].map(row => row.getBoundingClientRect().height)"


@pytest.fixture(scope="module")
def pair(site: Site) -> tuple[str, str]:
    """Addresses of two complete runs that differ in one parameter."""
    return (site.finished_run(parameters={"period": 47}), site.finished_run(parameters={"period": 53}))


def test_two_runs_are_compared_side_by_side(page: Page, pair: tuple[str, str], watched: Watched):
    page.goto("/runs/")
    for address in pair:
        page.locator("tr", has=page.locator(f"a[href='{address}']")).get_by_role("checkbox").check()
    page.get_by_role("link", name="Compare 2 runs").click()
    settings = page.get_by_role("region", name="Runs side by side")
    expect(settings.get_by_role("row", name="Period 47 53")).to_be_visible()
    expect(settings.get_by_role("rowheader", name="Oversold")).to_have_count(0)
    expect(settings.get_by_text("best").first).to_be_visible()
    symbols = page.get_by_role("region", name="Returns by symbol").locator("tbody tr")
    expect(symbols).to_have_count(48)
    assert watched.complaints == []


def test_rerun_fills_the_form_with_the_run(page: Page, pair: tuple[str, str]):
    page.goto(pair[0])
    page.get_by_role("link", name="Run with changes").click()
    expect(page.locator("input.input[id='parameters.period']")).to_have_value("47")


def test_runs_are_found_by_words(page: Page, pair: tuple[str, str]):
    page.goto("/runs/")
    page.get_by_role("searchbox", name="Search runs").fill("rsi period 53")
    expect(page.locator("a.run-link")).to_have_count(1)
    page.get_by_role("searchbox", name="Search runs").fill("nothing like it")
    page.get_by_role("button", name="Clear the search").click()
    expect(page.locator(f"a.run-link[href='{pair[0]}']")).to_be_visible()


@pytest.mark.parametrize(("kind", "suffix"), [("CSV", "csv"), ("JSON", "json"), ("Report", "html")])
def test_exports_hold_every_result(
    page: Page, pair: tuple[str, str], watched: Watched, tmp_path: Path, kind: str, suffix: str
):
    page.goto(pair[0])
    page.get_by_test_id("summary").wait_for()
    page.locator("summary", has_text="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=kind).click()
    file = tmp_path / f"export.{suffix}"
    download.value.save_as(file)
    text = file.read_text()
    symbols = set(attributes(page.locator(ROWS), "data-symbol"))
    assert len(symbols) == 48
    if suffix == "csv":
        assert {row["symbol"] for row in csv.DictReader(text.splitlines())} == symbols
    elif suffix == "json":
        assert {row["symbol"] for row in json.loads(text)} == symbols
    else:
        assert all(f"<th>{symbol}" in text for symbol in symbols)
        page.goto(file.as_uri())
        expect(page.get_by_role("heading", name="RSI reversal")).to_be_visible()
    assert [text for text in watched.complaints if not text.startswith("foreign request: file:")] == []


def test_the_quality_of_a_series_can_be_looked_into(page: Page, site: Site, watched: Watched):
    page.goto("/data/")
    page.get_by_role("searchbox", name="Search series").fill("BTC")
    page.get_by_role("button", name="BTCUSDT").click()
    expect(page.locator(".quality")).to_contain_text("of the 17,520 candles between first and last are there")
    expect(page.get_by_text("generated sample")).to_be_visible()
    assert watched.complaints == []


def test_a_download_that_cannot_start_is_explained_at_its_field(page: Page, site: Site):
    page.goto("/data/")
    page.get_by_label("Exchange").fill("nowhere")
    page.get_by_role("button", name="Start download").click()
    field = page.locator(".more-data .field", has_text="Exchange")
    expect(field.locator(".field-error")).to_contain_text("nowhere")


def test_a_run_of_another_kind_shows_what_its_jobs_bring(page: Page, site: Site, watched: Watched):
    run = copy.deepcopy(FIXTURE["run_at_end"])
    run.update(
        kind="download", spec={"exchange": "binance", "interval": "1h", "symbols": ["BTCUSDT"]}, summary={}
    )
    del run["links"]["results"]
    events = copy.deepcopy(FIXTURE["events"])
    for event in events:
        if event["type"] == "result":
            event["result"] = {
                "symbol": event["key"],
                "added_count": 17_520,
                "last_open": "2025-12-31T23:00:00Z",
            }
    page.route(
        "**/events/**", lambda route: route.fulfill(json={"events": events, "last_seq": 99, "ended": True})
    )
    page.route(f"**/api/runs/{run['id']}/", lambda route: route.fulfill(json=run))
    page.goto(run["links"]["page"])
    expect(page.get_by_role("heading", name="Download")).to_be_visible()
    expect(page.get_by_text("binance · 1h · 1 symbols")).to_be_visible()
    expect(page.get_by_role("row", name="BTCUSDT 17,520 2025-12-31 23:00")).to_be_visible()
    expect(page.get_by_role("row", name="USDCUSDT failed")).to_be_visible()
    assert watched.complaints == []


def test_presets_lists_and_the_last_settings_are_remembered(page: Page, site: Site, watched: Watched):
    page.goto("/")
    period = page.locator("input.input[id='parameters.period']")
    period.fill("33")
    page.get_by_role("button", name="Save as a preset").click()
    page.get_by_role("dialog").get_by_label("Name").fill("Slow one")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Top 10").click()
    page.get_by_role("button", name="Save as a list").click()
    page.get_by_role("dialog").get_by_label("Name").fill("Large ones")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Start run").click()
    expect(page.get_by_test_id("summary")).to_contain_text("Complete. 10 results")

    page.goto("/")
    expect(period).to_have_value("33")
    expect(page.get_by_role("button", name="Large ones", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    page.get_by_role("button", name="Reset to defaults").click()
    expect(period).to_have_value("14")
    page.get_by_role("button", name="Slow one", exact=True).click()
    expect(period).to_have_value("33")
    assert watched.complaints == []


def test_an_address_carries_the_whole_form(page: Page, site: Site):
    page.goto("/")
    page.locator("input.input[id='parameters.period']").fill("61")
    page.get_by_label("Fee, %").fill("0.2")
    page.get_by_role("button", name="Top 25").click()
    page.wait_for_url("**p.period=61**")
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator("input.input[id='parameters.period']")).to_have_value("61")
    expect(other.get_by_label("Fee, %")).to_have_value("0.2")
    expect(other.get_by_role("button", name="Top 25")).to_have_attribute("aria-pressed", "true")


def test_names_that_are_markup_stay_text(page: Page, site: Site, watched: Watched):
    name = "<img src=x onerror=window.broken=1>" * 300
    cryptocurrencies = site.get("/api/cryptocurrencies/")
    cryptocurrencies[0].update(symbol=name, name=name)
    page.route("**/api/cryptocurrencies/", lambda route: route.fulfill(json=cryptocurrencies))
    page.goto("/?symbols=")
    page.get_by_role("group", name="Cryptocurrencies").wait_for()
    page.goto("/data/")
    page.locator("table.series").wait_for()
    until_fits(page)
    assert page.evaluate("window.broken") is None
    assert watched.complaints == []


def test_a_result_with_a_monstrous_name_fits_and_runs_nothing(page: Page, site: Site, watched: Watched):
    address = site.finished_run(parameters={"period": 67}, symbols=["BTCUSDT", "ETHUSDT"])
    name = "<script>window.broken=1</script>" * 300
    results = site.get(f"/api/backtests/{address.split('/')[2]}/results/")
    results["results"][0].update(symbol=name, warnings=[{"code": name, "message": name}])
    page.route("**/results/?**", lambda route: route.fulfill(json=results))
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(address)
        expect(page.locator(ROWS)).to_have_count(2)
        until_fits(page)
        until_true(page, lambda: page.evaluate(HEIGHTS, ROWS) == [32, 32])
        assert page.evaluate("window.broken") is None
    assert watched.complaints == []


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("/api/docs/", "/api/backtests/"),
        ("/admin/", "Site administration"),
        ("/admin/workers/run/", "Select run to view"),
    ],
)
def test_pages_of_libraries_keep_to_the_policy_and_to_this_host(
    page: Page, site: Site, watched: Watched, address: str, shown: str
):
    response = page.goto(address)
    assert response is not None
    assert response.status == 200
    expect(page.get_by_text(shown, exact=True)).to_be_visible()
    assert watched.complaints == []
