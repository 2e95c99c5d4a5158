"""Check the shape of a plan: every mistake in it is named in one go, each by its key, before anything is resolved."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from hil.metrology.rules import NEEDS_TARGET, Rule

_Text = Annotated[str, Field(min_length=1)]
_Positive = Annotated[float, Field(gt=0.0)]
_Value = str | int | float
_Stage = Literal["production", "release", "type"]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class _Head(_Strict):
    board: _Text
    version: _Text
    serial_pattern: _Text
    revisions: Annotated[list[_Text], Field(min_length=1)]
    sequence: list[_Text]

    @field_validator("serial_pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")  # what it will mean one day is no pattern for a serial number
                re.compile(pattern)
        except (re.error, RecursionError, OverflowError, Warning) as error:
            raise ValueError(f"no regular expression: {error}") from error
        return pattern


class _Prior(_Strict):
    mean: float
    s: _Positive


def _known_rule(name: str) -> str:
    if name not in list(Rule):
        raise ValueError(f"unknown decision rule {name!r}; use one of {', '.join(Rule)}")
    return name


_Rule = Annotated[str, AfterValidator(_known_rule)]


class _Decision(_Strict):
    rule: _Rule
    minimum_tur: Annotated[float, Field(ge=0.0)]
    target_risk: Annotated[float, Field(gt=0.0, lt=0.5)] | None = None
    screen: dict[_Stage, _Rule] = {}
    priors: dict[_Text, _Prior] = {}

    @model_validator(mode="after")
    def _has_what_its_rules_need(self) -> Self:
        needing = sorted({self.rule, *self.screen.values()} & NEEDS_TARGET)
        if needing and self.target_risk is None:
            raise ValueError(f"the rule {needing[0]!r} needs a target_risk, such as 0.02")
        if self.target_risk is not None and not needing:
            raise ValueError(
                f"target_risk is for {' and '.join(sorted(NEEDS_TARGET))}, and no rule here is one of these"
            )
        return self


class _Adaptive(_Strict):
    share_of_limit: Annotated[float, Field(gt=0.0, le=1.0)] = 0.1
    shortest: Annotated[int, Field(ge=3)] = 3
    longest: Annotated[int, Field(ge=3)] = 20
    fixed: Annotated[int, Field(ge=3)] = 10

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.longest < max(self.shortest, self.fixed):
            raise ValueError(f"longest = {self.longest} is less than shortest or fixed")
        return self


class _Calibration(_Strict):
    overdue: dict[_Stage, Literal["refuse", "mark"]] = {}
    missing: dict[_Stage, Literal["refuse", "mark"]] = {}
    warn_days: Annotated[int, Field(ge=0)] = 30


class _Nominal(_Strict):
    model_config = ConfigDict(extra="allow", strict=True, allow_inf_nan=False)  # tests keep their conditions here
    un_v: _Positive
    ib_a: _Positive
    imax_a: _Positive
    frequency_hz: _Positive
    accuracy_class: _Text
    accuracy_standard: _Text
    connection: _Text
    meter_constant_imp_per_kwh: _Positive


class _Requirement(_Strict):
    title: _Text
    area: _Text
    method: _Text
    stages: list[_Stage]
    why: str = ""
    needs: str = ""
    without: str = ""
    findings: list[_Text] = []  # of the design review


class _Limit(_Strict):
    limits_table: _Text | None = None
    accuracy_class: _Text | None = None  # where the table goes by another class than the plan's
    low: float | None = None
    high: float | None = None
    standard: _Text | None = None
    edition: _Text | None = None
    table: _Text | None = None
    source_mark: _Text | None = None


class _Measurement(_Strict):
    requirement: _Text
    requirement_uncovered: _Text | None = None
    unit: str
    over: dict[str, _Text | list[_Value]] = {}
    limit: _Limit | None = None
    limit_by: dict[str, dict[str, _Limit]] = {}
    point_of_limit: dict[str, _Text] = {}
    after: list[_Text] = []
    after_by: dict[str, dict[str, list[_Text]]] = {}


class _Waiver(_Strict):
    requirement: str
    revisions: list[str]
    finding: str
    text: str


class _Review(_Strict):
    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]*$")]  # beside the plan, and no way to elsewhere
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    revisions: Annotated[list[_Text], Field(min_length=1)]


class _Exports(_Strict):
    dcc: list[_Text] = []  # base names: hil.reports.exports.dcc
    conditions: list[_Text] = []


class _Chart(_Strict):
    title: _Text
    measurement: _Text
    kind: _Text
    x: _Text
    x_label: str
    series: list[_Text]
    panel: str | None = None


class _File(_Strict):
    plan: _Head
    decision: _Decision
    adaptive: _Adaptive = _Adaptive()
    nominal: _Nominal
    load_points: dict[str, list[dict[str, _Value]]]
    requirements: dict[str, _Requirement]
    measurements: dict[str, _Measurement]
    waivers: list[_Waiver] = []
    charts: list[_Chart] = []
    exports: _Exports = _Exports()
    review: _Review | None = None
    calibration: _Calibration | None = None
    # how long a run may be silent before the guard takes over: hil.station.guarding reads it
    guard: dict[str, _Positive] = {}


def mistakes(data: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the shape of a plan, as `key.path: what`, in the order of the model."""
    try:
        _File.model_validate(data)
    except ValidationError as error:
        said = {"extra_forbidden": "a plan has no such key", "missing": "this key is missing"}
        return [
            f"{'.'.join(str(part) for part in flaw['loc'])}: {said.get(flaw['type'], flaw['msg'])}"
            for flaw in error.errors()
        ]
    return []
