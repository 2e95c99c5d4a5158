"""What a signature says of a run: an in-toto statement of its result, made from the journal alone.

A simulated run, and one of a plan that is not released, is WARNED at the best: a machine that reads nothing but the
result must not take it for a unit that was certified.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hil.journal.events import TestFinished
from hil.journal.reader import Journal
from hil.journal.summary import open_test, summarise
from hil.metrology.decision import Verdict
from hil.reports import manifest
from hil.signing import dsse, statement
from hil.signing.signer import Signer

_PASSED = frozenset({Verdict.PASS})
_WARNED = frozenset({Verdict.CONDITIONAL_PASS, Verdict.WAIVED, Verdict.NOT_COVERED})


def envelope(journal: Journal, listed: bytes, signer: Signer) -> bytes:
    """Return the signed envelope of a manifest of that journal: of manifest.json, or of record.json."""
    subjects = manifest.subjects(manifest.load(listed, "the manifest"), listed)
    return dsse.seal(statement.PAYLOAD_TYPE, _statement(journal, subjects), signer)


def result(journal: Journal) -> str:
    """Return PASSED, WARNED or FAILED."""
    summary = summarise(journal.events)
    if summary.exit_code != 0:
        return "FAILED"
    doubts = [one for one in summary.requirements if one.required and one.verdict is not Verdict.PASS]
    plain = summary.verdict is Verdict.PASS and not doubts and not journal.started.simulated and _released(journal)
    return "PASSED" if plain else "WARNED"


def _statement(journal: Journal, subjects: Mapping[str, str]) -> bytes:
    return statement.write(subjects, result(journal), _configuration(journal), _tests(journal), _annotations(journal))


def _configuration(journal: Journal) -> list[dict[str, Any]]:
    started = journal.started
    plan = {"name": str(started.plan.get("path", "")), "digest": {"sha256": str(started.plan.get("sha256", ""))}}
    if not _released(journal):
        return [plan]
    release = {"name": f"release {started.release.get('id', '')}"}
    return [plan, {**release, "digest": {"sha256": str(started.release.get("sha256", ""))}}]


def _tests(journal: Journal) -> dict[str, list[str]]:
    """Return the tests under passed, warned and failed; one that never ended has failed."""
    verdicts = {one.test: Verdict(one.verdict) for one in journal.of(TestFinished)}
    if cut := open_test(journal.events):
        verdicts[cut] = Verdict.ABORTED
    tests: dict[str, list[str]] = {"passed": [], "warned": [], "failed": []}
    for test, verdict in verdicts.items():
        tests["passed" if verdict in _PASSED else "warned" if verdict in _WARNED else "failed"].append(test)
    return tests


def _annotations(journal: Journal) -> dict[str, Any]:
    started = journal.started
    return {
        "serial": started.serial,
        "run_id": journal.run_id,
        "board": started.board,
        "revision": started.revision,
        "stage": started.stage,
        "simulated": started.simulated,
        "released": _released(journal),
    }


def _released(journal: Journal) -> bool:
    return journal.started.release.get("status") == "released"
