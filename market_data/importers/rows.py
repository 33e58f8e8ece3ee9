"""Some neighbouring rows of a table, before anyone knows what its columns mean."""

from dataclasses import dataclass

import pyarrow as pa

from market_data.errors import FileRefusedError
from market_data.importers.layout import HEADERLESS


@dataclass(frozen=True, slots=True)
class Rows:
    """Some neighbouring rows of a table, as they are written there.

    Attributes
    ----------
    table
        Text for CSV, typed columns for the other formats.
    first_row
        What to call the first of them: its line in a CSV, its number from 1 in the others.
    unit
        "line" or "row".
    make
        What make of table it is, if it has no header that would tell.
    share
        The share of the table, 0 to 1, that ends with these rows; of a packed one, of its packed bytes.
    """

    table: pa.Table
    first_row: int
    unit: str
    make: str = ""
    share: float = 1.0


def without_header(width: int, name: str, where: str) -> tuple[str, list[str]]:
    """What make a table without a header is, by its number of columns, and what they are.

    Raises
    ------
    FileRefusedError
        If no table of that width is known.
    """
    if width not in HEADERLESS:
        raise FileRefusedError(
            f"{name}, {where}: {width} values and no header; tables without one have 6, 7, 8 or 12 columns."
        )
    make, columns = HEADERLESS[width]
    return make, columns.split()
