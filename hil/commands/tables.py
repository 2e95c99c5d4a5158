"""A table on the terminal, and the same table, uncut, in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from hil.names import printable

_WIDE_ENOUGH = 1000  # columns: nothing is cut where no terminal limits the width


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, whole: int = 0, figures_from: int | None = None
) -> None:
    """Print rows under their columns; the first `whole` columns are never broken into lines.

    From column `figures_from` on they are figures, which stand to the right.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=whole > 0)
    for number, column in enumerate(columns):
        right = figures_from is not None and number >= figures_from
        table.add_column(column, overflow="fold", no_wrap=number < whole, justify="right" if right else "left")
    for row in rows:
        table.add_row(*map(printable, row))
    console = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else _WIDE_ENOUGH)
    console.print(table)
