"""What must fit where it stands: marks into their row, charts into their room and the theme."""

import copy
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watched
from tests.browser.large_run import FIXTURE
from tests.browser.site import Site
from tests.browser.states import RECORDED, live_prices, run_in
from tests.browser.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

LONG = "1000000BABYDOGECOINMAXUSDT"
WARNING = {"code": "halt", "message": "No trade for 30 hours."}
CUT_OFF = """() => [...document.querySelectorAll("tr[data-symbol] .symbol")].flatMap((cell) => {
  const end = cell.getBoundingClientRect().right;
  return [...cell.querySelectorAll(".mark")].filter((mark) => mark.getBoundingClientRect().right > end + 0.5)
    .map((mark) => mark.textContent.trim());
})"""
SHORTENED = """() => [...document.querySelectorAll("tr[data-symbol] .symbol a .truncate")]
  .filter((name) => name.scrollWidth > name.clientWidth).map((name) => name.textContent)"""
COLOURS = (
    """element => [...document.querySelectorAll(`${element} canvas`)].map((canvas) => canvas.toDataURL())"""
)

REDRAWN = """([element, before]) => {
  const canvases = [...document.querySelectorAll(`${element} canvas`)];
  return canvases.length === before.length && canvases.every((canvas, at) => canvas.toDataURL() !== before[at]);
}"""
AS_WIDE = """element => {
  const room = document.querySelector(element).clientWidth;
  return [...document.querySelectorAll(`${element} .uplot`)].every((plot) => plot.offsetWidth === room);
}"""


@pytest.mark.parametrize("width", [390, 1280, 1440])
def test_no_mark_of_a_long_symbol_is_cut_off(page: Page, site: Site, watched: Watched, width: int):
    page.set_viewport_size({"width": width, "height": 800})
    run_in("completed")(page)
    results = copy.deepcopy(FIXTURE["results_in_the_middle"])
    short = results["results"][0]
    short.update(hit=True, warnings=[WARNING])
    long = [
        {**short, "symbol": f"{number}{LONG}", "warnings": [WARNING] * number, "cached": cached}
        for number, cached in enumerate((False, False, True))
    ]
    results.update(count=4, results=[short, *long])
    page.route("**/results/?**", lambda route: route.fulfill(json=results))
    page.goto(RECORDED)
    page.locator(f"tr[data-symbol='2{LONG}']").wait_for()
    assert page.evaluate(CUT_OFF) == []
    assert {name.removesuffix("USDT") for name in page.evaluate(SHORTENED)} <= {
        f"{number}{LONG}".removesuffix("USDT") for number in range(3)
    }
    assert watched.complaints == []


@pytest.fixture(scope="module")
def result(site: Site) -> str:
    """Address of one result."""
    return f"{site.finished_run(parameters={'period': 33}, symbols=['BTCUSDT'])}BTCUSDT/"


@pytest.mark.parametrize("element", ["cs-price-chart", "cs-equity-chart"])
def test_a_chart_takes_the_themes_colours_and_the_room_there_is(
    page: Page, result: str, watched: Watched, element: str
):
    page.emulate_media(color_scheme="light")
    if element == "cs-price-chart":
        live_prices("live")(page)
    page.goto("/prices/" if element == "cs-price-chart" else result)
    canvas = page.locator(f"{element} canvas").first
    expect(canvas).to_be_visible()
    ink = f"() => getComputedStyle(document.querySelector('{element} .u-legend')).color"
    light: Any = page.evaluate(ink), page.evaluate(COLOURS, element)
    page.emulate_media(color_scheme="dark")
    until(page, f"before => ({ink})() !== before", light[0])
    until(page, REDRAWN, [element, light[1]])
    page.set_viewport_size({"width": 800, "height": 800})
    until(page, AS_WIDE, element)
    page.get_by_role("link", name="Runs").first.click()
    expect(page.locator(element)).to_have_count(0)
    page.emulate_media(color_scheme="light")
    assert watched.complaints == []
