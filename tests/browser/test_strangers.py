"""A site of two users: what one of them sees of the other's run."""

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Response, expect

from tests.browser.conftest import Watched
from tests.browser.tabs import fresh_tab
from tests.browser.test_accessibility import violations
from tests.browser.test_live_run import start_run
from tests.servers import private_folder, private_valkey
from tests.stack import RunningStack, running_stack

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

OWNER, STRANGER, PASSWORD = "ada", "eve", "correct horse battery staple"
PERIOD = "771"
ADD_USERS = f"""
from django.contrib.auth.models import User
for name in ("{OWNER}", "{STRANGER}"):
    User.objects.create_user(name, password="{PASSWORD}")
"""


@pytest.fixture(scope="module")
def shared(chromium: str) -> Iterator[str]:
    """Address of a site with two users and a small market."""
    with private_folder() as folder, private_valkey() as redis_url:
        database_url = f"sqlite:///{folder / 'candlestream.sqlite3'}"
        urls = {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
        environment = {**os.environ, **urls, "SINGLE_USER": "0", "CANDLESTREAM_HOME": str(folder)}
        prepared = RunningStack(folder, environment, 0)
        prepared.manage("migrate", "-v", "0")
        prepared.manage("generate_market", "--symbols", "3", "--years", "0.5")
        prepared.manage("shell", "-c", ADD_USERS)
        with running_stack(folder, database_url=database_url, redis_url=redis_url, SINGLE_USER="0") as stack:
            yield stack.url


def log_in(page: Page, name: str) -> None:
    """On the login page that an address led to."""
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


@pytest.fixture(scope="module")
def run_id(browser: Browser, shared: str) -> str:
    """A complete run of the owner's."""
    with fresh_tab(browser, shared) as page:
        page.goto("/login/")
        log_in(page, OWNER)
        page.get_by_role("button", name="Start run").wait_for()
        run_id = start_run(page, Period=PERIOD)
        expect(page.get_by_test_id("summary")).to_contain_text("Complete. 3 results")
    return run_id


@pytest.fixture
def page(browser: Browser, shared: str) -> Iterator[Page]:
    """A tab of nobody's yet."""
    with fresh_tab(browser, shared) as page:
        yield page


@pytest.mark.parametrize("symbol", ["", "BTCUSDT/"])
def test_a_run_of_somebody_else_has_a_page_that_tells_nothing_of_it(
    page: Page, shared: str, run_id: str, symbol: str
):
    watched = Watched(page, shared)
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer) if run_id in answer.url else None)
    page.goto(f"/runs/{run_id}/{symbol}")
    expect(page).to_have_url(f"{shared}/login/?next=/runs/{run_id}/{symbol}")
    log_in(page, STRANGER)
    expect(page.get_by_role("heading", name="This run is not here")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("It was deleted, or it belongs to somebody else.")
    expect(page).to_have_title("This run is not here · Candlestream")
    expect(page.locator(".user .name")).to_have_text(STRANGER)
    assert violations(page) == []

    asked = [answer for answer in answers if "/api/" in answer.url]
    assert {answer.status for answer in asked} == {404}
    said = [page.locator("main").inner_text(), page.title(), *(answer.text() for answer in asked)]
    for secret in (OWNER, PERIOD, "RSI", "BTC"):  # the id is known, and may hold any digits
        assert not [text for text in said if secret in text.replace(run_id, "")]
    assert [text for text in watched.complaints if "404" not in text] == []

    page.get_by_role("link", name="See all runs").click()
    expect(page.get_by_role("heading", name="No runs yet")).to_be_visible()
    expect(page).to_have_title("Runs · Candlestream")


def test_a_run_that_does_not_exist_looks_just_like_somebody_elses(page: Page, run_id: str):
    page.goto(f"/runs/{run_id}/")
    log_in(page, STRANGER)
    page.get_by_role("heading", name="This run is not here").wait_for()
    of_somebody_else = page.locator("main").aria_snapshot()
    page.goto("/runs/0192f0aa-5a6e-7c1e-9f1b-3f4b8d2a7c11/")
    page.get_by_role("heading", name="This run is not here").wait_for()
    assert page.locator("main").aria_snapshot() == of_somebody_else


def test_somebody_elses_run_is_neither_compared_nor_found(page: Page, run_id: str):
    page.goto(f"/compare/?runs={run_id},{run_id}")
    log_in(page, STRANGER)
    expect(page.get_by_role("alert")).to_contain_text("it was deleted, or it belongs to somebody else")
    page.goto(f"/runs/?search={run_id}")
    expect(page.get_by_text("No run matches")).to_be_visible()


def test_its_owner_sees_the_run_after_the_login(page: Page, run_id: str):
    page.goto(f"/runs/{run_id}/")
    log_in(page, OWNER)
    expect(page.get_by_test_id("summary")).to_contain_text("Complete. 3 results")
