"""Pictures of every page and state, to be looked at: light and dark, from a phone to a wide screen."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

SIZES = {"phone": (390, 844), "laptop": (1280, 800), "wide": (1920, 1080)}
STATES = {
    "new-run": ("/?strategy=rsi", "text=Start run"),
    "new-run-errors": ("/?strategy=sma_cross&p.fast=0&symbols=", ".field-error"),
    "runs": ("/runs/", "table.runs"),
    "run": ("{run}", "[data-testid=summary]"),
    "run-filtered-away": ("{run}#filter", "text=No result matches"),
    "result": ("{run}BTCUSDT/", "cs-candle-chart canvas"),
    "unknown-result": ("{run}NOSUCH/", "text=There is no result"),
    "unknown-run": ("/runs/0192f0aa-5a6e-7c1e-9f1b-3f4b8d2a7c10/", "text=This run is not here"),
    "comparison": ("/compare/?runs={id},{other}", "text=By symbol"),
    "data": ("/data/", "table.series"),
}


@pytest.fixture(scope="module")
def runs(site: Site) -> tuple[str, str]:
    """Addresses of two complete runs."""
    return (
        site.finished_run(strategy="sma_cross", parameters={"fast": 24, "slow": 120}),
        site.finished_run(parameters={"period": 71}),
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_every_state_fits_its_screen(
    page: Page, runs: tuple[str, str], screenshots: Path, size: str, theme: str
):
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
    ids = {"run": runs[0], "id": runs[0].split("/")[2], "other": runs[1].split("/")[2]}
    for name, (address, ready) in STATES.items():
        path, _, action = address.format(**ids).partition("#")
        page.goto(path)
        if action == "filter":
            page.locator(".filter").fill("nothing like it")
        page.locator(ready).first.wait_for()
        page.wait_for_timeout(150)  # charts draw in the frame after
        page.screenshot(path=screenshots / f"{name}-{size}-{theme}.png")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
