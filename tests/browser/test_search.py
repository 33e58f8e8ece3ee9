"""Runs are looked for among all that there are, not only among those on the page."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.conftest import Watched
from tests.browser.site import Site
from tests.browser.waiting import until_fits, until_true

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

PAGE_SIZE = 50
LINKS = "a.run-link"


@pytest.fixture(scope="module")
def old(site: Site) -> str:
    """Address of a run that more runs have followed than a page lists; the title of its strategy is not its name."""
    address = site.finished_run(strategy="donchian", parameters={}, symbols=["BTCUSDT"])
    runs = [site.start_run(parameters={"period": 137}, symbols=["BTCUSDT"]) for _ in range(PAGE_SIZE + 1)]
    for run in runs:
        site.wait_for_end(run)
    return address


def search(page: Page, words: str) -> None:
    page.get_by_role("searchbox", name="Search runs").fill(words)


def expect_only(page: Page, address: str) -> None:
    expect(page.locator(LINKS)).to_have_count(1)
    expect(page.locator(LINKS)).to_have_attribute("href", address)


def searches(page: Page) -> list[str]:
    """What the server is asked for from now on."""
    asked: list[str] = []

    def note(request: Request) -> None:
        url = urlsplit(request.url)
        if url.path == "/api/runs/":
            asked.append(parse_qs(url.query).get("search", [""])[0])

    page.on("request", note)
    return asked


def test_a_run_that_is_not_on_the_page_is_found_by_the_title_of_its_strategy(
    page: Page, site: Site, old: str, watched: Watched
):
    page.goto("/runs/")
    expect(page.locator(LINKS)).to_have_count(PAGE_SIZE)
    expect(page.locator(f"{LINKS}[href='{old}']")).to_have_count(0)
    search(page, "donchian breakout completed")
    expect_only(page, old)
    expect(page.get_by_role("status")).to_have_text("1 found")
    expect(page.get_by_role("navigation", name="More runs")).to_have_count(0)

    page.reload()
    expect_only(page, old)
    search(page, old.split("/")[2][:13])
    expect_only(page, old)
    search(page, "")
    expect(page.locator(LINKS)).to_have_count(PAGE_SIZE)
    expect(page).to_have_url(re.compile("/runs/$"))
    assert watched.complaints == []


def test_a_search_begins_on_its_first_page(page: Page, old: str):
    page.goto("/runs/")
    page.get_by_role("button", name="Older").click()
    expect(page.locator(f"{LINKS}[href='{old}']")).to_be_visible()
    search(page, "period 137")
    expect(page.get_by_role("status")).to_have_text(f"{PAGE_SIZE + 1} found")
    expect(page.get_by_role("button", name="Newer")).to_be_disabled()
    page.get_by_role("button", name="Older").click()
    expect(page.locator(LINKS)).to_have_count(1)


def test_typing_asks_the_server_once(page: Page, old: str):
    page.goto("/runs/")
    page.locator(LINKS).first.wait_for()
    asked = searches(page)
    # At once, as far as any timer of the page can tell: a busy machine may take longer between two keys.
    page.evaluate("""() => {
      const input = document.querySelector("input.filter");
      for (const letter of "donchian") {
        input.value += letter;
        input.dispatchEvent(new Event("input"));
      }
    }""")
    expect_only(page, old)
    assert asked == ["donchian"]


def test_an_answer_that_comes_late_does_not_replace_a_later_one(page: Page, old: str):
    late: list[Route] = []

    def keep(route: Route) -> None:
        late.append(route)

    page.route("**/api/runs/?**search=period**", keep)
    page.goto("/runs/?search=period")
    until_true(page, lambda: late, "the first search is asked for")
    search(page, "donchian")
    expect_only(page, old)
    assert len(late) == 1
    with page.expect_response("**/api/runs/?**search=period**"):
        late[0].continue_()
    page.wait_for_timeout(200)
    expect_only(page, old)


@pytest.mark.parametrize(
    "words",
    [
        "<img src=x onerror=window.broken=1>",
        "'; drop table--",
        "(.*",
        "\\",
        "%00%",
        "日本 \U0001f600",
        "x" * 900,
    ],
)
def test_what_is_in_no_run_finds_none_and_breaks_nothing(page: Page, old: str, watched: Watched, words: str):
    page.goto("/runs/")
    search(page, words)
    expect(page.get_by_text("No run matches")).to_be_visible()
    until_fits(page)
    assert page.evaluate("window.broken") is None
    page.get_by_role("button", name="Clear the search").click()
    expect(page.locator(LINKS)).to_have_count(PAGE_SIZE)
    assert watched.complaints == []


def test_what_the_server_refuses_is_said_and_the_list_stays(page: Page, old: str):
    page.goto(f"/runs/?search={'y' * 10_000}")
    expect(page.get_by_text("No run matches")).to_be_visible()
    search(page, "")
    expect(page.locator(LINKS)).to_have_count(PAGE_SIZE)
    search(page, "many " * 21)
    expect(page.get_by_role("alert")).to_contain_text("Must have at most 20 words.")
    expect(page.locator(LINKS)).to_have_count(PAGE_SIZE)
    search(page, "donchian")
    expect_only(page, old)
    expect(page.get_by_role("alert")).to_have_count(0)


def test_deleting_the_last_run_of_a_page_leads_to_the_page_before(page: Page, site: Site, old: str):
    pages: dict[str, Any] = {}

    def keep(route: Route) -> None:
        answer = route.fetch()
        pages[parse_qs(urlsplit(route.request.url).query)["page"][0]] = answer.status
        route.fulfill(response=answer)

    page.goto("/runs/?search=period+137")
    page.get_by_role("button", name="Older").click()
    expect(page.locator(LINKS)).to_have_count(1)
    page.route("**/api/runs/?**", keep)
    page.get_by_role("button", name="Delete this run").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator(LINKS)).to_have_count(PAGE_SIZE)
    expect(page.get_by_role("alert")).to_have_count(0)
    assert pages == {"2": 404, "1": 200}
