"""Waiting for what a page does not show as text."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page

STEP_MS = 20
PATIENCE_MS = 60_000
LOOKS = 1500
"""Looks and not seconds: on a busy machine each of them takes longer."""
FITS = "document.documentElement.scrollWidth <= innerWidth"
"""Nothing on the page is wider than the screen."""
TWO_FRAMES = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))"


def until(page: Page, expression: str, argument: Any = None) -> Any:
    """The first value of an expression that is true.

    Playwright's own `wait_for_function` evaluates text inside the page: from its second look on our policy forbids it.
    """
    return until_true(page, lambda: page.evaluate(expression, argument), expression)


def until_true(page: Page, condition: Callable[[], Any], what: str = "the condition") -> Any:
    """The first value of a condition that is true; meanwhile the page's events are heard of."""
    for _ in range(LOOKS):
        if value := condition():
            return value
        page.wait_for_timeout(STEP_MS)
    raise AssertionError(f"not after {LOOKS} looks: {what}")


def until_drawn(page: Page) -> None:
    """Wait for what is drawn in the frame after, as charts are, or follows from the size of the screen."""
    page.evaluate(TWO_FRAMES)


def until_fits(page: Page, what: str = "") -> None:
    """Wait until nothing is wider than the screen: what depends on its size is drawn anew in the frame after."""
    until_true(page, lambda: page.evaluate(FITS), f"{what} is wider than the screen".lstrip())


def until_connected(page: Page, status: str = "live") -> None:
    """Wait until a run's page hears of events as they are made: what comes afterwards comes by this connection."""
    until(page, "status => document.querySelector('cs-run')?.watcher.connection === status", status)


def attributes(elements: Locator, name: str) -> list[str]:
    """An attribute of each of these elements, all read at the same moment; "" where there is none."""
    return elements.evaluate_all("(all, name) => all.map(element => element.getAttribute(name) ?? '')", name)
