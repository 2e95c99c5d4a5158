"""Mermaid flow charts, as far as flux.ai writes them: nodes of any shape, chains of arrows, subgraphs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from hil.review.document import Chart, Edge, Node

MOST_NODES = 2000
MOST_EDGES = 10_000
_HEADER = re.compile(r"(?:flowchart|graph)(?:\s+(?:TB|TD|BT|RL|LR))?\s*;?$")
_IGNORED = re.compile(r"(?:%%|classDef\b|class\b|style\b|linkStyle\b|click\b|direction\b|accTitle\b|accDescr\b|---$)")
_SUBGRAPH = re.compile(r'subgraph\s+(?:(\w[\w.-]*)\s*\[\s*"?([^"\]]*)"?\s*\]|"?([^"]+?)"?)\s*;?$')
_ID = re.compile(r"\w(?:\w|[.-](?=\w))*")
_LINK = re.compile(
    r"\s*(?P<tail><)?(?:"
    r"(?:--|==|-\.)\s+(?P<text>[^->=|][^>|]*?)\s+(?:-{2,}|={2,}|\.-)(?P<head1>[>ox]?)"
    r"|(?:-{2,}|={2,}|-\.+-|~{3,})(?P<head2>[>]|[ox](?=\s))?"
    r")\s*(?:\|\s*\"?(?P<label>[^|\"]*)\"?\s*\|)?\s*"
)
_SHAPES = (
    ("(((", ")))"), ("([", "])"), ("[[", "]]"), ("[(", ")]"), ("((", "))"), ("{{", "}}"),
    ("[/", "/]"), ("[\\", "\\]"), ("[", "]"), ("(", ")"), ("{", "}"), (">", "]"),
)  # fmt: skip


class ChartError(ValueError):
    """A line of the chart that is no flow chart. `line` counts from 1 in the document."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(line, why)
        self.line, self.why = line, why


@dataclass
class _Reader:
    nodes: dict[str, Node] = field(default_factory=dict)
    labelled: set[str] = field(default_factory=set)
    edges: list[Edge] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)

    def node(self, text: str, at: int, line: int) -> tuple[str, int]:
        """Read one node at position `at`; return its id and the position after it."""
        matched = _ID.match(text, at)
        if matched is None:
            raise ChartError(line, f"no node where one is due: {text[at : at + 40]!r}")
        name, at = matched.group(), matched.end()
        label = ""
        for opening, closing in _SHAPES:
            if text.startswith(opening, at):
                label, at = _label(text, at + len(opening), closing, line)
                break
        label = " ".join(label.split())
        klass = re.compile(r":::\w+").match(text, at)
        at = klass.end() if klass else at
        self.known(name, label, line)
        return name, at

    def known(self, name: str, label: str, line: int) -> None:
        if name not in self.nodes or (label and name not in self.labelled):
            self.nodes[name] = Node(name, label or name, tuple(self.groups), line)
            if label:
                self.labelled.add(name)
        if len(self.nodes) > MOST_NODES:
            raise ChartError(line, f"more than {MOST_NODES} nodes")

    def several(self, text: str, at: int, line: int) -> tuple[list[str], int]:
        """Read `A & B & C`."""
        name, at = self.node(text, at, line)
        names = [name]
        while (ampersand := re.compile(r"\s+&\s+").match(text, at)) is not None:
            name, at = self.node(text, ampersand.end(), line)
            names.append(name)
        return names, at

    def statement(self, text: str, line: int) -> None:
        sources, at = self.several(text, 0, line)
        while text[at:].strip(" \t;"):
            link = _LINK.match(text, at)
            if link is None:
                raise ChartError(line, f"no arrow where one is due: {text[at : at + 40]!r}")
            targets, at = self.several(text, link.end(), line)
            head = link["head1"] or link["head2"] or ""
            label = (link["text"] or link["label"] or "").strip()
            both = bool(link["tail"]) if head == ">" else True
            if len(self.edges) + len(sources) * len(targets) > MOST_EDGES:
                raise ChartError(line, f"more than {MOST_EDGES} arrows")
            self.edges += [Edge(source, target, label, line, both) for source in sources for target in targets]
            sources = targets


def _label(text: str, at: int, closing: str, line: int) -> tuple[str, int]:
    """Read a node's label up to its closing bracket; quotes protect brackets inside."""
    if text.startswith('"', at):
        end = text.find('"', at + 1)
        if end < 0 or not text.startswith(closing, end + 1):
            raise ChartError(line, f"a label that does not end: {text[at : at + 40]!r}")
        return text[at + 1 : end].strip(), end + 1 + len(closing)
    end = text.find(closing, at)
    if end < 0:
        raise ChartError(line, f"a label that does not end: {text[at : at + 40]!r}")
    return text[at:end].strip(), end + len(closing)


def read_chart(lines: Sequence[tuple[int, str]]) -> Chart:
    """Read the chart's lines (line number from 1, text); raise ChartError at the first that is no flow chart."""
    reader = _Reader()
    if not lines:
        return Chart()
    first, header = lines[0]
    if not _HEADER.match(header.strip()):
        raise ChartError(first, f"the architecture is no flow chart: {header.strip()[:40]!r}")
    for line, raw in lines[1:]:
        text = raw.strip()
        if not text or text.startswith("```") or _IGNORED.match(text):
            continue
        if text.rstrip(";") == "end":
            if not reader.groups:
                raise ChartError(line, "'end' without a subgraph")
            reader.groups.pop()
        elif text.startswith("subgraph"):
            matched = _SUBGRAPH.match(text)
            if matched is None:
                raise ChartError(line, f"a subgraph without a name: {text[:40]!r}")
            reader.groups.append((matched[2] or matched[3] or matched[1]).strip())
        else:
            reader.statement(text, line)
    if reader.groups:
        raise ChartError(lines[-1][0], f"subgraph {reader.groups[-1]!r} does not end")
    return Chart(tuple(reader.nodes.values()), tuple(reader.edges))
