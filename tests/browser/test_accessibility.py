"""Every page for everyone: no violation that axe-core knows, and the whole way by keyboard alone."""

from pathlib import Path

import pytest
from django.contrib.auth.forms import AuthenticationForm
from django.template.loader import render_to_string
from django.test import RequestFactory
from playwright.sync_api import Page, Route, expect

from frontend.security import POLICY
from tests.browser.conftest import Watched
from tests.browser.site import Site
from tests.browser.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

AXE = Path(__file__).parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"


FOCUSED_SYMBOL = "document.activeElement.closest('tr')?.dataset.symbol"


@pytest.fixture(scope="module")
def finished(site: Site) -> str:
    """Address of a complete run."""
    return site.finished_run(parameters={"period": 29}, hit="total_return > -0.5")


@pytest.fixture(scope="module")
def scan(site: Site) -> str:
    """Address of a complete scan."""
    return site.finished_run(kind="scans", within_bars=24)


def violations(page: Page) -> list[str]:
    """What axe-core finds: rule, element, and why."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text())
    report = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{violation['id']}: {node['html'][:160]} {node['failureSummary']}"
        for violation in report["violations"]
        for node in violation["nodes"]
    ]


PAGES = {
    "new run": ("/", "text=Start run"),
    "new run, chosen symbols": ("/?symbols=BTCUSDT", ".symbols"),
    "new run, wrong value": ("/?strategy=rsi&p.period=1", ".field-error"),
    "new scan": ("/?task=scan", "text=Scan now"),
    "scan": ("{scan}", "table.scan"),
    "saved scans": ("/scans/", ".page .empty, table.saved-scans"),
    "no such page": ("/runs/nonsense", "text=There is no such page"),
    "runs": ("/runs/", "table.runs"),
    "run": ("{run}", "[data-testid=summary]"),
    "result": ("{run}BTCUSDT/", "cs-equity-chart canvas"),
    "comparison": ("/compare/?runs={id},{id}", "text=By symbol"),
    "data": ("/data/", "table.series"),
    "unknown run": ("/runs/0192f0aa-5a6e-7c1e-9f1b-3f4b8d2a7c10/", ".empty h1"),
}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(page: Page, finished: str, scan: str, watched: Watched, name: str, theme: str):
    address, ready = PAGES[name]
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
    page.goto(address.format(run=finished, scan=scan, id=finished.split("/")[2]))
    page.locator(ready).first.wait_for()
    assert violations(page) == []
    assert [text for text in watched.complaints if "404" not in text] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("typed", [None, {"username": "", "password": ""}], ids=["empty", "refused"])
def test_axe_finds_nothing_on_the_login_page(
    page: Page, watched: Watched, theme: str, typed: dict[str, str] | None
):
    """Drawn by this process: the site of these tests has one user, who needs no login."""
    context = {"form": AuthenticationForm(data=typed), "theme": theme}
    login = render_to_string("frontend/login.html", context, request=RequestFactory().get("/login/"))

    def answer(route: Route) -> None:
        route.fulfill(body=login, content_type="text/html", headers={"Content-Security-Policy": POLICY})

    page.route("**/login/", answer)
    page.goto("/login/")
    page.get_by_role("button", name="Log in").wait_for()
    expect(page.locator(".field-error")).to_have_count(2 if typed else 0)
    assert violations(page) == []
    assert watched.complaints == []


def test_from_the_form_to_the_list_of_trades_by_keyboard_alone(page: Page, watched: Watched):
    page.goto("/")
    page.get_by_role("button", name="Start run").wait_for()

    def tab_to(selector: str) -> None:
        for _ in range(80):
            page.keyboard.press("Tab")
            if page.evaluate("s => document.activeElement.matches(s)", selector):
                return
        raise AssertionError(f"{selector} is not in the tab order")

    tab_to("input.input[id='parameters.period']")
    page.keyboard.press("Control+A")
    page.keyboard.type("31")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("summary")).to_be_visible()

    page.keyboard.press("/")
    page.keyboard.type("trades>0")
    page.keyboard.press("Escape")
    tab_to("tbody a")
    first = page.evaluate(FOCUSED_SYMBOL)
    page.keyboard.press("ArrowDown")
    second = until(page, f"first => {FOCUSED_SYMBOL} !== first && {FOCUSED_SYMBOL}", first)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{second}/")
    expect(page.locator("table.trades tbody tr").first).to_be_visible()
    tab_to("[aria-label=Trades]")

    page.keyboard.press("ArrowRight")
    expect(page.locator("cs-result").get_by_text("3 of ")).to_be_visible()
    third = page.url.rstrip("/").rsplit("/", 1)[1]
    page.keyboard.press("Escape")
    page.wait_for_url("**/runs/*/")
    until(page, f"third => {FOCUSED_SYMBOL} === third", third)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    expect(page.get_by_role("button", name="Start run")).to_be_visible()
    assert watched.complaints == []
