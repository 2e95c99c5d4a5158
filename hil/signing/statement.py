"""What is signed: an in-toto statement that these files came of a test with this result.

Ref: in-toto attestation framework, spec/v1/statement.md; spec/predicates/test-result.md, v0.1
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hil.signing.canonical import canonical, read_canonical
from hil.signing.errors import SignatureBad

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"
RESULTS = ("PASSED", "WARNED", "FAILED")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Statement:
    """What was read from a statement: the SHA-256 of each file by its name, and the result."""

    subjects: Mapping[str, str]
    result: str


def write(
    subjects: Mapping[str, str],
    result: str,
    configuration: Sequence[Mapping[str, Any]],
    tests: Mapping[str, Sequence[str]],
    annotations: Mapping[str, Any],
) -> bytes:
    """Return the statement's bytes.

    subjects: SHA-256 by name; tests: names under passed, warned and failed; annotations: of each subject, what was
    tested and how.
    """
    return canonical(
        {
            "_type": STATEMENT,
            "subject": [
                {"name": name, "digest": {"sha256": digest}, "annotations": dict(annotations)}
                for name, digest in sorted(subjects.items())
            ],
            "predicateType": PREDICATE,
            "predicate": {
                "result": result,
                "configuration": [dict(one) for one in configuration],
                **{f"{kind}Tests": list(tests.get(kind, ())) for kind in ("passed", "warned", "failed")},
            },
        }
    )


def read(payload: bytes, where: str) -> Statement:
    """Read a statement whose signature is proven; raises SignatureBad for one that is not of this kind."""
    try:
        data = read_canonical(payload)
        if (data["_type"], data["predicateType"]) != (STATEMENT, PREDICATE):
            raise ValueError("it states something else than the result of a test")
        subjects = {one["name"]: one["digest"]["sha256"] for one in data["subject"]}
        if len(subjects) != len(data["subject"]):
            raise ValueError("a file stands in it twice")
        if not all(isinstance(one, str) and _DIGEST.fullmatch(one) for one in subjects.values()):
            raise ValueError("a digest in it is none")
        if data["predicate"]["result"] not in RESULTS:
            raise ValueError("its result is none")
        return Statement(subjects, data["predicate"]["result"])
    except (ValueError, KeyError, TypeError) as error:
        raise SignatureBad(where, f"what is signed is no statement of a run ({error})") from error
