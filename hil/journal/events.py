"""What can stand on a line of the journal: one frozen class an event.

A field holds what JSON can hold: text, numbers, booleans, None, and lists and dicts of them. `dof` is the one
exception: infinite degrees of freedom are `math.inf` here and `null` in the file, because JSON has no infinity.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from operator import attrgetter
from typing import Any, ClassVar

from hil.errors import SetupError

FORMAT = 3  # of the journal
# format 1 had no judgement, corrections and effort beside a measurement; 2 no slot, order and release of a run, and no
# instruments behind a measurement
READABLE = frozenset({1, 2, FORMAT})
WAVEFORM = "application/vnd.hil.waveform+json"  # the attachment that reports draw; its shape: hil.reports.waveforms
# how the journal's own notes begin; reports lift them out of the other remarks
TORN = "the last line was torn"
CLOCK_SET_BACK = "the computer's clock was set back"


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The first line: who tested which unit with what, and what the plan asks of it at this stage."""

    EVENT: ClassVar[str] = "run_started"
    serial: str
    board: str
    revision: str
    stage: str
    station: str
    simulated: bool
    operator: str
    plan: Mapping[str, Any]  # path, version, sha256
    software: Mapping[str, Any]  # version, commit
    python: str
    seed: int
    faults: tuple[str, ...] = ()
    # id, title, area, required, stages, why, method, measurements (full names it needs)
    requirements: tuple[Mapping[str, Any], ...] = ()
    charts: tuple[Mapping[str, Any], ...] = ()  # title, measurement, kind, x, x_label, series, panel
    unit_facts: Mapping[str, Any] = field(default_factory=dict)
    run_id: str = ""  # the writer fills in its folder's name
    note: str = ""
    decision: Mapping[str, Any] = field(default_factory=dict)  # rule, screen, minimum_tur, rule_text, risk_text, clause
    slot: int = 1  # of the fixture; no station is wired for more than one yet
    order: Mapping[str, Any] = field(default_factory=dict)  # customer, contact, number, received, condition: as told
    # status (released, changed, none), id, by, on, sha256, differences: each path, key, released, now
    release: Mapping[str, Any] = field(default_factory=dict)
    journal: int = FORMAT


@dataclass(frozen=True, slots=True)
class Instrument:
    """One instrument, as it identified itself when it was opened."""

    EVENT: ClassVar[str] = "instrument"
    role: str
    driver: str
    resource: str
    identity: str
    serial: str
    # certificate, laboratory, date, due, status, days_left, source, sha256
    calibration: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class TestStarted:
    """A test begins; `test` is its pytest node id, `title` its sentence."""

    __test__: ClassVar[bool] = False  # pytest must not collect it
    EVENT: ClassVar[str] = "test_started"
    test: str
    requirement: tuple[str, ...] = ()
    title: str = ""


@dataclass(frozen=True, slots=True)
class TestFinished:
    """A test ended; `blame` is "" unless something went wrong."""

    __test__: ClassVar[bool] = False
    EVENT: ClassVar[str] = "test_finished"
    test: str
    requirement: tuple[str, ...] = ()
    verdict: str = "pass"
    blame: str = ""
    reason: str = ""
    instruments: tuple[str, ...] = ()  # roles that the test spoke to


@dataclass(frozen=True, slots=True)
class Measurement:
    """A reading and its judgement; `u` is the standard uncertainty, in `unit`."""

    EVENT: ClassVar[str] = "measurement"
    test: str
    name: str  # base[key=value,...]; unique in a run together with attempt
    requirement: str
    value: float | None  # None only when the verdict is refused: nothing was measured
    unit: str
    u: float | None
    dof: float  # may be math.inf
    low: float | None
    high: float | None
    limit: Mapping[str, Any] | None  # standard, edition, table, source_mark, verified_by, verified_on
    rule: str
    verdict: str
    attempt: int = 1
    reason: str = ""
    point: Mapping[str, Any] = field(default_factory=dict)
    # name, kind, distribution, value, sensitivity, contribution, dof, and shared where two inputs have it in common
    budget: tuple[Mapping[str, Any], ...] = ()
    raw: float | None = None  # before the corrections of calibrations, where there were any
    corrections: tuple[Mapping[str, Any], ...] = ()  # role, quantity, certificate, raw, correction, u, unit
    # expanded_u, k, acceptance_low, acceptance_high, guard_band, tur, risk, risk_kind, refusal, screen
    judgement: Mapping[str, Any] = field(default_factory=dict)
    effort: Mapping[str, Any] = field(default_factory=dict)  # readings, took_s, fixed_s, ended
    # draws, low, high, first_order_low, first_order_high, tolerance, agrees
    monte_carlo: Mapping[str, Any] = field(default_factory=dict)
    instruments: tuple[str, ...] = ()  # roles whose readings are inputs of the value

    @property
    def base(self) -> str:
        """Return the name without its point."""
        return self.name.partition("[")[0]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file beside the journal, `attachments/<sha256>`."""

    EVENT: ClassVar[str] = "attachment"
    test: str
    name: str
    sha256: str
    media_type: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Step:
    """Something the test did."""

    EVENT: ClassVar[str] = "step"
    test: str
    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """Something a reader of the record should know."""

    EVENT: ClassVar[str] = "note"
    test: str
    text: str


@dataclass(frozen=True, slots=True)
class Waiver:
    """Somebody accepts that a requirement is not met, because of a finding."""

    EVENT: ClassVar[str] = "waiver"
    test: str
    text: str
    requirement: str
    finding: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A known defect of the design (a DR number): of the board's review, or met by a test of this run."""

    EVENT: ClassVar[str] = "finding"
    test: str
    text: str
    requirement: str
    finding: str
    severity: str = ""  # blocker, critical, high, med, info; those of a design review
    certainty: str = ""  # certain, or depends: on a schematic or layout that nobody has shown


@dataclass(frozen=True, slots=True)
class SafeState:
    """The bench was made safe by the run or by the guard, and read back."""

    EVENT: ClassVar[str] = "safe_state"
    by: str
    why: str
    readback: Mapping[str, Any]
    safe: bool


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The last line of a run that ended in good order."""

    EVENT: ClassVar[str] = "run_finished"
    verdict: str
    exit_code: int
    reason: str
    counts: Mapping[str, int]


Event = (
    RunStarted
    | Instrument
    | TestStarted
    | TestFinished
    | Measurement
    | Attachment
    | Step
    | Note
    | Waiver
    | Finding
    | SafeState
    | RunFinished
)

KINDS: dict[str, type[Event]] = {
    kind.EVENT: kind
    for kind in (
        RunStarted,
        Instrument,
        TestStarted,
        TestFinished,
        Measurement,
        Attachment,
        Step,
        Note,
        Waiver,
        Finding,
        SafeState,
        RunFinished,
    )
}
_NAMES: dict[type[Event], tuple[str, ...]] = {kind: tuple(f.name for f in fields(kind)) for kind in KINDS.values()}
# one C call fetches all the fields: dataclasses.asdict would copy everything beneath them, 30 times as slowly
_VALUES: dict[type[Event], Callable[[Any], tuple[Any, ...]]] = {
    kind: attrgetter(*names) for kind, names in _NAMES.items()
}
_KNOWN: dict[type[Event], frozenset[str]] = {kind: frozenset(names) for kind, names in _NAMES.items()}
_NEEDED: dict[type[Event], frozenset[str]] = {
    kind: frozenset(f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING)
    for kind in KINDS.values()
}
# of a measurement: not written when empty
_SPARED = ("raw", "corrections", "judgement", "effort", "monte_carlo", "instruments")
# and "requirement" of the two test events
_LISTS = frozenset({"requirements", "charts", "faults", "budget", "corrections", "instruments"})


def to_dict(event: Event) -> dict[str, Any]:
    """Return the event's fields in their order, ready for JSON, without the line's own."""
    kind = type(event)
    data = dict(zip(_NAMES[kind], _VALUES[kind](event), strict=True))
    if kind is Measurement:
        if data["dof"] == math.inf:
            data["dof"] = None
        if data["budget"]:
            data["budget"] = [{**part, "dof": None} if part.get("dof") == math.inf else part for part in data["budget"]]
        for name in _SPARED:
            if data[name] is None or not (data[name] or name == "raw"):
                del data[name]
    return data


def from_dict(name: str, data: Mapping[str, Any]) -> Event:
    """Make the event `name` from its fields; raises SetupError for an unknown event or field, or a missing one."""
    kind = KINDS.get(name)
    if kind is None:
        raise SetupError(f"unknown event {name!r}")
    got = data.keys()
    if not got <= _KNOWN[kind]:
        raise SetupError(f"{name} has unknown fields: {', '.join(sorted(got - _KNOWN[kind]))}")
    if not got >= _NEEDED[kind]:
        raise SetupError(f"{name} lacks {', '.join(sorted(_NEEDED[kind] - got))}")
    values = dict(data)
    for key in _LISTS & got:
        values[key] = tuple(values[key])
    if kind is Measurement:
        values["dof"] = math.inf if values["dof"] is None else values["dof"]
        values["budget"] = tuple(
            {**part, "dof": math.inf} if part.get("dof") is None else part for part in values.get("budget", ())
        )
    elif kind in {TestStarted, TestFinished}:
        values["requirement"] = tuple(values.get("requirement", ()))
    return kind(**values)
