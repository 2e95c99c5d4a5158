"""What the certificate calls things: verdicts with their shapes, source marks.

A verdict is told apart by its word and its shape; colour only helps.
"""

from __future__ import annotations

from dataclasses import dataclass

_RING = "M8 1a7 7 0 1 0 0 14A7 7 0 1 0 8 1z"


@dataclass(frozen=True, slots=True)
class VerdictWord:
    """How a verdict is written and drawn; the shape is an SVG path on 16 x 16, filled by the even-odd rule."""

    word: str
    shape: str


VERDICTS: dict[str, VerdictWord] = {
    "pass": VerdictWord("Pass", _RING + "M4 8.3l1.3-1.4 1.9 1.9 3.7-4 1.4 1.3-5.1 5.4z"),
    "conditional_pass": VerdictWord("Conditional pass", _RING + "M8 2.6a5.4 5.4 0 0 1 0 10.8z"),
    "conditional_fail": VerdictWord("Conditional fail", "M1 1h14v14H1zM8 2.8v10.4h5.2V2.8z"),
    "fail": VerdictWord(
        "Fail",
        "M5 .8h6L15.2 5v6L11 15.2H5L.8 11V5z"
        "M4.2 5.6L6.6 8l-2.4 2.4 1.4 1.4L8 9.4l2.4 2.4 1.4-1.4L9.4 8l2.4-2.4-1.4-1.4L8 6.6 5.6 4.2z",
    ),
    "aborted": VerdictWord("Aborted", "M8 .8L15.6 15H.4zM7 5.5v5h2v-5zM7 11.5v2h2v-2z"),
    "refused": VerdictWord("Refused", "M1 1h14v14H1zM2.6 2.6v10.8h10.8V2.6zM4 7.2h8v1.6H4z"),
    "waived": VerdictWord("Waived", "M8 .3L15.7 8 8 15.7.3 8zM8 2.9L2.9 8 8 13.1 13.1 8z"),
    "not_covered": VerdictWord("Not covered", _RING + "M8 2.6a5.4 5.4 0 1 1 0 10.8A5.4 5.4 0 1 1 8 2.6z"),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """What stands behind a limit's figures, and the sign printed beside each limit that has it."""

    sign: str
    short: str
    text: str


_NRC = "not re-checked"
MARKS: dict[str, Mark] = {
    "checked": Mark("", "checked", "read in its source and compared"),
    "datasheet": Mark("", "data sheet", "the maker's published figure"),
    "computed": Mark("", "computed", "computed from figures that are stated"),
    "design": Mark("", "design", "set by the design of this board"),
    "nrc": Mark(
        "†", _NRC, "quoted from the standard from general knowledge, not re-checked against the bought standard"
    ),
    "nrc?": Mark("†", _NRC, "quoted from memory with low confidence, not re-checked against the bought standard"),
    "assumption": Mark("‡", "assumption", "a planning value that the board's owner has not confirmed"),
}
