"""What a report owes its reader beside the results: the order, the release of the plan, who signed, what departed.

Ref: ISO/IEC 17025:2017, 7.8.2.1 and 7.8.2.2 (what the customer supplied is marked as such).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hil.journal.events import Finding, RunStarted, Waiver
from hil.journal.summary import RunSummary
from hil.reports.evidence import Requirement
from hil.reports.language import Language
from hil.signing.signer import Signer

RELEASED = "released"
_SEVERITIES = ("blocker", "critical", "high", "med", "info")  # of a design review, worst first


@dataclass(frozen=True, slots=True)
class Order:
    """What was told of the order; the laboratory did not verify it. Empty where nothing was told."""

    customer: str = ""
    contact: str = ""
    number: str = ""
    received: str = ""  # date of receipt, ISO 8601
    condition: str = ""  # of the item on receipt

    @property
    def told(self) -> bool:
        """Whether anything was told at all."""
        return any((self.customer, self.contact, self.number, self.received, self.condition))


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is not as it was released: a key of a file, or the file itself where key is empty."""

    path: str
    key: str
    released: str
    now: str


@dataclass(frozen=True, slots=True)
class Release:
    """The released plan that the run was made from, or why it was not; `on` is a UTC time, ISO 8601."""

    status: str = "none"  # released, changed, none
    id: str = ""
    by: str = ""
    on: str = ""
    sha256: str = ""
    differences: tuple[Difference, ...] = ()

    @property
    def valid(self) -> bool:
        """Whether the run was made from the plan as released; otherwise NOT RELEASED stands across the certificate."""
        return self.status == RELEASED


@dataclass(frozen=True, slots=True)
class Signed:
    """Whose key signs the record, and its SHA-256 (64 hex digits)."""

    name: str
    keyid: str


def order_of(started: RunStarted, customer: str = "") -> Order:
    """Return what the record says of the order; a customer stands in where only the laboratory's table names one."""
    told = {name: _text(started.order.get(name)) for name in Order.__slots__}
    return Order(**told | {"customer": told["customer"] or customer})


def release_of(started: RunStarted) -> Release:
    """Return what the record says of the plan's release; a record that says nothing is of no released plan."""
    said = started.release
    differences = tuple(
        Difference(*(_text(one.get(name)) for name in Difference.__slots__)) for one in said.get("differences") or ()
    )
    by_name = {name: _text(said.get(name)) for name in ("id", "by", "on", "sha256")}
    return Release(status=_text(said.get("status")) or "none", **by_name, differences=differences)


def signed_by(signer: Signer | None) -> Signed | None:
    """Return what a page says of the key that signs the record after the page is made; None where there is none."""
    return Signed(signer.name, signer.keyid) if signer else None


def reviewed(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings of the design review, worst first; they are remarks on the design, not results."""
    rows: dict[tuple[str, str], Finding] = {}  # one that touches several requirements is on record once for each
    for one in findings:
        if one.severity:
            before = rows.get((one.finding, one.text))
            touched = f"{before.requirement}, {one.requirement}" if before else one.requirement
            rows[one.finding, one.text] = replace(one, requirement=touched)
    return tuple(sorted(rows.values(), key=lambda one: (_rank(one.severity), one.certainty != "certain")))


def deviations(
    language: Language,
    started: RunStarted,
    release: Release,
    summary: RunSummary,
    elsewhere: Sequence[Requirement],
    waivers: Sequence[Waiver],
) -> Iterator[str]:
    """Say each addition to, departure from or exclusion from the plan, one sentence each (7.8.2.1 n)."""
    if not release.valid:
        yield language.text("The plan was not run as released; see the difference on the first page.")
    if started.faults:
        yield language.say("The simulated bench was given faults on purpose: {names}.", names=", ".join(started.faults))
    missing = sum(len(one.missing) for one in summary.requirements if one.required)
    if missing:
        yield language.say(
            "Points that the plan requires and that were not measured: {n}; section 5 names them.", n=missing
        )
    if elsewhere:
        yield language.say(
            "Requirements of the plan that belong to other stages and were not tested: {n}.", n=len(elsewhere)
        )
    if waivers:
        names = ", ".join(dict.fromkeys(one.requirement for one in waivers))
        yield language.say("Requirements that were waived: {names}; section 6 says why.", names=names)
    retried = [one.id for one in summary.requirements if one.retried]
    if retried:
        yield language.say(
            "Measurements were repeated in: {names}; every attempt stands in section 5.", names=", ".join(retried)
        )


def _rank(severity: str) -> int:
    return _SEVERITIES.index(severity) if severity in _SEVERITIES else len(_SEVERITIES)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def facts_of(started: RunStarted) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the unit's facts, and the laboratory as the station's table has it."""
    facts = dict(started.unit_facts)
    laboratory = facts.pop("laboratory", None)
    return facts, dict(laboratory) if isinstance(laboratory, Mapping) else {}
