"""A run for other people's tools: each format is a pure function of the journal. Same journal, same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hil.errors import SetupError
from hil.journal.reader import Journal


@dataclass(frozen=True, slots=True)
class Format:
    """A format: what it is called in a file's name, what it is, and whether one file can hold several runs."""

    suffix: str
    what: str
    together: bool = False


FORMATS: dict[str, Format] = {
    "junit": Format(".junit.xml", "JUnit XML, for CI"),
    "atml": Format(".atml.xml", "ATML test results, IEEE 1636.1"),
    "stdf": Format(".stdf", "STDF V4, for yield tools"),
    "csv": Format(".csv", "a table of all measurements, a line an attempt", together=True),
    "parquet": Format(".parquet", "the same table, typed (needs pyarrow)", together=True),
    "dcc": Format(".dcc.xml", "a Digital Calibration Certificate of what the plan names for it"),
}


def render(name: str, journals: Sequence[Journal]) -> bytes:
    """Return the runs in the format of that name; one run only where the format holds no more. Raises SetupError."""
    if name not in FORMATS:
        raise SetupError(f"there is no format {name!r}", f"choose from {', '.join(FORMATS)}")
    if not FORMATS[name].together and len(journals) != 1:
        raise SetupError(f"a file in {name} holds one run, not {len(journals)}", "make one file a run")
    if name == "csv":
        from hil.reports.exports import table

        return table.csv(journals)
    if name == "parquet":
        from hil.reports.exports import table_parquet

        return table_parquet.parquet(journals)
    return _one(name, journals[0])


def _one(name: str, journal: Journal) -> bytes:
    if name == "junit":
        from hil.reports import junit

        return junit.render(journal, journal.folder)
    if name == "atml":
        from hil.reports.exports import atml

        return atml.render(journal)
    if name == "stdf":
        from hil.reports.exports import stdf

        return stdf.render(journal)
    from hil.reports.exports import dcc

    return dcc.render(journal)
