"""The reader of exports: what it takes, and what it refuses with which sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import SetupError
from hil.review.parse import LONGEST_LINE, MOST_BYTES, parse, read
from hil.review.review import review

HERE = Path(__file__).parent
FIXTURE = (HERE / "smart_power.md").read_bytes()
SMALL = (HERE / "boards" / "c3_relay.md").read_bytes()


def test_the_fixture_is_read_whole():
    """99 entries, their pins with pads, and the chart with the subgraph each block stands in."""
    document = parse(FIXTURE, "smart_power.md")

    assert len(document.parts) == 99
    ic1 = next(document.parts_of("IC1"))
    assert (ic1.mpn, ic1.role, ic1.part_type) == ("ESP32-S3-WROOM-1-N16R8", "MCU Module", "Module")
    assert next(pin.pads for pin in ic1.pins if pin.name == "IO0") == ("27",)
    assert [node.group for node in document.chart.nodes if node.label == "5V_MAIN"] == [("Supplies",)]
    assert len(list(document.parts_of("J46"))) == 3


def test_a_fact_remembers_its_line():
    """The line cited for a part's details is the line of the file that says it."""
    document = parse(SMALL, "plug.md")
    (relay,) = document.parts_of("K1")

    cited = document.quote(relay)

    assert cited.source == "line 20"
    assert SMALL.decode().splitlines()[19] == "- Role Details: Relay that switches live"


def test_pins_named_by_a_sign_and_pins_without_a_pad_are_pins():
    """A buzzer's pins are called "-" and "+", and need not name a pad."""
    document = parse(FIXTURE, "x.md")
    (buzzer,) = document.parts_of("BZ1")

    assert [(pin.name, pin.pads) for pin in buzzer.pins] == [("-", ()), ("+", ())]


def test_windows_line_ends_and_a_byte_order_mark_change_nothing_but_the_digest():
    """The same board, saved by another editor."""
    other = b"\xef\xbb\xbf" + SMALL.replace(b"\n", b"\r\n")

    read_again, first = parse(other, "x.md"), parse(SMALL, "x.md")

    assert (read_again.parts, read_again.chart) == (first.parts, first.chart)
    assert read_again.sha256 != first.sha256


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "no '## Key Components'"),
        (b"# A wiring diagram\n\nConnect A to A.\n", "no '## Key Components'"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "byte 0 is not UTF-8"),
        (b"# X\x00\n", "binary data"),
        (FIXTURE[: FIXTURE.index(b"### J30")], "cut short"),
        (FIXTURE[: FIXTURE.index(b"## Key Components")], "no '## Key Components'"),
        (b"# X\n## Key Components\n---\n", "the list of key components is empty"),
        (SMALL.replace(b"### K1 ", b"### "), "no component's heading"),
        (SMALL.replace(b"- Role Details: Relay that", b"Relay that"), "not a line of component K1"),
        (SMALL.replace(b"flowchart TD", b"sequenceDiagram"), "no flow chart"),
        (SMALL.replace(b'C3["ESP32-C3-MINI-1"]', b'C3["ESP32-C3-MINI-1'), "a label that does not end"),
        (SMALL.replace(b"C3 --> LED[", b"C3 LED["), "no arrow where one is due"),
        (SMALL.replace(b"flowchart TD", b"flowchart TD\nsubgraph A"), "subgraph 'A' does not end"),
        (SMALL.replace(b"flowchart TD", b"flowchart TD\nend"), "'end' without a subgraph"),
        (SMALL.replace(b"Plug with", b"x" * (LONGEST_LINE + 1)), f"a line of {LONGEST_LINE + 13} characters"),
        (SMALL + b"\n" * MOST_BYTES, "larger than 1 MiB"),
        (SMALL.replace(b"flowchart TD", b"flowchart TD\n" + b" --> ".join([b" & ".join([b"A"] * 150)] * 2)),
         "more than 10000 arrows"),
    ],
)  # fmt: skip
def test_what_is_no_export_is_refused_with_a_sentence_that_names_the_file(raw, sentence):
    """One line, with what is wrong and where."""
    with pytest.raises(SetupError) as refused:
        parse(raw, "thing.md")

    assert str(refused.value).startswith("thing.md")
    assert sentence in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    """By its name."""
    with pytest.raises(SetupError, match=r"gone\.md: cannot be read"):
        read(tmp_path / "gone.md")


def test_a_large_file_is_refused_before_it_is_read(tmp_path):
    """Its size is looked at first."""
    path = tmp_path / "large.md"
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)

    with pytest.raises(SetupError, match="larger than"):
        read(path)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(SMALL) - 1), st.integers(0, 40), st.binary(max_size=12))
def test_a_damaged_export_is_reviewed_or_refused_and_nothing_else(at, gone, put):
    """Whatever is cut out or put in: a review, or one sentence."""
    raw = SMALL[:at] + put + SMALL[at + gone :]

    try:
        done = review(parse(raw, "x.md"))
    except SetupError:
        return

    assert len(done.rules) == 38
    assert all(finding.evidence and finding.remedy for finding in done.findings)


def test_an_export_without_a_chart_is_read():
    """A project need not have one: the list alone is judged."""
    start, end = SMALL.index(b"- **System"), SMALL.index(b"## Key")

    document = parse(SMALL[:start] + SMALL[end:], "x.md")

    assert document.chart.nodes == ()
    assert len(document.parts) == 4
