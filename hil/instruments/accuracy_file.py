"""Read an accuracy specification from its TOML file; every mistake in it is named, each by its key."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hil.errors import SetupError
from hil.instruments.accuracy import Influence, Row, Specification
from hil.metrology.calibration import UNITS

HEAD = ("model", "valid_months", "temperature_c")
_Share = Annotated[float, Field(ge=0.0, lt=1.0)]
_Pair = Annotated[list[float], Field(min_length=2, max_length=2)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class _Influence(_Strict):
    what: Annotated[str, Field(min_length=1)]
    factor: Annotated[float, Field(gt=0.0)]
    of: dict[str, Annotated[int, Field(ge=1, le=4)]]


class _Row(_Strict):
    unit: str
    ranges: dict[str, Annotated[list[Annotated[float, Field(gt=0.0)]], Field(min_length=1)]] = {}
    span: _Pair | None = None
    frequency_hz: _Pair | None = None
    of_reading: _Share = 0.0
    of_range: _Share = 0.0
    absolute: Annotated[float, Field(ge=0.0)] = 0.0
    influences: list[_Influence] = []
    manual: Annotated[str, Field(min_length=1)]
    page: str
    mark: Literal["checked", "unverified", "assumption"]


class _File(_Strict):
    model: Annotated[str, Field(min_length=1)]
    valid_months: Annotated[int, Field(ge=1)]
    temperature_c: _Pair
    rows: Annotated[dict[str, Annotated[list[_Row], Field(min_length=1)]], Field(min_length=1)]


def read(path: Path) -> Specification:
    """Return the specification of a file; raises SetupError."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SetupError(f"{path.name}: {error}", "mend the file") from error
    head = {key: values.pop(key) for key in HEAD if key in values}
    try:
        file = _File.model_validate({**head, "rows": values})
    except ValidationError as error:
        wrong = [
            f"{'.'.join(str(p) for p in one['loc']).removeprefix('rows.')}: {one['msg']}" for one in error.errors()
        ]
    else:
        wrong = [
            f"{q}.{index}: {what}"
            for q, rows in file.rows.items()
            for index, r in enumerate(rows)
            for what in _odd(q, r)
        ]
        wrong += ["temperature_c: not in rising order"] if file.temperature_c[0] >= file.temperature_c[1] else []
        if not wrong:
            rows = {quantity: tuple(_row(row) for row in rows) for quantity, rows in file.rows.items()}
            low_c, high_c = file.temperature_c
            return Specification(file.model, file.valid_months, (low_c, high_c), rows)
    raise SetupError("\n".join(f"{path.name}: {one}" for one in wrong), "mend the file")


def _odd(quantity: str, row: _Row) -> list[str]:
    """Return what no type can say of a row."""
    wrong = []
    if quantity not in UNITS:
        wrong.append(f"there is no such quantity; known: {', '.join(UNITS)}")
    elif row.unit != UNITS[quantity]:
        wrong.append(f"unit: {row.unit!r}, but {quantity} is in {UNITS[quantity]}")
    for key, pair in (("span", row.span), ("frequency_hz", row.frequency_hz)):
        if pair is not None and pair[0] >= pair[1]:
            wrong.append(f"{key}: not in rising order")
    if not row.ranges and (row.of_range or any("range" in one.of for one in row.influences)):
        wrong.append("ranges: needed, since a part of the range is specified")
    if not (row.of_reading or row.of_range or row.absolute or row.influences):
        wrong.append("a half-width of nothing; give of_reading, of_range, absolute or influences")
    return wrong


def _row(row: _Row) -> Row:
    low, high = row.span or (-math.inf, math.inf)
    band: Any = tuple(row.frequency_hz) if row.frequency_hz else None
    return Row(
        unit=row.unit,
        ranges={axis: tuple(values) for axis, values in row.ranges.items()},
        span=(low, high),
        frequency_hz=band,
        of_reading=row.of_reading,
        of_range=row.of_range,
        absolute=row.absolute,
        influences=tuple(Influence(one.what, one.factor, one.of) for one in row.influences),
        manual=", ".join(filter(None, (row.manual, row.page))),
        mark=row.mark,
    )
