"""What a person reads on the terminal after a run."""

from __future__ import annotations

from hil.journal.summary import RequirementSummary, RunSummary
from hil.metrology.decision import Verdict
from hil.run.words import counted, headline, stands_out


def requirement(name: str, verdict: Verdict) -> RequirementSummary:
    """A required requirement with a long reason."""
    return RequirementSummary(name, "Title", "area", True, verdict, "because " * 60, (), (), False)


ENDED = RunSummary(
    Verdict.FAIL,
    1,
    "failed: F1",
    (
        *(requirement(f"M{n}", Verdict.ABORTED) for n in range(20)),
        requirement("F1", Verdict.FAIL),
        requirement("P1", Verdict.PASS),
    ),
    {"pass": 4, "fail": 1, "refused": 0},
)


def test_it_is_short_and_names_what_failed_first() -> None:
    """Failures come before what was merely not measured; what there is more of is counted; lines fit a terminal."""
    assert headline("SP-000123", ENDED) == "SP-000123: FAIL - failed: F1"
    assert counted(ENDED) == [
        "  requirements: 20 aborted, 1 fail, 1 pass; 0 not required at this stage",
        "  measurements: 4 pass, 1 fail",
    ]
    lines = stands_out(ENDED)
    assert lines[0].startswith("  F1 fail: Title: because")
    assert lines[-1] == "  and 13 more: see the certificate"
    assert len(lines) == 9
    assert max(map(len, lines)) <= 142
    assert not any(line.startswith("  P1") for line in lines)
