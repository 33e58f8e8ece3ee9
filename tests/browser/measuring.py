"""Figures of a page that a busy machine can't spoil: the best of several, and by the page's own clock."""

from collections.abc import Callable

from playwright.sync_api import Page

from tests.browser.waiting import until

MOST_ATTEMPTS = 10
"""Other programs of the machine take time and frames, too: the best of these is the page's own. One is enough, if it
is good: what has become slow is slow every time."""

COUNT_FRAMES = """() => {
  const frames = window.frames_ = [];
  const frame = (now) => { frames.push(now); if (frames === window.frames_) requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
}"""


def tell(what: str, best: float, *others: float) -> float:
    """Print a figure, and the others that it is the best of; the figure."""
    more = f" (of {', '.join(f'{other:,.1f}' for other in others)})" if len(others) > 1 else ""
    print(f"\n{what}: {best:,.1f}{more}")
    return best


def least(what: str, measure: Callable[[], float], *, wanted: float) -> float:
    """The smallest of several figures; no more of them than it takes to find one as small as is wanted."""
    found = [measure()]
    while min(found) > wanted and len(found) < MOST_ATTEMPTS:
        found.append(measure())
    return tell(what, min(found), *found)


def most(what: str, measure: Callable[[], float], *, wanted: float) -> float:
    """The largest of several figures; no more of them than it takes to find one as large as is wanted."""
    found = [measure()]
    while max(found) < wanted and len(found) < MOST_ATTEMPTS:
        found.append(measure())
    return tell(what, max(found), *found)


def processor_clock(page: Page) -> Callable[[], float]:
    """A clock that goes while the page is at work, in seconds: of all its threads together."""
    client = page.context.new_cdp_session(page)
    client.send("Performance.enable")

    def read() -> float:
        metrics = client.send("Performance.getMetrics")["metrics"]
        return next(metric["value"] for metric in metrics if metric["name"] == "ProcessTime")

    return read


def frames_per_second(page: Page, clock: Callable[[], float], work: Callable[[], None]) -> float:
    """How often a page that counts its frames is drawn while it has work.

    By the clock on the wall, or by the page's own: on a busy machine it waits for a processor more than it works, and
    is drawn as seldom as that. Whatever makes it slow in itself shows in both.
    """
    began = clock()
    work()
    busy_seconds = clock() - began
    frames: list[float] = until(page, "window.frames_.length > 1 && window.frames_")
    count = len(frames) - 1
    return max(count / (frames[-1] - frames[0]) * 1000, count / busy_seconds)
