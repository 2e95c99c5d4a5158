"""Check the packaged tables of standards: every mistake is named by its file's key, such as tables.balanced.rows.3."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from hil.errors import SetupError
from hil.metrology.limits import phase_rad

_Text = Annotated[str, Field(min_length=1)]
_Date = Annotated[str, Field(pattern=r"^(\d{4}-\d{2}-\d{2})?$")]
_Positive = Annotated[float, Field(gt=0.0)]
_Current = Literal["Ib", "In", "Itr", "Imin", "Ist", "Imax"]
_Multiple = tuple[_Positive, _Current]
_Mark = Literal["checked", "nrc", "nrc?"]
_ByClass = dict[_Text, _Positive]
_Pair = tuple[float, float]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class _Sourced(_Strict):
    source_mark: _Mark | None = None
    verified_by: str | None = None
    verified_on: _Date | None = None

    @model_validator(mode="after")
    def _somebody_checked(self) -> _Sourced:
        if self.source_mark == "checked" and not (self.verified_by and self.verified_on):
            raise ValueError("a checked figure needs verified_by and verified_on")
        return self


class _Row(_Sourced):
    conn: Literal["direct", "ct"] | None = None
    from_: _Multiple | None = Field(default=None, alias="from")
    to: _Multiple | None = None
    closed: bool = False
    pf: list[_Text] = []
    sin: list[Annotated[float, Field(gt=0.0, le=1.0)]] = []
    lim: dict[_Text, _Positive | list[_Positive]] = Field(min_length=1)
    scale: Literal["Imin/I"] | None = None
    on_request: bool = False

    @model_validator(mode="after")
    def _is_a_range(self) -> _Row:
        if (self.from_ is None) != (self.to is None):
            raise ValueError("a range has both from and to")
        if self.from_ and self.to and self.from_[1] == self.to[1] and self.from_[0] >= self.to[0] and not self.closed:
            raise ValueError(f"from {self.from_[0]:g} {self.from_[1]} is not below to")
        if self.pf and self.sin:
            raise ValueError("a row goes by pf or by sin, not by both")
        try:
            for angle in itertools.chain.from_iterable(text.split("..") for text in self.pf):
                phase_rad(angle)
        except SetupError as error:
            raise ValueError(str(error)) from error
        return self


class _Section(_Sourced):
    table: _Text
    clause: str | None = None


class _Table(_Section):
    unit: Literal["%"]
    bands_c: list[list[_Pair]] | None = None
    rows: list[_Row]


class _Quantity(_Section):
    condition: _Text
    unit: Literal["%", "%/K"]
    rows: list[_Row] | None = None
    of: _Text | None = None
    factor: _Positive | None = None
    bounds: _Pair | None = None
    waveform: dict[str, float] | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> _Quantity:
        if sum(one is not None for one in (self.rows, self.of, self.bounds)) != 1:
            raise ValueError("a quantity has rows, or is a factor of another, or has bounds")
        return self


class _Starting(_Section):
    direct: dict[_Text, _Multiple] = {}
    ct: dict[_Text, _Multiple] = {}
    intervals_allowed: _Positive | None = None


class _NoLoad(_Section):
    formula: Literal["Imax", "Ist", "b Imin"]
    voltage: tuple[_Positive, Literal["Un"]] | None = None
    pulses: Literal[1]
    minutes_e6: _ByClass | None = None
    minutes_e3: _Positive | None = None
    hours_e3: _Positive | None = None
    base_mpe: _Text | None = None

    @model_validator(mode="after")
    def _has_its_constant(self) -> _NoLoad:
        wanted = {"Imax": self.minutes_e6, "Ist": self.minutes_e3 and self.voltage, "b Imin": self.hours_e3}
        if not wanted[self.formula]:
            raise ValueError(f"the formula by {self.formula} lacks its constant")
        return self


class _Share(_Section):
    share_of_limit: Annotated[float, Field(gt=0.0, le=1.0)]


class _Repeatability(_Share):
    readings: Annotated[int, Field(ge=2)]


class _Startup(_Section):
    seconds: _Positive


class _RegisterChange(_Section):
    factor: _Positive


class _RatioRow(_Strict):
    ratio: tuple[_Current, _Current]
    at_most: _ByClass | None = None
    at_least: _ByClass | None = None
    equal: _ByClass | None = None


class _Ratios(_Section):
    direct: list[_RatioRow]
    ct: list[_RatioRow]


class _Rated(_Section):
    voltage: _Pair
    frequency: _Pair
    power_factor: _Text


class _Condition(_Strict):
    what: _Text
    unit: _Text
    value: float | None = None
    tolerance: _Positive | None = None
    tolerance_by_class: _ByClass | None = None
    at_most: _Positive | None = None
    at_most_by_class: _ByClass | None = None


class _BenchUncertainty(_Strict):
    at_most: _Positive
    aim: _Positive
    source_mark: _Mark


class _Conditions(_Section):
    phase_sequence: str | None = None
    bench_uncertainty: _BenchUncertainty | None = None
    rows: list[_Condition]


class _File(_Sourced):
    standard: _Text
    edition: Annotated[str, Field(pattern=r"^\d{4}$")]
    classes: Annotated[list[_Text], Field(min_length=1)]
    source_mark: _Mark
    verified_by: str
    verified_on: _Date
    tables: dict[_Text, _Table] = Field(min_length=1)
    difference: _Table | None = None
    starting_current: _Starting | None = None
    no_load: _NoLoad | None = None
    meter_constant: _Share | None = None
    initial_startup: _Startup | None = None
    repeatability: _Repeatability | None = None
    register_change: _RegisterChange | None = None
    current_ratios: _Ratios | None = None
    rated_operating: _Rated | None = None
    influence: dict[_Text, str | _Quantity] = {}
    reference_conditions: _Conditions | None = None


def mistakes(data: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a loaded table file, as `key: what`: its shape first, then what rows say together."""
    try:
        _File.model_validate(data)
    except ValidationError as error:
        return [f"{'.'.join(str(part) for part in flaw['loc'])}: {flaw['msg']}" for flaw in error.errors()]
    return [*_strange_classes(data), *_overlaps(data), *_wrong_bands(data)]


def _rows(data: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], Sequence[Mapping[str, Any]]]]:
    parts = {f"tables.{name}": table for name, table in data["tables"].items()}
    parts |= {f"influence.{name}": part for name, part in data.get("influence", {}).items() if isinstance(part, dict)}
    if "difference" in data:
        parts["difference"] = data["difference"]
    for where, part in parts.items():
        yield where, part, part.get("rows", ())


def _strange_classes(data: Mapping[str, Any]) -> Iterator[str]:
    for where, _, rows in _rows(data):
        for number, row in enumerate(rows):
            if strange := set(row["lim"]) - set(data["classes"]):
                yield f"{where}.rows.{number}: lim names class {min(strange)}, which the file does not have"


def _overlaps(data: Mapping[str, Any]) -> Iterator[str]:
    """Two rows for one connection, angle and class that go by the same current must not both hold."""
    for where, _, rows in _rows(data):
        for (first, a), (second, b) in itertools.combinations(enumerate(rows), 2):
            same_angle = set(a.get("pf", ())) & set(b.get("pf", ())) or set(a.get("sin", ())) & set(b.get("sin", ()))
            same_meter = set(a["lim"]) & set(b["lim"]) and (a.get("conn") or b.get("conn")) == (
                b.get("conn") or a.get("conn")
            )
            if same_angle and same_meter and ("from" not in a or "from" not in b or _meet(a, b)):
                yield f"{where}.rows.{second}: holds where rows.{first} holds already"


def _meet(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Say whether two ranges share currents, where that can be said without knowing the currents."""
    if a["from"] == b["from"] or a["to"] == b["to"]:
        return True
    lower, upper = (a, b) if a["to"][1] == b["from"][1] else (b, a)
    return bool(lower["to"][1] == upper["from"][1] and lower["to"][0] > upper["from"][0] >= lower["from"][0])


def _wrong_bands(data: Mapping[str, Any]) -> Iterator[str]:
    for where, part, rows in _rows(data):
        count = len(part["bands_c"]) if "bands_c" in part else None
        for number, row in enumerate(rows):
            for name, figure in row["lim"].items():
                if (len(figure) if isinstance(figure, list) else None) != count:
                    yield f"{where}.rows.{number}.lim.{name}: one figure for each band of temperature is wanted"
