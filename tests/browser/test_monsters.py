"""Names, values and addresses that nobody means: on no page do they run, or move what stands there."""

import copy
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watched
from tests.browser.large_run import FIXTURE
from tests.browser.site import Site
from tests.browser.states import NOTHING, RECORDED, SAVED, answer, run_in
from tests.browser.waiting import until_fits, until_true

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

MARKUP = "<img src=x onerror=window.broken=1>" * 300
NAMES = {
    "markup": MARKUP,
    "one long word": "W" * 10_000,
    "script": "</script><script>window.broken=1</script>" * 250,
    "right to left and marks": "\u202eكبير" + "Z\u0351\u036b\u0343" * 2500,
    "lines": "first\nsecond\t\x7f" * 800,
}
WIDTHS = (390, 1280)


@pytest.fixture(params=NAMES.values(), ids=list(NAMES))
def name(request: pytest.FixtureRequest) -> str:
    """A monstrous name of about 10,000 characters."""
    return request.param


@pytest.fixture(scope="module")
def small_run(site: Site) -> str:
    """Address of a complete run of one symbol."""
    return site.finished_run(parameters={"period": 173}, symbols=["BTCUSDT"])


def check(page: Page, watched: Watched, allowed: str = "nothing") -> None:
    """Nothing of a name has run, and nothing is wider than the screen."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        until_fits(page, f"at {width} pixels something")
    assert page.evaluate("window.broken") is None
    assert [text for text in watched.complaints if allowed not in text] == []


def height_of(page: Page, selector: str) -> float:
    box = page.locator(selector).first.bounding_box()
    assert box is not None
    return box["height"]


def test_runs_of_monstrous_strategies_are_listed_in_rows_of_their_height(
    page: Page, site: Site, name: str, watched: Watched
):
    run = copy.deepcopy(FIXTURE["run_at_end"])
    run["spec"].update(strategy=name, parameters={name: name}, source=name, interval=name)
    answer("**/api/runs/?**", {**NOTHING, "count": 1, "results": [run]})(page)
    page.goto("/runs/")
    page.locator("table.runs tbody tr").wait_for()
    check(page, watched)
    until_true(page, lambda: height_of(page, "table.runs tbody tr") <= 34)


def test_a_run_of_a_monstrous_strategy_and_failure_keeps_its_controls(
    page: Page, site: Site, name: str, watched: Watched
):
    spec = {**FIXTURE["run_at_start"]["spec"], "strategy": name, "parameters": {name: name}, "hit": name}
    run_in("failed", spec=spec, error=name)(page)
    page.goto(RECORDED)
    page.get_by_text("The run failed").wait_for()
    check(page, watched)
    expect(page.get_by_role("link", name="Run with changes")).to_be_visible()


def test_a_saved_scan_with_a_monstrous_name_can_be_deleted(
    page: Page, site: Site, name: str, watched: Watched
):
    saved = copy.deepcopy(SAVED)
    saved["results"][0].update(name=name, error=name)
    answer("**/api/saved-scans/**", saved)(page)
    page.goto("/scans/")
    page.locator("table.saved-scans").wait_for()
    check(page, watched)
    expect(page.get_by_role("button", name="Delete")).to_be_in_viewport()


@pytest.mark.parametrize("key", ["presets", "symbol-lists"])
def test_presets_and_lists_with_monstrous_names_fit_the_form(
    page: Page, site: Site, name: str, watched: Watched, key: str
):
    values: dict[str, Any] = {
        "presets": {name: {"strategy": "rsi", "parameters": {"period": name}, "execution": {}}},
        "symbol-lists": {name: [name]},
    }
    page.goto("/")
    page.evaluate(
        "([key, value]) => localStorage.setItem(`candlestream.${key}`, JSON.stringify(value))",
        [key, values[key]],
    )
    page.goto("/?strategy=rsi")
    page.get_by_role("button", name="Forget the").wait_for()
    check(page, watched)


@pytest.mark.parametrize("symbol", ["<img src=x onerror=window.broken=1>", "A" * 4000, "日本", "#?&+%", " "])
def test_the_address_of_a_monstrous_result_says_that_there_is_none(
    page: Page, small_run: str, watched: Watched, symbol: str
):
    page.goto(f"{small_run}{quote(symbol, safe='')}/")
    expect(page.get_by_text("There is no result of")).to_be_visible()
    check(page, watched, allowed="404")
    page.get_by_role("link", name="Close, back to all results").click()
    expect(page.get_by_test_id("summary")).to_be_visible()


@pytest.mark.parametrize("value", ["1e999", "-5", "abc", "9" * 3000, "<b>1</b>", "\u0663", ""])
def test_a_monstrous_parameter_in_the_address_is_named_at_its_field_and_kept(
    page: Page, site: Site, watched: Watched, value: str
):
    page.goto(f"/?strategy=rsi&p.period={quote(value)}")
    field = page.locator("input.input[id='parameters.period']")
    expect(field).to_have_value(value)
    expect(field).to_have_attribute("aria-invalid", "true")
    page.get_by_role("button", name="Start run").click()
    expect(page.get_by_text("fields need a look").or_(page.get_by_text("field needs a look"))).to_be_visible()
    check(page, watched)
