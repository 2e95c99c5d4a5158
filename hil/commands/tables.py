"""A table on the terminal, and the same table, uncut, in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from hil.names import printable

_WIDE_ENOUGH = 1000  # columns: nothing is cut where no terminal limits the width


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under their columns."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*map(printable, row))
    console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else _WIDE_ENOUGH)
    console.print(table)
