"""Mermaid flow charts: shapes, arrows, chains, groups."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.review.chart import ChartError, read_chart


def chart(*lines: str):
    return read_chart([(number, line) for number, line in enumerate(("flowchart TD", *lines), 1)])


@pytest.mark.parametrize(
    "drawn",
    ["A[x y]", 'A["x y"]', "A(x y)", "A([x y])", "A[[x y]]", "A[(x y)]", "A((x y))", "A(((x y)))", "A{x y}", "A{{x y}}",
     "A>x y]", "A[/x y/]", "A[x  y]:::warm"],
)  # fmt: skip
def test_every_shape_gives_its_label(drawn):
    """The shape says nothing about the block."""
    (node,) = chart(drawn).nodes

    assert (node.id, node.label) == ("A", "x y")


@pytest.mark.parametrize(
    ("drawn", "label", "both"),
    [
        ("A --> B", "", False),
        ("A-->B;", "", False),
        ("A ----> B", "", False),
        ("A -.-> B", "", False),
        ("A ==> B", "", False),
        ("A -->|50 MHz| B", "50 MHz", False),
        ("A -- 50 MHz --> B", "50 MHz", False),
        ("A == 50 MHz ==> B", "50 MHz", False),
        ("A -. 50 MHz .-> B", "50 MHz", False),
        ("A --- B", "", True),
        ("A <--> B", "", True),
    ],
)
def test_every_arrow_is_an_edge(drawn, label, both):
    """From the block it starts at to the block it ends at; a line without a head runs both ways."""
    (edge,) = chart(drawn).edges

    assert (edge.source, edge.target, edge.label, edge.both) == ("A", "B", label, both)


def test_a_chain_and_an_ampersand_are_several_edges():
    """As mermaid has it."""
    edges = chart("A --> B & C --> D").edges

    assert [(edge.source, edge.target) for edge in edges] == [("A", "B"), ("A", "C"), ("B", "D"), ("C", "D")]


def test_a_label_may_hold_brackets_arrows_and_semicolons_in_quotes():
    """Quotes protect them."""
    (node,) = chart('A["x (y) --> [z]; w"]').nodes

    assert node.label == "x (y) --> [z]; w"


def test_a_label_may_come_after_the_first_use_and_its_line_is_where_it_stands():
    """An arrow may name a block before the chart says what it is."""
    found = chart("A --> B", "B[Meter] --> C")

    assert [(node.id, node.label, node.line) for node in found.nodes] == [
        ("A", "A", 2),
        ("B", "Meter", 3),
        ("C", "C", 3),
    ]


def test_groups_nest_and_styles_are_passed_over():
    """Colours mean nothing here."""
    found = chart("subgraph P [Power]", "%% note", "subgraph In", "A --> B", "end", "style A fill:#fff", "C", "end")

    assert [node.group for node in found.nodes] == [("Power", "In"), ("Power", "In"), ("Power",)]


def test_what_is_no_chart_is_refused_with_its_line():
    """And with what was found there."""
    with pytest.raises(ChartError) as refused:
        chart("A --> B", "this is prose")

    assert refused.value.line == 3


@given(st.lists(st.text('AB[]"(){}-=.<>|& ;x', max_size=30), max_size=4))
def test_no_text_does_more_than_be_refused(lines):
    """A chart, or a ChartError."""
    try:
        found = chart(*lines)
    except ChartError:
        return

    known = {node.id for node in found.nodes}
    assert all(edge.source in known and edge.target in known for edge in found.edges)
