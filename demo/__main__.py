"""Run a strategy over a whole market and watch: `python -m demo http://127.0.0.1:8000/`."""

import argparse
import os
import signal
import sys
from types import FrameType
from typing import Any, NoReturn

from rich.console import Console
from rich.text import Text

from demo import text
from demo.client import Client, ClientError
from demo.screens import LiveScreen, PlainScreen
from demo.tally import Tally

Json = dict[str, Any]


def run_demo(client: Client, console: Console, request: Json) -> bool:
    """Start a backtest, show it to its end, and say whether it completed."""
    strategies = {strategy["name"]: strategy for strategy in client.get("/api/strategies/")}
    run = client.post("/api/backtests/", request)
    name = strategies[request["strategy"]]["title"]
    console.print()
    console.print(text.title(run, name, generated=_is_generated(client, run["spec"])), soft_wrap=True)
    console.print(
        Text.assemble("live page  ", (client.url + run["links"]["page"], "underline")), soft_wrap=True
    )
    console.print()
    tally = Tally()
    screen = LiveScreen(console, tally) if console.is_terminal else PlainScreen(console, tally)
    with screen:
        for event in client.events(run):
            tally.add(event)
            screen.show(event)
    show_summary(console, tally, client.url + run["links"]["page"])
    return tally.is_completed


def _is_generated(client: Client, spec: Json) -> bool:
    listed = client.get(f"/api/cryptocurrencies/?source={spec['source']}&interval={spec['interval']}")
    return any(series["generated"] for cryptocurrency in listed for series in cryptocurrency["series"])


def show_summary(console: Console, tally: Tally, page: str) -> None:
    """Say how the run ended, which results stand out and what to be careful with."""
    progress = tally.progress
    console.print()
    if not console.is_terminal:
        console.print(text.averages(tally), soft_wrap=True)
    if not tally.is_completed:
        last = tally.last or {}
        console.print(
            f"The run did not complete: {last.get('message') or last.get('status')}.", style=text.LOSS
        )
    ranked = tally.ranked()
    if ranked:
        for label, event in (("best ", ranked[0]), ("worst", ranked[-1])):
            console.print(
                Text(f"{label}  ", style="dim") + text.result_row(event, curve=False), soft_wrap=True
            )
    counts = (
        f"{progress['succeeded']} of {progress['total']} succeeded in {progress['elapsed_seconds']:.2f} s"
    )
    reused = f", {tally.reused_count} reused from earlier runs" if tally.reused_count else ""
    console.print(f"{counts}{reused}.", highlight=False)
    if tally.generated:
        console.print(
            "Generated sample: these candles are made up, not prices of any market.", style=text.WARN
        )
    show_warnings(console, tally)
    console.print(Text.assemble("All results: ", (page, "underline")), soft_wrap=True)


def show_warnings(console: Console, tally: Tally, most: int = 8) -> None:
    """The warnings on series, the first of them in full."""
    warned = tally.warned()
    for symbol, warning in warned[:most]:
        console.print(
            Text.assemble(
                (f"{symbol}  {warning['code'].replace('_', ' ')}  ", text.WARN), warning["message"]
            ),
            soft_wrap=True,
        )
    if len(warned) > most:
        console.print(f"… and {len(warned) - most} more warnings on the live page.", style="dim")


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)  # unwinds, so that the terminal gets its cursor back


def main(arguments: list[str]) -> int:
    """Run until the run's end and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--strategy", default="rsi")
    parser.add_argument("--source", help="the only or most complete one, unless named")
    options = parser.parse_args(arguments)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    request = {"strategy": options.strategy} | ({"source": options.source} if options.source else {})
    try:
        completed = run_demo(Client(options.url, os.environ.get("CANDLESTREAM_TOKEN")), Console(), request)
    except ClientError as error:
        print(error, file=sys.stderr)
        return 1
    return 0 if completed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
