"""How a run ends: never better than the knowledge behind it."""

import pytest

from hil.journal.events import Instrument, Note, RunFinished, SafeState, TestFinished, TestStarted, Waiver
from hil.journal.summary import conclude, ending, summarise

TEST = "t.py::test_power"


def ended(verdict="pass", blame="", reason="", test=TEST, requirement=("MET-05",)):
    return TestFinished(test, requirement, verdict, blame, reason)


@pytest.fixture
def run(make):
    """Conclude a run of one required requirement with two points, from what happened in it."""

    def conclude_run(*happened, requirements=None, **options):
        rows = requirements or [make.asked("MET-05", ["p[n=1]", "p[n=2]"])]
        return conclude([make.start(rows), TestStarted(TEST, ("MET-05",)), *happened], **options)

    return conclude_run


def test_all_points_measured_and_passed_is_a_pass(run, make):
    """The only way to exit code 0."""
    summary = run(make.measured("p[n=1]"), make.measured("p[n=2]"), ended())

    assert (summary.verdict, summary.exit_code, summary.reason) == ("pass", 0, "")
    assert summary.requirements[0].verdict == "pass"
    assert summary.counts["pass"] == 2


def test_a_point_out_of_limits_fails_the_requirement_and_the_run(run, make):
    """Exit code 1, with the name of the point."""
    summary = run(make.measured("p[n=1]", "fail", reason="outside"), make.measured("p[n=2]"), ended("fail", "unit"))

    assert (summary.verdict, summary.exit_code) == ("fail", 1)
    assert summary.reason == "failed: MET-05"
    assert summary.requirements[0].reason == "p[n=1]: outside"


def test_a_point_nobody_measured_is_named(run, make):
    """Required and missing: aborted with its name, exit code 3, never pass."""
    summary = run(make.measured("p[n=1]"), ended())

    assert (summary.verdict, summary.exit_code) == ("aborted", 3)
    assert summary.requirements[0].missing == ("p[n=2]",)
    assert summary.requirements[0].verdict == "aborted"
    assert "p[n=2]" in summary.reason


def test_a_missing_point_does_not_hide_a_failed_one(run, make):
    """Something of the unit failed, so the unit fails; what is missing is still listed."""
    summary = run(make.measured("p[n=1]", "fail"), ended("fail", "unit"))

    assert (summary.verdict, summary.exit_code) == ("fail", 1)
    assert summary.requirements[0].missing == ("p[n=2]",)


@pytest.mark.parametrize(
    ("verdict", "run_verdict", "exit_code"),
    [
        ("conditional_pass", "pass", 0),
        ("conditional_fail", "fail", 1),
        ("refused", "aborted", 3),
        ("not_covered", "aborted", 3),
    ],
)
def test_what_is_not_a_plain_pass_says_so(run, make, verdict, run_verdict, exit_code):
    """The requirement takes the worst verdict of its points; of these only conditional pass lets the run pass."""
    summary = run(make.measured("p[n=1]", verdict), make.measured("p[n=2]"), ended())

    assert summary.requirements[0].verdict == verdict
    assert (summary.verdict, summary.exit_code) == (run_verdict, exit_code)
    assert summary.counts[verdict] == 1


def screened(verdict):
    return {"judgement": {"screen": {"rule": "z540.3-method-6", "verdict": verdict}}}


@pytest.mark.parametrize(
    ("verdict", "screen", "stands", "run_verdict", "exit_code"),
    [
        ("pass", "pass", "pass", "pass", 0),
        ("conditional_pass", "pass", "conditional_pass", "pass", 0),
        ("pass", "fail", "fail", "fail", 1),
        ("conditional_pass", "fail", "fail", "fail", 1),
        ("conditional_fail", "fail", "conditional_fail", "fail", 1),
        ("pass", "refused", "refused", "aborted", 3),
        ("refused", "refused", "refused", "aborted", 3),
    ],
)
def test_what_the_screen_rejects_fails_the_requirement(run, make, verdict, screen, stands, run_verdict, exit_code):
    """The measurement keeps its verdict and is counted by it; its reason becomes that of the requirement."""
    one = make.measured("p[n=1]", verdict, reason="because of the screen", **screened(screen))
    summary = run(one, make.measured("p[n=2]"), ended("fail" if stands == "fail" else "pass", "unit"))

    assert summary.requirements[0].verdict == stands
    assert (summary.verdict, summary.exit_code) == (run_verdict, exit_code)
    assert summary.counts[verdict] >= 1
    if stands != "pass":
        assert summary.requirements[0].reason == "p[n=1]: because of the screen"


def test_the_last_attempt_counts_and_the_retry_is_told(run, make):
    """A pass at the second attempt is a pass that is printed as one, and a fail at the second is a fail."""
    good = run(make.measured("p[n=1]", "fail"), make.measured("p[n=1]", attempt=2), make.measured("p[n=2]"), ended())
    bad = run(
        make.measured("p[n=1]"), make.measured("p[n=1]", "fail", attempt=2), make.measured("p[n=2]"), ended("fail")
    )

    assert (good.verdict, good.requirements[0].retried) == ("pass", True)
    assert (bad.verdict, bad.requirements[0].retried) == ("fail", True)
    assert [m.attempt for m in good.requirements[0].measurements] == [2, 1]


def test_a_bench_fault_never_fails_a_unit(run, make):
    """Exit code 3, even if something had failed before, and the reason is the bench's."""
    summary = run(
        make.measured("p[n=1]", "fail"),
        ended("fail", "unit"),
        ended("aborted", "bench", "PowerMeter: silent", test="t2"),
    )

    assert (summary.verdict, summary.exit_code) == ("aborted", 3)
    assert "PowerMeter: silent" in summary.reason


def test_a_setup_fault_has_its_own_code(run):
    """Exit code 4: mend the set-up."""
    assert run(ended("aborted", "setup", "no such station")).exit_code == 4


def test_an_interruption_outranks_everything(run):
    """Exit code 2."""
    summary = run(ended("aborted", "bench", "x"), interrupted=True)

    assert (summary.verdict, summary.exit_code) == ("aborted", 2)


def test_nothing_tested_is_not_a_pass(run):
    """Exit code 5."""
    assert run().exit_code == 5


def test_a_bench_that_is_not_proven_safe_aborts_the_run(run, make):
    """Until a later safe state proves it."""
    points = (make.measured("p[n=1]"), make.measured("p[n=2]"), ended())
    unsafe, safe = SafeState("run", "load does not answer", {}, False), SafeState("guard", "", {}, True)

    assert run(*points, unsafe).exit_code == 3
    assert "load does not answer" in run(*points, unsafe).reason
    assert run(*points, unsafe, safe).exit_code == 0


def test_a_failed_test_fails_only_what_its_measurements_do_not_clear(run, make):
    """A test of two requirements fails by a point of one; the other, measured there and passed, passes."""
    rows = [make.asked("MET-05", ["a"]), make.asked("MET-07", ["b"]), make.asked("MET-08")]
    both = ("MET-05", "MET-07", "MET-08")
    points = (make.measured("a", "fail"), make.measured("b", requirement="MET-07"))
    summary = run(*points, ended("fail", "unit", "a is out", requirement=both), requirements=rows)

    assert [one.verdict for one in summary.requirements] == ["fail", "pass", "fail"]


def test_a_failed_assertion_fails_all_requirements_of_the_test(run, make):
    """Nothing was out of limits, so the failure belongs to whatever the test was about."""
    rows = [make.asked("MET-05", ["a"]), make.asked("MET-07", ["b"])]
    points = (make.measured("a"), make.measured("b", requirement="MET-07"))
    finished = ended("fail", "unit", "unit rebooted", requirement=("MET-05", "MET-07"))
    summary = run(*points, finished, requirements=rows)

    assert [one.verdict for one in summary.requirements] == ["fail", "fail"]
    assert "unit rebooted" in summary.requirements[0].reason


def test_a_failed_test_without_a_requirement_fails_the_run(run, make):
    """Nothing that went wrong with the unit is lost because nobody wrote down what it proves."""
    points = (make.measured("p[n=1]"), make.measured("p[n=2]"), ended())
    summary = run(*points, ended("fail", "unit", "smoke", test="t2", requirement=()))

    assert (summary.verdict, summary.exit_code) == ("fail", 1)


def test_what_is_not_required_is_listed_as_what_it_is(run, make):
    """Not measured: not_covered and why. Measured: its real verdict, marked, and no influence on the run."""
    rows = [
        make.asked("MET-05", ["a"]),
        make.asked("ETH-01", ["e"], required=False, why="interlocks come later"),
        make.asked("MET-06", ["x"], required=False),
    ]
    points = (make.measured("a"), make.measured("x", "fail", requirement="MET-06"), ended())
    summary = run(*points, requirements=rows)
    _, ethernet, extra = summary.requirements

    assert summary.exit_code == 0
    assert (ethernet.verdict, ethernet.reason) == ("not_covered", "not required: interlocks come later")
    assert extra.verdict == "fail"
    assert extra.reason.startswith("not required")


def test_points_the_plan_does_not_need_count_when_they_fail(run, make):
    """An uncovered extra point demotes nothing; a failed one does."""
    rows = [make.asked("MET-05", ["a"])]

    assert run(make.measured("a"), make.measured("b", "not_covered"), ended(), requirements=rows).exit_code == 0
    assert run(make.measured("a"), make.measured("b", "fail"), ended("fail"), requirements=rows).exit_code == 1


def test_a_requirement_that_nothing_tested_is_aborted(run, make):
    """Neither a point nor a test speaks for it."""
    rows = [make.asked("MET-05", ["a"]), make.asked("MET-09")]
    summary = run(make.measured("a"), ended(), requirements=rows)

    assert summary.requirements[1].verdict == "aborted"
    assert (summary.exit_code, "MET-09" in summary.reason) == (3, True)


def test_a_waiver_lets_the_run_pass_and_stays_visible(run, make):
    """Waived, with the verdict it replaces; a requirement that passed needs none."""
    waiver = Waiver("", "accepted by the customer", "MET-05", "DR-01")
    failed = run(make.measured("p[n=1]", "fail"), ended("fail", "unit"), waiver)
    passed = run(make.measured("p[n=1]"), make.measured("p[n=2]"), ended(), waiver)

    assert (failed.verdict, failed.exit_code, failed.counts["waived"]) == ("pass", 0, 1)
    assert failed.requirements[0].verdict == "waived"
    assert "DR-01" in failed.requirements[0].reason
    assert "fail" in failed.requirements[0].reason
    assert (passed.requirements[0].verdict, passed.counts["waived"]) == ("pass", 0)


def test_a_run_that_died_is_aborted(make):
    """No run_finished: exit code 3, and the test it was in."""
    rows = [make.asked("MET-05", ["a"])]
    dead = summarise([make.start(rows), TestStarted(TEST, ("MET-05",)), make.measured("a")])

    assert (dead.verdict, dead.exit_code) == ("aborted", 3)
    assert TEST in dead.reason
    assert dead.requirements[0].measurements[0].name == "a"
    assert "before its first test" in summarise([make.start(rows), Note("", "x")]).reason


SOURCE = Instrument("AcSource", "chroma_61600", "TCPIP0::h::2101::SOCKET", "Chroma, 61604", "1")


@pytest.mark.parametrize(
    ("happened", "reason"),
    [
        ([], "the run died before its first test: its record has no end; no instrument was opened"),
        (
            [SOURCE, TestStarted(TEST)],
            f"the run died during {TEST}: its record has no end; nothing on record says that the bench was made safe",
        ),
        (
            [SOURCE, TestStarted(TEST), ended(), SafeState("run", "the run is over", {}, True)],
            f"the run died after {TEST}: its record has no end; the run made the bench safe",
        ),
        (
            [SOURCE, TestStarted(TEST), SafeState("guard", "no heartbeat for 2 s", {"AcSource": "off"}, True)],
            f"the run died during {TEST}: no heartbeat for 2 s; the guard made the bench safe",
        ),
        (
            [SOURCE, TestStarted(TEST), SafeState("guard", "no heartbeat for 2 s", {"AcSource": "ON"}, False)],
            f"the run died during {TEST}: no heartbeat for 2 s; the bench is NOT proven safe",
        ),
        (
            [SOURCE, TestStarted(TEST), SafeState("run", "AcSource is silent", {}, False)],
            f"the run died during {TEST}: its record has no end; the bench is NOT proven safe",
        ),
    ],
)
def test_a_dead_run_says_when_why_and_how_it_left_the_bench(make, happened, reason):
    """The guard's word where there is one; no claim where there is none."""
    dead = summarise([make.start(), *happened])

    assert (dead.verdict, dead.exit_code, dead.reason) == ("aborted", 3, reason)
    assert ending([make.start(), *happened]) == (dead.verdict, dead.exit_code, dead.reason)


def test_a_test_that_was_cut_off_proves_nothing(make):
    """All its points passed, but what it would still have found is not known; a point that failed stays failed."""
    rows = [make.asked("MET-05", ["a"]), make.asked("MET-07", ["b"])]
    body = [make.start(rows), TestStarted(TEST, ("MET-05", "MET-07")), make.measured("a")]
    dead = summarise([*body, make.measured("b", "fail", requirement="MET-07", reason="outside")])

    assert [one.verdict for one in dead.requirements] == ["aborted", "fail"]
    assert dead.requirements[0].reason == f"{TEST}: the record ends before the test does"


@pytest.mark.parametrize(("verdict", "exit_code"), [("pass", 0), ("fail", 1), ("aborted", 2)])
def test_a_bench_found_unsafe_after_the_end_outranks_the_end(make, verdict, exit_code):
    """The guard's last word counts, whatever the run had said; and it may take it back."""
    rows = [make.asked("MET-05", ["a"])]
    body = [make.start(rows), TestStarted(TEST, ("MET-05",)), make.measured("a"), ended()]
    body.append(RunFinished(verdict, exit_code, "why" if exit_code else "", {}))
    unsafe, safe = SafeState("guard", "AcSource is ON", {}, False), SafeState("guard", "tried again", {}, True)

    found = summarise([*body, unsafe, Note("", "x")])
    assert (found.verdict, found.exit_code) == ("aborted", 3)
    assert "after its end the guard could not prove the bench safe: AcSource is ON" in found.reason
    assert f"had ended with {verdict}" in found.reason
    assert summarise([*body, unsafe, safe]).exit_code == exit_code


def test_the_record_cannot_say_pass_against_its_own_measurements(make):
    """A written pass over a missing point is overruled; a written abort stands, for the run knew more."""
    rows = [make.asked("MET-05", ["a", "b"])]
    body = [make.start(rows), TestStarted(TEST, ("MET-05",)), make.measured("a"), ended()]
    whole = [*body, make.measured("b")]

    assert summarise([*body, RunFinished("pass", 0, "", {})]).exit_code == 3
    assert summarise([*whole, RunFinished("pass", 0, "", {})]).exit_code == 0
    aborted = summarise([*whole, RunFinished("aborted", 3, "teardown failed", {})])
    assert (aborted.verdict, aborted.exit_code, aborted.reason) == ("aborted", 3, "teardown failed")
