"""What a person reads on the terminal after a run."""

from __future__ import annotations

from dataclasses import replace

from hil.journal.events import Measurement, RunStarted
from hil.journal.summary import RequirementSummary, RunSummary
from hil.metrology.decision import Verdict
from hil.run.words import counted, decided, headline, stands_out


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


def judged(name: str, value: float, risk: float, verdict: str = "pass", **changes: object) -> Measurement:
    """A measurement in % within +/- 1 %, of U = 0.2 %."""
    kind = "specific producer" if "fail" in verdict else "specific consumer"
    judgement = {"expanded_u": 0.2, "k": 1.96, "risk": risk, "risk_kind": kind, **changes}
    return Measurement(
        "t", name, "R1", value, "%", 0.1, float("inf"), -1.0, 1.0, None, "ilac", verdict, judgement=judgement
    )


DECISION = {
    "rule": "ilac-g8-non-binary",
    "clause": "ILAC-G8:09/2019, 4.2.3",
    "minimum_tur": 1.5,
    "screen": "z540.3-method-6",
    "screen_short": "ANSI/NCSL Z540.3 method 6, PFA <= 2 %",
}


def started(decision: dict[str, object]) -> RunStarted:
    """The first line of a run that decided so."""
    return RunStarted("SP-1", "b", "A", "production", "sim", True, "", {}, {}, "", 0, decision=decision)


def summary_of(*measurements: Measurement) -> RunSummary:
    """A run of one requirement."""
    one = RequirementSummary("R1", "Title", "area", True, Verdict.PASS, "", measurements, (), False)
    counts = {str(word): sum(m.verdict == word for m in measurements) for word in Verdict}
    return RunSummary(Verdict.PASS, 0, "", (one,), counts)


def test_it_says_by_what_it_was_decided_and_what_came_closest() -> None:
    """Rule, screen, the largest risk that was accepted, and the closest of each kind with U, k, limit and risk."""
    out = judged("d.close[n=1]", 0.97, 0.4, "conditional_pass", screen={"verdict": "fail"})
    summary = summary_of(
        judged("a.far[n=1]", 0.1, 0.0),
        judged("b.near[n=1]", -0.8, 0.025),
        judged("b.near[n=2]", 0.7, 0.01),
        out,
        judged("e.out[n=1]", 1.05, 0.31, "conditional_fail"),
    )

    assert decided([started(DECISION)], summary) == [
        "  decision rule: ilac-g8-non-binary (ILAC-G8:09/2019, 4.2.3); not judged below TUR 1.5",
        "  screen: z540.3-method-6 (ANSI/NCSL Z540.3 method 6, PFA <= 2 %); 1 of 5 measurements screened out",
        "  largest specific consumer's risk of an accepted value: 40 %, d.close[n=1]",
        "  closest to their limits, measured by U, one of a kind:",
        "    e.out[n=1] = 1.05 %, U = 0.20 % (k = 1.96), limit 1 %, risk 31 %, conditional fail",
        "    d.close[n=1] = 0.97 %, U = 0.20 % (k = 1.96), limit 1 %, risk 40 %, conditional pass, screened out",
        "    b.near[n=1] = -0.80 %, U = 0.20 % (k = 1.96), limit -1 %, risk 2.5 %",
    ]


def test_a_conditional_verdict_is_as_large_as_the_others() -> None:
    """It stands in the headline, counted; a record of format 1 says nothing of rules."""
    summary = summary_of(judged("a[n=1]", 0.97, 0.4, "conditional_pass"))

    assert headline("SP-1", summary) == "SP-1: PASS, 1 CONDITIONAL_PASS"
    assert decided([started({})], summary) == []


def test_long_names_do_not_break_a_line() -> None:
    """Lines fit a terminal of 140 columns."""
    lines = decided([started(DECISION)], summary_of(judged(f"{'long' * 40}[n=1]", 0.97, 0.4)))

    assert max(map(len, lines)) <= 140


def test_the_time_that_adaptive_points_saved_is_told() -> None:
    """Of the points that have an effort; a run without any says nothing of it."""
    effort = {"readings": 3, "took_s": 6.0, "fixed_s": 20.0, "ended": "U reached"}
    lines = decided([started(DECISION)], summary_of(replace(judged("m[n=1]", 0.2, 1e-6), effort=effort)))

    assert "  adaptive points: measured for 6 s, where fixed windows would have taken 20 s" in lines
