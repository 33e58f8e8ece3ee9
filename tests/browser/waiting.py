"""Waiting for what a page does not show as text."""

from typing import Any

from playwright.sync_api import Page

STEP_MS = 20
PATIENCE_MS = 30_000


def until(page: Page, expression: str, argument: Any = None) -> Any:
    """The first value of an expression that is true.

    Playwright's own `wait_for_function` evaluates text inside the page: from its second look on our policy forbids it.
    """
    for _ in range(PATIENCE_MS // STEP_MS):
        if value := page.evaluate(expression, argument):
            return value
        page.wait_for_timeout(STEP_MS)
    raise AssertionError(f"not within {PATIENCE_MS} ms: {expression}")


def until_connected(page: Page, status: str = "live") -> None:
    """Wait until a run's page hears of events as they are made: what comes afterwards comes by this connection."""
    until(page, "status => document.querySelector('cs-run')?.watcher.connection === status", status)
