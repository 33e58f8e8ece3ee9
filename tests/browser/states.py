"""Every state that a page can be in, and how to bring it there: addresses, a server's answers, and a user's deeds."""

import copy
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.contrib.auth.forms import AuthenticationForm
from django.template.loader import render_to_string
from django.test import RequestFactory
from playwright.sync_api import Page, Route

from frontend.security import POLICY
from tests.browser.large_run import FIXTURE

NOTHING: dict[str, Any] = {"count": 0, "next": None, "previous": None, "results": []}
BROKEN = {"title": "Service unavailable", "status": 503, "detail": "No web process answers at the moment."}
SAVED: dict[str, Any] = {
    **NOTHING,
    "count": 1,
    "results": [
        {
            "id": 1, "name": "Morning", "on_new_candles": True, "enabled": True, "last_run": None, "error": "",
            "created_at": "2026-01-01T00:00:00Z", "request": {"strategy": "rsi", "interval": "1h", "within_bars": 3},
        }
    ],
}  # fmt: skip
PROGRESS: dict[str, Any] = FIXTURE["run_at_start"]["progress"]
RUN_ID: str = FIXTURE["run_at_start"]["id"]
RECORDED = f"/runs/{RUN_ID}/"
SOCKET_THAT_STAYS_OPEN = """
window.WebSocket = class { constructor() { setTimeout(() => this.onopen?.()); } close() {} };
"""
GO_OFFLINE = "window.dispatchEvent(new Event('offline'))"
PRICES = {
    "BTCUSDT": 67012.4, "ETHUSDT": 3487.91, "SOLUSDT": 168.42, "XRPUSDT": 0.6123, "BNBUSDT": 585.1, "DOGEUSDT": 0.15873,
    "ADAUSDT": 0.4471, "TRXUSDT": 0.1187, "LINKUSDT": 14.62, "DOTUSDT": 7.214, "LTCUSDT": 84.33, "UNIUSDT": 9.18,
    "AVAXUSDT": 36.02, "ATOMUSDT": 8.41, "NEARUSDT": 5.77, "PEPEUSDT": 0.00001234,
}  # fmt: skip
PRICES_SCRIPT = (Path(__file__).parent / "prices.js").read_text()


@dataclass(frozen=True)
class State:
    """An address, what must be seen before the picture is taken, and what is done before and after."""

    address: str
    ready: str
    routes: Callable[[Page], None] | None = None
    act: Callable[[Page], None] | None = None
    is_long: bool = False
    """Whether the whole page is pictured, and not the first screen of it."""


def answer(pattern: str, value: Any, status: int = 200) -> Callable[[Page], None]:
    """The server's answer to some requests."""

    def routes(page: Page) -> None:
        page.route(pattern, lambda route: route.fulfill(status=status, json=value))

    return routes


def silence(page: Page) -> None:
    """A server that does not answer."""

    def wait(_route: Route) -> None:
        """Leave the request open."""

    page.route("**/api/**", wait)


def silent_socket(page: Page) -> None:
    """A server that answers neither requests nor sends prices."""
    page.add_init_script(SOCKET_THAT_STAYS_OPEN)
    silence(page)


def fill(selector: str, text: str) -> Callable[[Page], None]:
    return lambda page: page.locator(selector).fill(text)


def click(text: str, then: str = "body") -> Callable[[Page], None]:
    """Click on what bears a text, and wait for what comes of it."""

    def act(page: Page) -> None:
        page.get_by_text(text, exact=True).first.click()
        page.locator(then).first.wait_for()

    return act


def lose_connection(page: Page) -> None:
    page.evaluate(GO_OFFLINE)
    page.get_by_text("Connection lost").wait_for()


def run_in(status: str, share: float = 2 / 3, **fields: Any) -> Callable[[Page], None]:
    """The recorded run at some point of it, with the links of its status."""

    def routes(page: Page) -> None:
        recorded = FIXTURE["run_at_start"]
        events = FIXTURE["events"][: max(1, int(len(FIXTURE["events"]) * share))]
        verbs = {"running": ("stop", "pause"), "paused": ("stop", "resume")}.get(status, ("retry",))
        run = {
            **recorded,
            "status": status,
            "last_seq": events[-1]["seq"],
            "progress": events[-1]["progress"],
            "links": {
                **recorded["links"],
                **{verb: f"{recorded['links']['self']}{verb}/" for verb in verbs},
            },
            **fields,
        }
        page.add_init_script(SOCKET_THAT_STAYS_OPEN)
        ended = status not in ("running", "paused")
        page.route("**/results/?**", lambda route: route.fulfill(json=FIXTURE["results_in_the_middle"]))
        page.route(
            "**/events/**",
            lambda route: route.fulfill(json={"events": events, "last_seq": 99, "ended": ended}),
        )
        page.route(f"**/api/runs/{run['id']}/", lambda route: route.fulfill(json=run))

    return routes


def runs_under_way(page: Page) -> None:
    """A list with a run of every status."""
    runs: list[dict[str, Any]] = []
    for number, status in enumerate(("running", "paused", "completed", "stopped", "failed")):
        run = copy.deepcopy(FIXTURE["run_at_end"])
        run.update(id=f"{RUN_ID[:-1]}{number}", status=status)
        if status in ("running", "paused"):
            run.update(summary=None, ended_at=None)
            run["progress"].update(total=211, completed=76 + number, percent=36.0 + number)
        runs.append(run)
    answer("**/api/runs/?**", {**NOTHING, "count": len(runs), "results": runs})(page)


def import_under_way(page: Page) -> None:
    """A file that is being imported, and a download that waits."""
    made: dict[str, dict[str, Any]] = {
        "import": {"file": "market-2024.parquet", "source": "upload"},
        "download": {"exchange": "binance", "interval": "1h", "symbols": ["BTCUSDT", "ETHUSDT"]},
    }
    page.add_init_script(SOCKET_THAT_STAYS_OPEN)
    for number, (kind, spec) in enumerate(made.items()):
        run = copy.deepcopy(FIXTURE["run_at_start"])
        links = {name: path.replace(RUN_ID, f"{RUN_ID[:-1]}{number}") for name, path in run["links"].items()}
        links = {name: path for name, path in links.items() if name != "results"}
        run.update(id=f"{RUN_ID[:-1]}{number}", kind=kind, spec=spec, last_seq=2, links=links)
        run["progress"]["total"] = len(spec.get("symbols", [kind]))
        links.update(pause=f"{links['self']}pause/", stop=f"{links['self']}stop/")
        start = {**FIXTURE["events"][0], "run": run["id"], "progress": run["progress"]}
        advance = {
            **start, "seq": 2, "type": "progress", "change": "advance", "status": "running", "share": 0.62,
            "key": spec.get("file", "BTCUSDT"), "step": "storing SOLUSDT" if kind == "import" else None,
        }  # fmt: skip
        events = {"events": [start, advance], "last_seq": 2, "ended": False}
        answer(f"**/api/runs/{run['id']}/events/**", events)(page)
        answer(f"**/api/runs/{run['id']}/", run)(page)
        answer(f"**/api/runs/?kind={kind}&**", {**NOTHING, "count": 1, "results": [run]})(page)


def price_histories(route: Route) -> list[dict[str, Any]]:
    """A minute of prices for each symbol that is asked for."""
    asked = parse_qs(urlsplit(route.request.url).query)["symbols"][0].split(",")
    now_ms = int(time.time() * 1000)
    seconds = range(60, 0, -1)
    return [
        {
            "symbol": symbol,
            "points": [
                [now_ms - second * 1000, PRICES[symbol] * (1 + math.sin(second / 5 + number) / 900)]
                for second in seconds
            ],
        }
        for number, symbol in enumerate(asked)
    ]


def live_prices(state: str) -> Callable[[Page], None]:
    """A socket that sends one snapshot of prices, as a feed in some state would."""

    def routes(page: Page) -> None:
        page.add_init_script(f"{PRICES_SCRIPT}; pretendPrices({json.dumps([state, PRICES])});")
        answer("**/api/prices/alerts/", [])(page)
        page.route("**/api/prices/history/**", lambda route: route.fulfill(json=price_histories(route)))

    return routes


def login(**typed: str) -> Callable[[Page], None]:
    """The login page, drawn by this process: the site of these tests has one user, who needs no login."""

    def routes(page: Page) -> None:
        context = {"form": AuthenticationForm(data=typed or None), "theme": ""}
        body = render_to_string("frontend/login.html", context, request=RequestFactory().get("/login/"))
        headers = {"Content-Security-Policy": POLICY}
        page.route(
            "**/login/",
            lambda route: route.fulfill(body=body, content_type="text/html", headers=headers),
        )

    return routes


STATES = {
    "new-run": State("/?strategy=rsi", "text=Start run", is_long=True),
    "new-run-filled": State(
        "/?strategy=rsi&symbols=BTCUSDT,ETHUSDT&direction=long_short&sizing=cash&stopLossPercent=5&hit=sharpe%3E1&maxHits=3",
        "text=End after hits",
        is_long=True,
    ),
    "new-run-errors": State(
        "/?strategy=sma_cross&p.fast=0&symbols=&stopLossPercent=100", ".field-error", is_long=True
    ),
    "new-run-loading": State("/", ".skeleton", silence),
    "new-run-no-data": State("/", "text=There are no candles yet", answer("**/api/cryptocurrencies/**", [])),
    "new-run-unreachable": State("/", "text=cannot be loaded", answer("**/api/strategies/", BROKEN, 503)),
    "new-scan": State("/?strategy=rsi&task=scan", "text=Scan now", is_long=True),
    "scan": State("{scan}", "table.scan"),
    "scans-none": State("/scans/", "text=No saved scans yet", answer("**/api/saved-scans/**", NOTHING)),
    "scans": State("/scans/", "table.saved-scans", answer("**/api/saved-scans/**", SAVED)),
    "scans-loading": State("/scans/", ".skeleton", silence),
    "runs": State("/runs/", "table.runs"),
    "runs-under-way": State("/runs/", "table.runs", runs_under_way),
    "runs-none": State("/runs/", ".empty", answer("**/api/runs/?**", NOTHING)),
    "runs-found-none": State("/runs/?search=nothing+like+it", "text=No run matches"),
    "runs-delete": State("/runs/", "table.runs", act=click("Delete", "dialog[open]")),
    "runs-loading": State("/runs/", ".skeleton", silence),
    "runs-unreachable": State("/runs/", ".notice-error", answer("**/api/runs/?**", BROKEN, 503)),
    "run": State("{run}", "[data-testid=summary]"),
    "run-settings": State("{run}", "[data-testid=summary]", act=click("Settings")),
    "run-filtered-away": State("{run}", "[data-testid=summary]", act=fill(".filter", "nothing like it")),
    "run-waiting": State(RECORDED, "text=Waiting for the first result", run_in("running", 0)),
    "run-running": State(RECORDED, "text=Results arrive", run_in("running")),
    "run-offline": State(RECORDED, "text=Results arrive", run_in("running"), lose_connection),
    "run-stop": State(
        RECORDED, "text=Results arrive", run_in("running"), lambda page: page.keyboard.press("s")
    ),
    "run-paused": State(RECORDED, "text=Paused. Results", run_in("paused")),
    "run-stopped": State(
        RECORDED,
        "[data-testid=summary]",
        run_in("stopped", reason="stopped", summary={**FIXTURE["run_at_end"]["summary"], "result_count": 3}),
    ),
    "run-failed": State(RECORDED, "text=The run failed", run_in("failed", reason="max_failures")),
    "run-loading": State("{run}", ".skeleton", silence),
    "run-unreachable": State("{run}", "text=cannot be shown", answer("**/api/runs/*/", BROKEN, 503)),
    "unknown-run": State("/runs/0192f0aa-5a6e-7c1e-9f1b-3f4b8d2a7c11/", "text=This run is not here"),
    "result": State("{run}BTCUSDT/", "cs-candle-chart canvas"),
    "result-without-candles": State(
        "{run}BTCUSDT/", "text=No candles to draw", answer("**/candles/?**", BROKEN, 503)
    ),
    "unknown-result": State("{run}NOSUCH/", "text=There is no result"),
    "comparison": State("/compare/?runs={id},{other}", "text=By symbol", is_long=True),
    "comparison-none": State("/compare/", "text=Choose two to four runs"),
    "comparison-gone": State(
        "/compare/?runs={id},0192f0aa-5a6e-7c1e-9f1b-3f4b8d2a7c11", "text=cannot be compared"
    ),
    "data": State("/data/", "table.series", is_long=True),
    "data-quality": State("/data/", "table.series", act=click("BTCUSDT", ".quality")),
    "data-importing": State("/data/", "text=storing SOLUSDT", import_under_way, is_long=True),
    "data-none": State("/data/", "text=There are no candles yet", answer("**/api/cryptocurrencies/**", [])),
    "data-loading": State("/data/", ".skeleton", silence),
    "data-unreachable": State(
        "/data/", "text=cannot be listed", answer("**/api/cryptocurrencies/**", BROKEN, 503)
    ),
    "prices-live": State("/prices/", ".price-card[data-symbol]", live_prices("live")),
    "prices-old": State("/prices/", ".banner", live_prices("stale")),
    "prices-offline": State("/prices/", ".price-card[data-symbol]", live_prices("live"), lose_connection),
    "prices-none": State("/prices/", "text=There is no price feed yet", live_prices("none")),
    "prices-loading": State("/prices/", ".price-card.skeleton", silent_socket),
    "prices-alert": State(
        "/prices/",
        ".price-card[data-symbol]",
        live_prices("live"),
        lambda page: page.get_by_label("New alert for BTC").click(),
    ),
    "login": State("/login/", "text=Log in", login()),
    "login-refused": State("/login/", ".field-error", login(username="", password="")),
    "shortcuts": State("{run}", "[data-testid=summary]", act=lambda page: page.keyboard.press("?")),
    "unknown-page": State("/runs/nonsense", "text=There is no such page"),
}
