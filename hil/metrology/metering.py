"""Small rules of energy meters that are formulas: pulse interval, meter constant, register change, repeatability.

Ref: IEC 62053-2x:2003, 8.3.3 and 8.4; Directive 2014/32/EU, Annex V, point 4.3; OIML R 46-1/-2:2012 (nrc).
"""

from __future__ import annotations

import math
from typing import Any

from hil.errors import OutOfRange, SetupError
from hil.metrology.limit_tables import load_table, section
from hil.metrology.limits import Limit, section_limit, sourced


def pulse_interval_s(*, pulses_per_kwh: float, nominal_voltage_v: float, current_a: float, elements: int = 1) -> float:
    """Return the time between two pulses, in s, at PF 1: 3.6e6 / (m k Un I); raises OutOfRange for m k Un I <= 0."""
    return 3.6e6 / _positive("m k Un I", elements * pulses_per_kwh * nominal_voltage_v * current_a)


def constant_energy_kwh(file_name: str, *, resolution_kwh: float, limit_pct: float) -> float:
    """Return the least energy, in kWh, of a meter-constant test: 100 r / (share L).

    The register's step r is then at most `share` of the limit L (nrc: a tenth). Raises SetupError for a file without
    such a test, OutOfRange for a limit or a step that is not positive.
    """
    share = float(section(load_table(file_name), "meter_constant")["share_of_limit"])
    return 100.0 * _positive("resolution_kwh", resolution_kwh) / (share * _positive("limit_pct", limit_pct))


def register_change_limit(
    file_name: str, *, nominal_voltage_v: float, maximum_current_a: float, elements: int = 1
) -> Limit:
    """Return how far, in kWh, a transient disturbance may move the register: x = m Un Imax 1e-6, to either side."""
    part = section(load_table(file_name), "register_change")
    change_kwh = part["factor"] * _positive("m Un Imax", elements * nominal_voltage_v * maximum_current_a)
    return section_limit(file_name, "register_change", -change_kwh, change_kwh, "kWh")


def repeatability_limit(file_name: str, limit: Limit | None) -> Limit | None:
    """Return how far readings of one point may spread, in the unit of the point's own limit; None: not covered.

    The spread is the largest less the smallest of at least repeatability_readings(file_name). Raises SetupError for a
    file that asks for none.
    """
    data = load_table(file_name)
    part = section(data, "repeatability")
    if limit is None or limit.high is None:
        return None
    return sourced(data, part, None, part["share_of_limit"] * limit.high, unit=limit.unit, row=limit.row)


def repeatability_readings(file_name: str) -> int:
    """Return the least number of readings of a repeatability test; raises SetupError for a file that asks for none."""
    return int(section(load_table(file_name), "repeatability")["readings"])


def initial_startup_limit(file_name: str) -> Limit:
    """Return the longest time, in s, from reference voltage to a working meter; raises SetupError where unknown."""
    return section_limit(file_name, "initial_startup", None, _number(file_name, "initial_startup", "seconds"), "s")


def _number(file_name: str, name: str, key: str) -> float:
    value: Any = section(load_table(file_name), name).get(key)
    if value is None:
        raise SetupError(f"{file_name} has no {name}.{key}")
    return float(value)


def _positive(what: str, value: float) -> float:
    if not (math.isfinite(value) and value > 0.0):
        raise OutOfRange(what, value, 0.0, math.inf)
    return value
