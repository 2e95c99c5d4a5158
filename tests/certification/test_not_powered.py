"""A unit that is not safe is not powered."""

from __future__ import annotations

from pathlib import Path

from hil.journal.events import SafeState, TestStarted
from hil.metrology.decision import Verdict
from tests.certification.certify import certify


def test_a_unit_that_fails_is_not_powered(tmp_path: Path) -> None:
    """The run ends with exit code 1 and says why; no other test has begun."""
    done = certify("SP-000321", tmp_path, "--fault", "insulation-weak")
    events = done.journal.events

    assert done.exit_code == 1, done.output
    assert done.failed == {"SAF-03"}
    assert "electrical safety failed: SAF-03; the unit was not powered" in done.output
    assert {e.test.partition("::")[0].rpartition("/")[2] for e in events if isinstance(e, TestStarted)} == {
        "test_electrical_safety.py"
    }
    assert all(e.safe for e in events if isinstance(e, SafeState))
    assert {r.verdict for r in done.summary.requirements if r.id == "BP-02"} == {Verdict.ABORTED}
