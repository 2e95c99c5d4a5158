"""A board's flux.ai export, read into parts and a chart. What is said is kept as it was said, with its line.

The export is Markdown: a title, project details with the architecture as a mermaid flow chart, then a list of key
components (`### REF — [NAME](link)`, `- Key: value` lines, `**Pins:**` with `- NAME [pin PAD]` lines), then a closing
line. `hil.review.parse.parse` makes a `Document` of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from hil.review.finding import Evidence


@dataclass(frozen=True, slots=True)
class Pin:
    """One pin of a part as its symbol has it. `pads`: the pads it goes to; empty where the export names none."""

    name: str
    pads: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Part:
    """One entry of the component list. `details` is the free text of "Role Details"; a missing field is empty.

    `ref` may occur more than once in a document (that is what rule DR-16 is about): identify a part by (ref, line).
    """

    ref: str
    name: str
    mpn: str
    manufacturer: str
    package: str
    part_type: str
    role: str
    details: str
    pins: tuple[Pin, ...]
    line: int  # of its heading
    details_line: int  # of its role details; the heading's where it has none
    fields: tuple[tuple[str, str], ...] = ()  # every key and value, as written

    @property
    def model(self) -> str:
        """The manufacturer's part number, or the name of the entry where it gives none."""
        return self.mpn or self.name


@dataclass(frozen=True, slots=True)
class Node:
    """One node of the chart. `group`: titles of the subgraphs it stands in, outermost first."""

    id: str
    label: str
    group: tuple[str, ...]
    line: int  # where its label stands; else where it occurs first


@dataclass(frozen=True, slots=True)
class Edge:
    """One arrow of the chart, from node id to node id. `both`: an arrow at both ends, or at none."""

    source: str
    target: str
    label: str
    line: int
    both: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """The architecture chart. Empty where the export has none."""

    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """One export: its file's name, SHA-256 (hex), title, parts in their order, chart, and every line as it stands."""

    name: str
    sha256: str
    title: str
    parts: tuple[Part, ...]
    chart: Chart
    lines: tuple[str, ...] = field(repr=False)

    def cite(self, line: int, text: str = "") -> Evidence:
        """Evidence that is line `line` (from 1) of this document, in its own words unless `text` is given."""
        return Evidence(text or self.lines[line - 1].strip().removeprefix("- "), f"line {line}")

    def quote(self, part: Part) -> Evidence:
        """Evidence that is a part's entry: its designator, model and role details."""
        said = f": {part.details}" if part.details else ""
        return Evidence(f"{part.ref} ({part.model}){said}", f"line {part.details_line}")

    def parts_of(self, ref: str) -> Iterator[Part]:
        """Every part with this designator; more than one where the designator is used twice."""
        return (part for part in self.parts if part.ref == ref)
