"""Composite error: the error at reference conditions and its changes, root-sum-squared, against one limit.

Ref: EN 50470-3 (composite error against the MPE of a band of temperature, Directive 2014/32/EU, Annex V, Table 2); OIML
R 46-1/-2:2012 (combined maximum error). nrc: not compared with the texts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from hil.errors import SetupError
from hil.metrology.limits import Limit, lookup

REFERENCE_TABLE, MPE_TABLE = "en50470_3_2006", "mid_2014_32_annex_v"


@dataclass(frozen=True, slots=True)
class MidLimits:
    """The two limits of one point under the MID, in %; None: the table does not cover the point."""

    reference: Limit | None  # of the error at reference conditions
    composite: Limit | None  # of the composite error, which has no sign: only an upper bound


def composite_error(error: Any, *changes: Any) -> Any:
    """Return sqrt(e^2 + sum of squared changes), in the unit of its arguments, %; never negative.

    Arguments are numbers, numpy arrays, or uncertain numbers of GTC: the function is a model for
    hil.metrology.propagation. First order understates the uncertainty where all of them are small beside theirs.
    For EN 50470-3 the changes are those with temperature, voltage and frequency, the largest of each; for OIML R 46
    also those with unbalance, harmonics and tilt.
    """
    total = error * error
    for change in changes:
        total = total + change * change
    return total if getattr(total, "x", None) == 0.0 else total**0.5  # the root of an uncertain zero has no slope


def largest_change(error_pct: float, under_influence_pct: Iterable[float]) -> float:
    """Return the change, in %, that is largest in magnitude, from the error at reference conditions; with its sign.

    Raises SetupError when there is nothing to compare, or a number is not finite.
    """
    changes = [value - error_pct for value in under_influence_pct]
    if not changes or not all(map(math.isfinite, changes)):
        raise SetupError(f"no change can be taken of {len(changes)} errors from {error_pct:g} %", "measure them again")
    return max(changes, key=abs)


def mid_limits(
    *,
    accuracy_class: str,
    connection: str,
    current_a: float,
    power_factor: str,
    references_a: Mapping[str, float],
    temperature_c: float,
    load: str = "balanced",
) -> MidLimits:
    """Return the two limits, in %, that a meter under the MID has at one point, for the band that has temperature_c.

    load is "balanced" or "single_phase_load"; references_a gives Imin, Itr and Imax in A. Raises as lookup does.
    """
    point: dict[str, Any] = {
        "accuracy_class": accuracy_class,
        "connection": connection,
        "current_a": current_a,
        "power_factor": power_factor,
        "references_a": references_a,
    }
    composite = lookup(f"{MPE_TABLE}.{load}", **point, temperature_c=temperature_c)
    return MidLimits(
        reference=lookup(f"{REFERENCE_TABLE}.{load}", **point),
        composite=None if composite is None else replace(composite, low=None),
    )
