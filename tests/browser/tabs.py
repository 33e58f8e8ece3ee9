"""Tabs of a browser that nobody has used yet, and their end."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, ViewportSize

from tests.browser.waiting import PATIENCE_MS

LAPTOP: ViewportSize = {"width": 1280, "height": 800}


@contextmanager
def fresh_tab(browser: Browser, address: str, **options: Any) -> Generator[Page]:
    """The only tab of a context of its own, for a site at this address."""
    context = browser.new_context(base_url=address, viewport=LAPTOP, **options)
    context.set_default_timeout(PATIENCE_MS)
    try:
        yield context.new_page()
    finally:
        for page in context.pages:
            stop_answering(page)
        context.close()


def stop_answering(page: Page) -> None:
    """Let no answer of a test's own come to grief because the page that asked is being closed."""
    page.unroute_all(behavior="ignoreErrors")
