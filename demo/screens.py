"""Two ways to show a run: a live table in a terminal, plain lines anywhere else."""

from typing import Any, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from demo import text
from demo.tally import Tally

Json = dict[str, Any]


class PlainScreen:
    """One line per result, with its place in the run; for files, pipes and logs."""

    def __init__(self, console: Console, tally: Tally) -> None:
        self.console = console
        self.tally = tally

    def __enter__(self) -> Self:
        self.console.print(Text("completed  ") + text.heading(), soft_wrap=True)
        return self

    def __exit__(self, *_: object) -> None:
        return

    def show(self, event: Json) -> None:
        """Print results and failures."""
        progress = event["progress"]
        place = f"{progress['completed']:>4}/{progress['total']:<4}  "
        row = _row(event)
        if row is not None:
            self.console.print(Text(place) + row, soft_wrap=True)


class LiveScreen:
    """Results scroll by above a progress bar and the averages so far."""

    def __init__(self, console: Console, tally: Tally) -> None:
        self.console = console
        self.tally = tally
        self.live = Live(get_renderable=self._footer, console=console, refresh_per_second=20)

    def __enter__(self) -> Self:
        self.console.print(text.heading(), no_wrap=True, crop=True)
        self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.live.stop()

    def show(self, event: Json) -> None:
        """Print results and failures above the bar."""
        row = _row(event)
        if row is not None:
            self.console.print(row, no_wrap=True, overflow="ellipsis", crop=True)

    def _footer(self) -> RenderableType:
        progress = self.tally.progress
        if not progress:
            return Text("waiting for the first event", style="dim")
        grid = Table.grid(padding=(0, 1), expand=True)
        grid.add_column(ratio=1)
        grid.add_column(no_wrap=True)
        bar = ProgressBar(
            total=max(1, progress["total"]),
            completed=progress["completed"],
            complete_style=text.GAIN,
            finished_style=text.GAIN,
        )
        grid.add_row(bar, _progress_text(progress))
        return Group(text.heading(), grid, text.averages(self.tally))


def _row(event: Json) -> Text | None:
    if event["type"] == "result":
        return text.result_row(event)
    if event["type"] == "failure":
        return text.failure_row(event)
    return None


def _progress_text(progress: Json) -> Text:
    words = [f"{progress['percent']:.0f} %", f"{progress['completed']} of {progress['total']}"]
    if progress["failed"]:
        words.append(f"{progress['failed']} failed")
    if progress["per_second"]:
        words.append(f"{progress['per_second']:.0f}/s")
    if progress["eta_seconds"]:
        words.append(f"{progress['eta_seconds']:.1f} s left")
    return Text(" · ".join(words))
