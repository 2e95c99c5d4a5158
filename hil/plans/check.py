"""Check the shape of a plan: every mistake in it is named in one go, each by its key, before anything is resolved."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

_Text = Annotated[str, Field(min_length=1)]
_Positive = Annotated[float, Field(gt=0.0)]
_Value = str | int | float


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class _Head(_Strict):
    board: _Text
    version: _Text
    serial_pattern: _Text
    revisions: Annotated[list[_Text], Field(min_length=1)]
    sequence: list[_Text]
    decision_rule: _Text
    minimum_tur: Annotated[float, Field(ge=0.0)]

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
    stages: list[Literal["production", "release", "type"]]
    why: str = ""
    needs: str = ""
    without: str = ""


class _Limit(_Strict):
    limits_table: _Text | None = None
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
    nominal: _Nominal
    load_points: dict[str, list[dict[str, _Value]]]
    requirements: dict[str, _Requirement]
    measurements: dict[str, _Measurement]
    waivers: list[_Waiver] = []
    charts: list[_Chart] = []
    # how long a run may be silent before the guard takes over: hil.station.guarding reads it
    guard: dict[str, _Positive] = {}


def mistakes(data: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with the shape of a plan, as `key.path: what`, in the order of the model."""
    try:
        _File.model_validate(data)
    except ValidationError as error:
        return [f"{'.'.join(str(part) for part in flaw['loc'])}: {flaw['msg']}" for flaw in error.errors()]
    return []
