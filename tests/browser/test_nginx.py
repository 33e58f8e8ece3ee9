"""The page as the world sees it: behind the nginx of the deployment."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from config import processes
from config.processes import Child
from tests.browser.conftest import Watched
from tests.browser.site import Site
from tests.browser.tabs import fresh_tab
from tests.browser.test_live_run import RESULT_ROWS, start_run
from tests.browser.test_network import NO_WEBSOCKET, symbols
from tests.browser.waiting import until_connected
from tests.compose.conftest import nginx_required as nginx_required
from tests.compose.topology import ROOT, start_nginx
from tests.servers import private_folder

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def outside(site: Site, nginx_required: None) -> Iterator[str]:
    """Address of the site behind nginx."""
    children: list[Child] = []
    with private_folder() as folder:
        static = folder / "www" / "static"
        static.mkdir(parents=True)
        (static / "build").symlink_to(ROOT / "frontend" / "static" / "build")
        port = processes.free_port()
        try:
            start_nginx(Path(folder), site_port=port, web_port=int(site.url.rsplit(":", 1)[1]), keep=children)
            yield f"http://127.0.0.1:{port}"
        finally:
            processes.end(children)


@pytest.fixture
def page(browser: Browser, outside: str) -> Iterator[Page]:
    """A tab that sees the site through nginx."""
    with fresh_tab(browser, outside) as page:
        yield page


@pytest.fixture
def watched(page: Page, outside: str) -> Watched:
    return Watched(page, outside)


@pytest.mark.parametrize(("way", "period"), [("websocket", "113"), ("stream", "127")])
def test_rows_come_through_nginx_as_they_are_made(
    page: Page, site: Site, watched: Watched, way: str, period: str
):
    if way == "stream":
        page.add_init_script(NO_WEBSOCKET)
    used: list[str] = []
    page.on("websocket", lambda socket: used.extend(["websocket"] if "/ws/runs/" in socket.url else []))
    page.on("request", lambda request: used.extend(["stream"] if "/stream/?after=" in request.url else []))
    site.hold_workers()
    try:
        run_id = start_run(page, Period=period)
        until_connected(page)
        completed = site.hold_workers_in_mid_run(run_id)
        expect(page.locator(RESULT_ROWS)).to_have_count(completed)
        expect(page.get_by_test_id("summary")).to_have_count(0)
        assert set(used) == {way}
    finally:
        site.release_workers()
    expect(page.get_by_test_id("summary")).to_be_visible()
    expect(page.get_by_text("blocked here")).to_have_count(0)
    assert len(set(symbols(page))) == 48
    assert watched.complaints == []
