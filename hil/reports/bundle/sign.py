"""The manifest of a bundle, and its signature: an in-toto statement that its runs ended so."""

from __future__ import annotations

from pathlib import Path

from hil.reports import attest, manifest
from hil.reports.bundle.collect import Evidence
from hil.reports.tree import FolderTree
from hil.signing import dsse, statement
from hil.signing.signer import Signer

_WORST_FIRST = ("FAILED", "WARNED", "PASSED")


def listed(e: Evidence, target: Path) -> bytes:
    """Return manifest.json for the files that lie in target now; write it last."""
    return manifest.text(
        {
            "manifest": manifest.FORMAT,
            "of": manifest.EVIDENCE,
            "board": e.board,
            "revision": e.revision,
            "runs": [one.path for one in e.units],
            "files": manifest.listing(FolderTree(target)),
        }
    )


def envelope(e: Evidence, made: bytes, signer: Signer) -> bytes:
    """Return the signed envelope of a bundle's manifest; its result is the worst of its runs."""
    subjects = manifest.subjects(manifest.load(made, manifest.NAME), made)
    results = {one.journal.run_id: attest.result(one.journal) for one in e.units}
    worst = next(word for word in _WORST_FIRST if word in results.values())
    tests = {
        kind: [run for run, result in results.items() if result == word]
        for kind, word in (("passed", "PASSED"), ("warned", "WARNED"), ("failed", "FAILED"))
    }
    plans = {str(one.journal.started.plan.get("sha256", "")): one.journal.started.plan for one in e.units}
    configuration = [
        {"name": str(plan.get("path", "")), "digest": {"sha256": sha256}} for sha256, plan in sorted(plans.items())
    ]
    about = {"board": e.board, "revision": e.revision, "simulated": e.simulated, "released": e.released}
    return dsse.seal(statement.PAYLOAD_TYPE, statement.write(subjects, worst, configuration, tests, about), signer)
