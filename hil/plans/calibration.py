"""What a plan makes of an instrument whose calibration is overdue or missing, stage by stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from hil.metrology.calibration import WARN_DAYS

Answer = Literal["refuse", "mark"]
REFUSED_IN_TYPE: dict[str, Answer] = {"production": "mark", "release": "mark", "type": "refuse"}


@dataclass(frozen=True, slots=True)
class CalibrationRules:
    """Per stage: refuse the run before anything is opened, or mark the record. A plan may leave [calibration] out."""

    overdue: Mapping[str, Answer] = field(default_factory=lambda: dict(REFUSED_IN_TYPE))
    missing: Mapping[str, Answer] = field(default_factory=lambda: dict(REFUSED_IN_TYPE))
    warn_days: int = WARN_DAYS

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> CalibrationRules:
        """Read a plan's [calibration], whose shape is checked; a stage it does not name keeps the answer above."""
        return cls(
            overdue={**REFUSED_IN_TYPE, **table.get("overdue", {})},
            missing={**REFUSED_IN_TYPE, **table.get("missing", {})},
            warn_days=table.get("warn_days", WARN_DAYS),
        )
