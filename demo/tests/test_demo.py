"""A run shown from its events, against the events that the server's own tests use."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from demo import text
from demo.__main__ import show_summary
from demo.screens import LiveScreen, PlainScreen
from demo.tally import Tally

FIXTURE: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "tests" / "fixtures" / "run_events.json").read_text()
)


def shown(screen_class: type[LiveScreen] | type[PlainScreen], *, terminal: bool, width: int = 110) -> str:
    """What stands on the screen after all events and the summary."""
    output = io.StringIO()
    console = Console(
        file=output, force_terminal=terminal, width=width, color_system=None, legacy_windows=False
    )
    tally = Tally()
    console.print(text.title(FIXTURE["run_at_start"], "RSI", generated=True), soft_wrap=True)
    with screen_class(console, tally) as screen:
        for event in FIXTURE["events"]:
            tally.add(event)
            screen.show(event)
    show_summary(console, tally, "http://127.0.0.1:8000/runs/1/")
    return output.getvalue()


def tally_of(events: list[dict[str, Any]]) -> Tally:
    tally = Tally()
    for event in events:
        tally.add(event)
    return tally


def test_the_averages_from_the_events_are_those_of_the_servers_summary():
    tally = tally_of(FIXTURE["events"])
    summary = FIXTURE["run_at_end"]["summary"]
    assert tally.median("total_return") == pytest.approx(summary["median_return"])
    assert tally.mean("total_return") == pytest.approx(summary["mean_return"])
    assert tally.median("buy_hold_return") == pytest.approx(summary["median_buy_hold_return"])
    assert tally.positive_count == summary["positive_count"]
    assert tally.reused_count == summary["cached_count"]
    assert tally.ranked()[0]["key"] == summary["best"]["symbol"]
    assert tally.ranked()[-1]["key"] == summary["worst"]["symbol"]
    assert tally.is_completed


def test_a_run_without_its_last_event_is_not_completed():
    assert not tally_of(FIXTURE["events"][:-1]).is_completed


def test_plain_lines_hold_every_result_failure_warning_and_no_control_codes():
    lines = shown(PlainScreen, terminal=False)
    assert "\x1b" not in lines
    assert "   1/7     BTCUSDT                +19.4 %" in lines
    assert "USDCUSDT             failed: No candles between 2021-04-05 and 2023-12-29." in lines
    assert "median +6.2 %   mean +20.7 %   positive 3 of 6" in lines
    assert "LUNAUSDT  relisted  The symbol was used again for another coin" in lines
    assert "6 of 7 succeeded in 0.05 s, 1 reused from earlier runs." in lines
    assert "generated sample" in lines
    assert "http://127.0.0.1:8000/runs/1/" in lines


def test_a_terminal_shows_the_rows_the_bar_and_the_averages():
    screen = shown(LiveScreen, terminal=True)
    assert "100 % · 7 of 7 · 1 failed" in screen
    assert "median +6.2 %   mean +20.7 %" in screen
    assert all(event["key"] in screen for event in FIXTURE["events"] if "key" in event)


def test_a_narrow_terminal_cuts_rows_instead_of_wrapping_them():
    screen = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown(LiveScreen, terminal=True, width=60))
    rows = [line.rpartition("\r")[2] for line in screen.splitlines() if "SOLUSDT   " in line]
    assert [len(row) for row in rows[:1]] == [60]


def test_a_warning_code_that_comes_twice_marks_a_row_once():
    event = json.loads(json.dumps(FIXTURE["events"][1]))
    event["result"]["warnings"] = [{"code": "reused_symbol", "message": ""}] * 3
    assert str(text.result_row(event)).count("reused symbol") == 1
