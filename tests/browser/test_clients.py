"""The browser's own clients, used as anybody would: `EventSource` and `WebSocket`."""

from typing import Any

import orjson
import pytest
from playwright.sync_api import Page

from tests.browser.site import Site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

FOLLOW = """async ({stream, websocket}) => {
    const overStream = new Promise((resolve, reject) => {
        const texts = [];
        const source = new EventSource(stream);
        source.onmessage = ({data, lastEventId}) => {
            texts.push(data);
            if (lastEventId !== String(texts.length)) reject(new Error(`id ${lastEventId}`));
            if (JSON.parse(data).type === "complete") { source.close(); resolve(texts); }
        };
    });
    const overSocket = new Promise((resolve, reject) => {
        const texts = [];
        const socket = new WebSocket(new URL(websocket, location.href.replace(/^http/, "ws")));
        socket.onmessage = ({data}) => texts.push(data);
        socket.onclose = ({code}) => code === 1000 ? resolve(texts) : reject(new Error(`closed with ${code}`));
    });
    return await Promise.all([overStream, overSocket]);
}"""

DROPPED = """async ({stream}) => {
    const source = new EventSource(stream);
    let last = 0;
    await new Promise((resolve) => {
        source.onmessage = ({lastEventId}) => { last = Number(lastEventId); if (last === 1) resolve(); };
    });
    return await new Promise((resolve) => {
        source.onerror = () => { if (source.readyState === EventSource.CLOSED) resolve(last); };
    });
}"""


def start(site: Site, page: Page) -> dict[str, Any]:
    """A run of the page's own origin; its links."""
    page.goto("/runs/")
    text = page.evaluate(
        """async () => {
            const token = document.cookie.match(/csrftoken=([^;]+)/)?.[1] ?? "";
            const headers = {"Content-Type": "application/json", "X-CSRFToken": token};
            const body = JSON.stringify({strategy: "rsi", parameters: {period: 11}});
            const answer = await fetch("/api/backtests/", {method: "POST", headers, body});
            return await answer.text();
        }"""
    )
    return orjson.loads(text)["links"]


def test_event_source_and_websocket_see_the_same_events(site: Site, page: Page) -> None:
    links = start(site, page)
    over_stream, over_socket = page.evaluate(FOLLOW, links)
    assert over_stream == over_socket
    numbers = [orjson.loads(text)["seq"] for text in over_stream]
    assert numbers == list(range(1, len(numbers) + 1))


def test_an_event_source_that_comes_back_is_told_that_there_is_no_more(site: Site, page: Page) -> None:
    """It reconnects by itself when the stream ends, and stops for good when it is answered with 204."""
    links = start(site, page)
    last = page.evaluate(DROPPED, links)
    assert last == site.get(links["self"])["last_seq"]
