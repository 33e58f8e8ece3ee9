"""A recorded run, and a made-up one of a whole market whose results arrive as fast as a test wants."""

import copy
import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route, expect

RESULTS = 211
FIXTURE: dict[str, Any] = json.loads((Path(__file__).parents[1] / "fixtures" / "run_events.json").read_text())


# Delivers the events evenly over the burst, and counts the frames that the page gets drawn meanwhile.
FAKE_SOCKET = """
window.WebSocket = class {
  constructor() { window.socket = this; setTimeout(() => this.onopen?.()); }
  close() {}
};
window.burst = (events, ms) => new Promise((done) => {
  const started = performance.now();
  let sent = 0;
  window.frames_ = [];
  const frame = (now) => {
    window.frames_.push(now);
    if (sent < events.length) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  const timer = setInterval(() => {
    const due = Math.min(events.length, Math.ceil((performance.now() - started) / ms * events.length));
    while (sent < due) window.socket.onmessage({ data: events[sent++] });
    if (sent < events.length) return;
    clearInterval(timer);
    requestAnimationFrame(() => requestAnimationFrame(done));
  }, 2);
});
"""


def large_run() -> tuple[dict[str, Any], list[str]]:
    """A run of 211 symbols at its start, and the events of its results."""
    run = copy.deepcopy(FIXTURE["run_at_start"])
    template = next(event for event in FIXTURE["events"] if event["type"] == "result")
    run["progress"]["total"] = RESULTS
    events: list[str] = []
    for index in range(RESULTS):
        event = copy.deepcopy(template)
        event["seq"] = run["last_seq"] + 1 + index
        event["key"] = event["result"]["symbol"] = f"COIN{index}USDT"
        event["result"]["metrics"]["total_return"] = ((index * 7919) % 1000) / 500 - 1
        event["result"]["sparkline"] = [10_000.0 + (index * step) % 997 for step in range(64)]
        done = index + 1
        event["progress"].update(total=RESULTS, completed=done, succeeded=done, percent=100 * done / RESULTS)
        events.append(json.dumps(event))
    return run, events


def serve_run(page: Page, run: dict[str, Any]) -> None:
    """Answer the page's questions about a run that exists nowhere."""
    nothing = {"count": 0, "next": None, "previous": None, "results": []}
    answers = {
        "/results/": nothing,
        "/events/": {"events": [], "last_seq": run["last_seq"], "ended": False},
        f"/api/runs/{run['id']}/": run,
    }

    def answer(route: Route) -> None:
        found = next(value for part, value in answers.items() if part in route.request.url)
        route.fulfill(json=found)

    page.route(f"**/api/*/{run['id']}/**", answer)


def open_large_run(page: Page) -> list[str]:
    """The page of the run, before any result; the events that are to come."""
    run, events = large_run()
    serve_run(page, run)
    page.goto(f"/runs/{run['id']}/")
    page.get_by_text("Waiting for the first result").wait_for()
    return events


def burst(page: Page, events: list[str], milliseconds: int) -> None:
    """Let events arrive in so much time."""
    page.evaluate("([events, ms]) => window.burst(events, ms)", [events, milliseconds])


def show_large_run(page: Page) -> None:
    """The page of the run when all results are there."""
    burst(page, open_large_run(page), 50)
    expect(page.locator(".facts")).to_contain_text(f"{RESULTS} of {RESULTS}")
