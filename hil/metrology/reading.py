"""A value with what is known about it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hil.errors import BenchError


class NotANumber(BenchError):
    """A reading's value, uncertainty or degrees of freedom is no usable number."""

    def __init__(self, what: str, value: float, unit: str) -> None:
        super().__init__(what, value, unit)
        self.what, self.value, self.unit = what, value, unit

    def __str__(self) -> str:
        return f"{self.what} = {self.value!r} {self.unit}: not a number that can be recorded; check range and wiring"


@dataclass(frozen=True, slots=True)
class Reading:
    """A value in `unit`, its standard uncertainty u in the same unit, and u's degrees of freedom.

    u is None where nothing is known about it; dof may be infinite. Raises NotANumber for NaN and infinity, for a
    negative u and for fewer than one half of a degree of freedom.
    """

    value: float
    unit: str
    u: float | None = None
    dof: float = math.inf

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise NotANumber("value", self.value, self.unit)
        if self.u is not None and not (math.isfinite(self.u) and self.u >= 0.0):
            raise NotANumber("standard uncertainty", self.u, self.unit)
        if not self.dof >= 0.5:  # also true of NaN
            raise NotANumber("degrees of freedom", self.dof, "")

    @property
    def expanded_u(self) -> float | None:
        """Return U at 95 % with Student's t for this reading's dof (GUM, G.6.4), in `unit`; None without u."""
        if self.u is None:
            return None
        from hil.metrology.budget import coverage_factor

        return coverage_factor(self.dof) * self.u
