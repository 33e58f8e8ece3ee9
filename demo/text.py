"""Numbers, lines and colours of the terminal."""

from typing import Any

from rich.text import Text

Json = dict[str, Any]

# Teal and vermilion, as on the page: told apart by every eye, and the sign says it too.
GAIN = "#41cbb2"
LOSS = "#ff936a"
WARN = "#e5b95c"
BLOCKS = "▁▂▃▄▅▆▇█"
NOTHING = "–"
COLUMNS = (
    ("symbol", 19),
    ("return", 11),
    ("buy & hold", 13),
    ("Sharpe", 8),
    ("max drawdown", 14),
    ("trades", 8),
)


def percent(value: float | None, *, signed: bool = True) -> str:
    """A fraction as a percentage with one decimal: 0.194 is +19.4 %."""
    if value is None:
        return NOTHING
    text = f"{abs(value):,.1%}".replace("%", " %")
    sign = "" if text.strip("0. %") == "" else "−" if value < 0 else "+" if signed else ""
    return f"{sign}{text}"


def number(value: float | None) -> str:
    """A ratio with two decimals and a real minus sign."""
    return NOTHING if value is None else f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def colour(value: float | None) -> str:
    """Style of a gain or a loss."""
    return "" if not value else GAIN if value > 0 else LOSS


def sparkline(values: list[float], width: int = 16) -> str:
    """An equity curve as a row of blocks."""
    if not values:
        return ""
    picked = [values[(len(values) - 1) * place // max(1, width - 1)] for place in range(width)]
    low, high = min(picked), max(picked)
    scale = (len(BLOCKS) - 1) / (high - low) if high > low else 0.0
    return "".join(BLOCKS[round((value - low) * scale)] for value in picked)


def heading() -> Text:
    """The names of the columns."""
    first, *others = COLUMNS
    words = first[0].ljust(first[1]) + "".join(name.rjust(width) for name, width in others)
    return Text(f"{words}  equity", style="dim", no_wrap=True)


def result_row(event: Json, *, curve: bool = True) -> Text:
    """One result as one line."""
    result = event["result"]
    metrics = result["metrics"]
    total, held = metrics["total_return"], metrics["buy_hold_return"]
    cells = (
        (percent(total), colour(total)),
        (percent(held), ""),
        (number(metrics["sharpe"]), ""),
        (percent(metrics["max_drawdown"], signed=False), ""),
        (str(metrics["trade_count"]), ""),
    )
    row = Text(event["key"].ljust(COLUMNS[0][1]), no_wrap=True, overflow="ellipsis")
    for (cell, style), (_, width) in zip(cells, COLUMNS[1:], strict=True):
        row.append(cell.rjust(width), style=style)
    if curve:
        row.append(f"  {sparkline(result.get('sparkline') or [])}", style=colour(total))
    if event["cached"]:
        row.append("  reused", style="dim")
    for code in dict.fromkeys(warning["code"] for warning in result.get("warnings") or ()):
        row.append(f"  {code.replace('_', ' ')}", style=WARN)
    return row


def failure_row(event: Json) -> Text:
    """One failed job as one line."""
    row = Text(event["key"].ljust(COLUMNS[0][1]), no_wrap=True, overflow="ellipsis")
    row.append(f"  failed: {event['reason']}", style=LOSS)
    return row


def averages(tally: Any) -> Text:
    """Median and mean side by side, and what holding would have brought."""
    line = Text(no_wrap=True, overflow="ellipsis")
    for name, value in (("median", tally.median("total_return")), ("mean", tally.mean("total_return"))):
        line.append(f"{name} ", style="dim")
        line.append(percent(value), style=f"bold {colour(value)}")
        line.append("   ")
    line.append("positive ", style="dim")
    line.append(f"{tally.positive_count} of {len(tally.results)}   ")
    line.append("median buy & hold ", style="dim")
    line.append(percent(tally.median("buy_hold_return")))
    return line


def title(run: Json, strategy: str, *, generated: bool) -> Text:
    """What is run over what."""
    spec = run["spec"]
    symbols = run["progress"]["total"]
    words = [
        f"{symbols} symbols",
        spec["interval"],
        f"{spec['start'][:10]} → {spec['end'][:10]}",
        spec["source"],
    ]
    line = Text.assemble((strategy, "bold"), " · ", " · ".join(words))
    if generated:
        line.append(" · generated sample", style=WARN)
    return line
