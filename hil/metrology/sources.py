"""Which limits of a run nobody has compared with the bought text: pure, from what the journal records of each limit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

CHECKED = frozenset({"checked"})


class Judged(Protocol):
    """What has a limit: the journal's Measurement."""

    @property
    def limit(self) -> Mapping[str, Any] | None:
        """Standard, edition, table, clause, row, source_mark; None where no limit covers the point."""


@dataclass(frozen=True, slots=True)
class UnverifiedRow:
    """One row of a table that is not verified, and how many measurements were judged by it."""

    standard: str
    edition: str
    clause: str
    table: str
    row: str
    source_mark: str
    used: int

    def __str__(self) -> str:
        where = ", ".join(part for part in (self.clause, self.table, self.row) if part)
        times = f"{self.used} measurement{'s' if self.used != 1 else ''}"
        return f"{self.standard}:{self.edition}, {where} ({self.source_mark}; {times})"


def unverified(measurements: Iterable[Judged], verified: Collection[str] = CHECKED) -> tuple[UnverifiedRow, ...]:
    """Return the rows behind the measurements' limits whose source mark is not in `verified`, by first use."""
    used: dict[tuple[str, str, str, str, str, str], int] = {}
    for one in measurements:
        if one.limit is None or one.limit.get("source_mark") in verified:
            continue
        said = {name: str(text or "") for name, text in one.limit.items()}.get
        key = (
            said("standard", ""),
            said("edition", ""),
            said("clause", ""),
            said("table", ""),
            said("row", ""),
            said("source_mark", ""),
        )
        used[key] = used.get(key, 0) + 1
    return tuple(
        UnverifiedRow(standard, edition, clause, table, row, mark, count)
        for (standard, edition, clause, table, row, mark), count in used.items()
    )


def in_words(rows: Collection[UnverifiedRow]) -> str:
    """Say in one sentence how many rows are unverified and how often they were used; empty when there are none."""
    if not rows:
        return ""
    count = sum(row.used for row in rows)
    many = "1 row" if len(rows) == 1 else f"{len(rows)} rows"
    return (
        f"{count} measurement{'s were' if count != 1 else ' was'} judged by {many} of tables "
        f"that nobody has compared with the source they quote"
    )
