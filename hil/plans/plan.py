"""Read a plan and resolve it for one revision and stage: which measurements there are, and the limit of each.

A measurement's full name is its base name and its point: `relay.operate_time[relay=K2,action=SET]`.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hil.errors import SetupError
from hil.metrology.adaptive import Adaptive
from hil.metrology.influence import limit_by_name
from hil.metrology.limits import Limit, starting_current_a
from hil.metrology.no_load import NoLoad, no_load_test
from hil.names import check_serial
from hil.plans.calibration import CalibrationRules
from hil.plans.decision import Decision
from hil.plans.review import DesignReview, read_review, review_mistakes

STAGES = ("production", "release", "type")
CURRENTS = ("Ib", "In", "Itr", "Imin", "Ist", "Imax")  # those of [nominal]: ib_a, itr_a, ...


class PlanError(SetupError):
    """The plan contradicts itself, or a test asks for what the plan does not have."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """What the unit must fulfil, and at which stages the plan requires it."""

    id: str
    title: str
    area: str
    method: str
    stages: tuple[str, ...]
    why: str = ""  # why it is not required, where it is not
    needs: str = ""  # what bench or board must be able to do: "AcLoad.can_source", "Board.ntc_in_place"
    without: str = ""  # what a bench that is not able is told
    findings: tuple[str, ...] = ()  # of the design review, that touch it


@dataclass(frozen=True, slots=True)
class PlannedWaiver:
    """A requirement that some revisions cannot meet, accepted beforehand because of a finding of the design review."""

    requirement: str
    revisions: tuple[str, ...]
    finding: str
    text: str  # why, and what was verified instead


@dataclass(frozen=True, slots=True)
class Planned:
    """One measurement of the plan, resolved: its limit and what must have passed before it makes sense."""

    name: str
    base: str
    point: Mapping[str, Any]
    unit: str
    requirement: str
    limit: Limit | None
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GuardTimes:
    """How soon a guard acts. A plan may tighten these, never loosen them (design, section 5)."""

    heartbeat_s: float = 2.0  # silence of the run
    stall_s: float = 10.0  # a main thread that does nothing; longer than the longest deadline of any link

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> GuardTimes:
        """Read a plan's [guard]; raises PlanError."""
        longest = cls()
        for key, value in table.items():
            most = getattr(longest, key, None) if key in {"heartbeat_s", "stall_s"} else None
            if most is None:
                raise PlanError(f"[guard] has no {key!r}", "it has heartbeat_s and stall_s")
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0.1 <= value <= most:
                raise PlanError(f"[guard] {key} = {value!r}", f"a plan may tighten it: 0.1 to {most:g}")
        return cls(**table)


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan as it stands in its file, with the digest that names it."""

    path: Path
    text: bytes
    board: str
    version: str
    serial_pattern: str
    revisions: tuple[str, ...]
    sequence: tuple[str, ...]
    decision: Decision
    nominal: Mapping[str, Any]
    requirements: Mapping[str, Requirement]
    waivers: tuple[PlannedWaiver, ...]
    charts: tuple[Mapping[str, Any], ...]
    load_points: Mapping[str, tuple[Mapping[str, Any], ...]]
    kinds: Mapping[str, Mapping[str, Any]] = field(repr=False)
    guard: GuardTimes = field(default_factory=GuardTimes)
    calibration: CalibrationRules = field(default_factory=CalibrationRules)
    adaptive: Adaptive = field(default_factory=Adaptive)
    review: DesignReview | None = None
    _references_a: dict[str, float] = field(init=False, repr=False, compare=False)
    _resolved: dict[str, dict[str, Planned]] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        known = {name: self.nominal.get(f"{name.lower()}_a") for name in CURRENTS}
        references_a = {name: float(value) for name, value in known.items() if value is not None}
        object.__setattr__(self, "_references_a", references_a)

    @property
    def sha256(self) -> str:
        """The digest of the file's bytes."""
        return hashlib.sha256(self.text).hexdigest()

    @property
    def starting_current_a(self) -> float:
        """The current at which the class must start to meter, in amperes."""
        n = self.nominal
        return starting_current_a(
            n["accuracy_standard"],
            accuracy_class=n["accuracy_class"],
            connection=n["connection"],
            references_a=self._references_a,
        )

    @property
    def no_load(self) -> NoLoad:
        """How long, and at which voltage, the class standard watches a meter without load."""
        n = self.nominal
        references_a = self._references_a
        return no_load_test(
            n["accuracy_standard"],
            accuracy_class=n["accuracy_class"],
            pulses_per_kwh=n["meter_constant_imp_per_kwh"],
            nominal_voltage_v=n["un_v"],
            maximum_current_a=references_a.get("Imax"),
            starting_current_a=references_a.get("Ist"),
            minimum_current_a=references_a.get("Imin"),
        )

    @property
    def rating(self) -> dict[str, str]:
        """What the unit is metered as, in the words of a nameplate."""
        n = self.nominal
        return {
            "Metered as": f"class {n['accuracy_class']}, {n['connection']} connected",
            "Nominal voltage and frequency": f"{n['un_v']:g} V, {n['frequency_hz']:g} Hz",
            "Basic and maximum current": f"Ib {n['ib_a']:g} A, Imax {n['imax_a']:g} A",
            "Meter constant": f"{n['meter_constant_imp_per_kwh']:g} imp/kWh",
        }

    def check_serial(self, serial: str) -> None:
        """Refuse a serial number that does not match the plan's pattern."""
        if not re.fullmatch(self.serial_pattern, serial):
            raise PlanError(f"serial number {serial!r} does not match {self.serial_pattern}", "scan the label again")
        check_serial(serial)

    def resolve(self, revision: str) -> dict[str, Planned]:
        """Return every measurement of the plan by full name, limits resolved for this revision."""
        if revision not in self.revisions:
            raise PlanError(f"{self.board} has no revision {revision!r}", f"known: {', '.join(self.revisions)}")
        if revision in self._resolved:  # when the plan was loaded
            return dict(self._resolved[revision])
        planned = [p for base, kind in self.kinds.items() for p in self._expand(base, kind, revision)]
        names = {p.name: p for p in planned}
        for p in planned:
            for prerequisite in p.after:
                if prerequisite not in names:
                    raise PlanError(
                        f"{self.path.name}: {p.name} comes after {prerequisite}, which the plan does not have"
                    )
        self._resolved[revision] = names
        return dict(names)

    def current_a(self, text: str) -> float:
        """Turn `0.05Ib` or `Imax` into amperes."""
        match = re.fullmatch(rf"([0-9.]*)({'|'.join(CURRENTS)})", text)
        if not match or match[2] not in self._references_a:
            known = ", ".join(self._references_a)
            raise PlanError(f"{self.path.name}: {text!r} is no current", f"write it as 0.05Ib or Imax; it has {known}")
        return float(match[1] or 1.0) * self._references_a[match[2]]

    def _expand(self, base: str, kind: Mapping[str, Any], revision: str) -> Iterator[Planned]:
        over: dict[str, Any] = dict(kind.get("over", {}))
        points = self.load_points[over.pop("point")] if "point" in over else ({},)
        for values in itertools.product(*over.values()):
            for load_point in points:
                axes = {**dict(zip(over, values, strict=True)), **load_point}
                limit = self._limit(base, kind, axes, revision)
                uncovered = limit is None and "requirement_uncovered" in kind
                yield Planned(
                    name=full_name(base, axes),
                    base=base,
                    point={**axes, **({"current_a": self.current_a(axes["i"])} if "i" in axes else {})},
                    unit=kind["unit"],
                    requirement=kind["requirement_uncovered" if uncovered else "requirement"],
                    limit=limit,
                    after=tuple(template.format(**axes) for template in _prerequisites(kind, axes)),
                )

    def _limit(self, base: str, kind: Mapping[str, Any], axes: Mapping[str, Any], revision: str) -> Limit | None:
        row = dict(kind.get("limit", {}))
        for axis, by_value in kind.get("limit_by", {}).items():
            row = dict(by_value[str(revision if axis == "revision" else axes[axis])])
        if "limits_table" in row:
            at = {**axes, **kind.get("point_of_limit", {})}
            given = {key: float(at[key]) for key in ("sin_phi", "temperature_c") if key in at}
            return limit_by_name(
                row["limits_table"],
                accuracy_class=row.get("accuracy_class", self.nominal["accuracy_class"]),
                connection=self.nominal["connection"],
                current_a=self.current_a(at["i"]),
                power_factor=at.get("pf", ""),
                references_a=self._references_a,
                **given,
            )
        if not row:
            raise PlanError(f"{self.path.name}: {base} has no limit", "give it one, or a limits_table")
        return Limit(
            low=row.get("low"),
            high=row.get("high"),
            unit=kind["unit"],
            standard=row["standard"],
            edition=row["edition"],
            table=row["table"],
            source_mark=row["source_mark"],
        )


def _prerequisites(kind: Mapping[str, Any], axes: Mapping[str, Any]) -> list[str]:
    """Return `after`, and what `after_by` adds for the values of its axes."""
    by_axis = kind.get("after_by", {})
    return [*kind.get("after", ()), *(name for axis, rows in by_axis.items() for name in rows[str(axes[axis])])]


def full_name(base: str, point: Mapping[str, Any]) -> str:
    """Join a base name and its point: `base[key=value,...]`."""
    return f"{base}[{','.join(f'{key}={value}' for key, value in point.items())}]" if point else base


def load_plan(board: str, folder: Path | None = None) -> Plan:
    """Read the plan of a board, e.g. `smart-power`; raises PlanError when there is none or it is broken."""
    folder = folder or Path(__file__).parent
    path = folder / f"{board.replace('-', '_')}.toml"
    if not re.fullmatch(r"[a-z0-9-]+", board) or not path.is_file():
        known = sorted(p.stem.replace("_", "-") for p in folder.glob("*.toml"))
        raise PlanError(f"no plan for a board {board!r}", f"known boards: {', '.join(known)}")
    text = path.read_bytes()
    from hil.plans.check import mistakes  # pydantic: 0.1 s that only a run needs

    try:
        data = tomllib.loads(text.decode())
    except (ValueError, RecursionError) as error:  # a number of 5000 digits is no TOMLDecodeError
        raise PlanError(f"{path.name}: {error}", "mend the file") from error
    if wrong := mistakes(data):
        raise PlanError("\n".join(f"{path.name}: {one}" for one in wrong), "mend the file")
    plan = _plan(path, text, data)
    if wrong := review_mistakes(plan):
        raise PlanError("\n".join(f"{path.name}: {one}" for one in wrong), "mend the file")
    try:
        for revision in plan.revisions:
            plan.resolve(revision)
    except PlanError:
        raise
    except (LookupError, ValueError, TypeError, AttributeError, SetupError) as error:
        raise PlanError(f"{path.name}: missing or wrong key {error}", "mend the file") from error
    return plan


def _plan(path: Path, text: bytes, data: dict[str, Any]) -> Plan:
    head = data["plan"]
    requirements = {
        id_: Requirement(
            id=id_,
            title=row["title"],
            area=row["area"],
            method=row["method"],
            stages=tuple(row["stages"]),
            why=row.get("why", ""),
            needs=row.get("needs", ""),
            without=row.get("without", ""),
            findings=tuple(row.get("findings", ())),
        )
        for id_, row in data["requirements"].items()
    }
    for requirement in requirements.values():
        for stage in requirement.stages:
            if stage not in STAGES:
                raise PlanError(
                    f"{path.name}: {requirement.id} names the stage {stage!r}", f"stages: {', '.join(STAGES)}"
                )
    for base, kind in data["measurements"].items():
        for key in ("requirement", "requirement_uncovered"):
            if key in kind and kind[key] not in requirements:
                raise PlanError(f"{path.name}: {base} answers {kind[key]}, which is no requirement of the plan")
    for base in data["decision"].get("priors", {}):
        if base not in data["measurements"]:
            raise PlanError(f"{path.name}: [decision.priors] names {base!r}, which the plan does not measure")
    for key, bases in data.get("exports", {}).items():
        if unknown := [base for base in bases if base not in data["measurements"]]:
            raise PlanError(f"{path.name}: [exports] {key} names {unknown[0]!r}, which the plan does not measure")
    waivers = tuple(
        PlannedWaiver(row["requirement"], tuple(row["revisions"]), row["finding"], row["text"])
        for row in data.get("waivers", ())
    )
    for waiver in waivers:
        unknown = [name for name in waiver.revisions if name not in head["revisions"]]
        if waiver.requirement not in requirements or unknown:
            what = f"revision {unknown[0]!r}" if unknown else f"requirement {waiver.requirement!r}"
            raise PlanError(f"{path.name}: a waiver names the {what}, which the plan does not have", "mend the waiver")
        if not waiver.revisions or not waiver.finding or not waiver.text:
            raise PlanError(
                f"{path.name}: the waiver of {waiver.requirement} is incomplete", "give revisions, finding and text"
            )
    return Plan(
        path=path,
        text=text,
        board=head["board"],
        version=head["version"],
        serial_pattern=head["serial_pattern"],
        revisions=tuple(head["revisions"]),
        sequence=tuple(head["sequence"]),
        decision=Decision.of(data["decision"]),
        nominal=data["nominal"],
        requirements=requirements,
        waivers=waivers,
        charts=tuple(data.get("charts", ())),
        load_points={name: tuple(points) for name, points in data["load_points"].items()},
        kinds=data["measurements"],
        guard=GuardTimes.of(data.get("guard", {})),
        calibration=CalibrationRules.of(data.get("calibration", {})),
        adaptive=Adaptive(**data.get("adaptive", {})),
        review=_review(path, data["review"]) if "review" in data else None,
    )


def _review(path: Path, table: Mapping[str, Any]) -> DesignReview:
    try:
        return read_review(path.parent, table)
    except SetupError as error:
        raise PlanError(f"{path.name}: {error.what}", error.remedy) from error
