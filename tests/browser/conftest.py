"""A real browser before a real stack: embedded servers with a generated market, and Chromium."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from tests.browser.site import Site
from tests.browser.tabs import fresh_tab
from tests.browser.waiting import PATIENCE_MS

expect.set_options(timeout=PATIENCE_MS)

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser; skips where there is none, fails where CI requires it."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail("a browser is required but there is no chromium on the PATH; CHROMIUM names another")
        pytest.skip("NO BROWSER TESTS: there is no chromium on the PATH; CHROMIUM names another")
    return path


@pytest.fixture(scope="session")
def site(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An embedded Candlestream with a generated market; started only where there is a browser."""
    with Site(tmp_path_factory.mktemp("site") / "home") as site:
        yield site


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    """Ends with this folder's tests: while it lives, a running event loop would disturb asynchronous ones."""
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)


class Watched:
    """What must not happen on any page: messages on the console, requests to other hosts."""

    def __init__(self, page: Page, own: str) -> None:
        self.own = own
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        page.on("request", self._check)
        page.on(
            "console",
            lambda message: (
                self.complaints.append(message.text) if message.type in ("error", "warning") else None
            ),
        )

    def _check(self, request: Request) -> None:
        if not request.url.startswith((self.own, "data:", "blob:")):
            self.complaints.append(f"foreign request: {request.url}")


@pytest.fixture
def watched(page: Page, site: Site) -> Watched:
    """The list of complaints of this test's page."""
    return Watched(page, site.url)


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """A fresh browser context with one tab."""
    with fresh_tab(browser, site.url) as page:
        yield page


@pytest.fixture
def screenshots() -> Path:
    """Where pictures go; not committed."""
    folder = Path(__file__).parents[2] / "screenshots"
    folder.mkdir(exist_ok=True)
    return folder
