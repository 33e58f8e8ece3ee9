"""Pictures of every page and state, to be looked at: light and dark, from a phone to a wide screen."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.site import Site
from tests.browser.states import STATES
from tests.browser.tabs import stop_answering
from tests.browser.waiting import until_drawn, until_fits

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

SIZES = {"phone": (390, 844), "laptop": (1280, 800), "wide": (1920, 1080)}
# SCREENSHOTS=all takes every size in both themes: twice the time, which only those who look at them need.
ONCE = [("phone", "dark"), ("laptop", "light"), ("wide", "dark")]
VIEWS = (
    [(size, theme) for size in SIZES for theme in ("light", "dark")] if "SCREENSHOTS" in os.environ else ONCE
)


@pytest.fixture(scope="module")
def runs(site: Site) -> tuple[str, str, str]:
    """Addresses of two complete runs and a scan."""
    return (
        site.finished_run(strategy="sma_cross", parameters={"fast": 24, "slow": 120}, hit="sharpe > 0"),
        site.finished_run(parameters={"period": 71}, stop_loss=0.08),
        site.finished_run(kind="scans", within_bars=24),
    )


@pytest.mark.parametrize(("size", "theme"), VIEWS)
def test_every_state_fits_its_screen(
    page: Page, runs: tuple[str, str, str], screenshots: Path, size: str, theme: str
):
    width, height = SIZES[size]
    ids = {"run": runs[0], "id": runs[0].split("/")[2], "other": runs[1].split("/")[2], "scan": runs[2]}
    for name, state in STATES.items():
        tab = page.context.new_page()
        tab.set_viewport_size({"width": width, "height": height})
        tab.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
        if state.routes:
            state.routes(tab)
        tab.goto(state.address.format(**ids))
        tab.locator(state.ready).first.wait_for()
        if state.act:
            state.act(tab)
        until_drawn(tab)
        tab.screenshot(path=screenshots / f"{name}-{size}-{theme}.png", full_page=state.is_long)
        until_fits(tab, name)
        stop_answering(tab)
        tab.close()
