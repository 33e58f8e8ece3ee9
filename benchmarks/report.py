"""How benchmarks show and keep their figures."""

import os
import platform
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

RESULTS = Path(__file__).parent / "results"


@dataclass
class Table:
    """Rows of a name and some figures."""

    title: str
    columns: list[str]
    rows: list[list[str]] = field(default_factory=list)

    def add(self, name: str, *figures: float | None) -> None:
        """Add a row; None leaves a cell empty."""
        self.rows.append([name, *("" if figure is None else _rounded(figure) for figure in figures)])

    def print(self) -> None:
        """Print the table with aligned columns."""
        widths = [max(len(row[i]) for row in [self.columns, *self.rows]) for i in range(len(self.columns))]
        print(f"\n{self.title}")
        for row in [self.columns, *self.rows]:
            cells = [
                row[0].ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
            print("  ".join(cells).rstrip())


def save(name: Path, figures: dict[str, Any]) -> None:
    """Keep figures as JSON in `benchmarks/results/`, with the machine they were measured on."""
    RESULTS.mkdir(exist_ok=True)
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}
    (RESULTS / name).write_bytes(orjson.dumps({"machine": machine, **figures}, option=orjson.OPT_INDENT_2))


def _rounded(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 1000 else f"{figure:.3g}"
