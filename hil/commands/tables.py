"""Tables and sentences, broken where a terminal ends and whole in a pipe."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence

from hil.names import one_line, printable

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


def say(sentences: Iterable[str]) -> None:
    """Print each sentence on a line of its own, or as many as it takes."""
    for sentence in map(one_line, sentences):
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else len(sentence) + 1
        print(textwrap.fill(sentence, max(width, 20), subsequent_indent="  ", break_on_hyphens=False))
