"""The no-load test by the formula of each edition: how long, at which voltage, and what it must not register.

Ref: IEC 62053-2x:2003, 8.3.2 (by Imax, at 1.15 Un); EN 50470-3:2006 (by Ist, at 1.15 Un); IEC 62052-11:2020 (by Ist, at
1.10 Un); OIML R 46-1/-2:2012 (by Imin and the base MPE there). Constants: nrc, as the tables say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hil.errors import OutOfRange, SetupError
from hil.metrology.limit_tables import by_class, check_class, load_table, section, title
from hil.metrology.limits import Limit, sourced

_MINUTE_S, _HOUR_S = 60.0, 3600.0


@dataclass(frozen=True, slots=True)
class NoLoad:
    """A no-load test: the shortest time in s, the voltage in V (None: the table does not say), the limit in pulses."""

    seconds: float
    voltage_v: float | None
    limit: Limit


def no_load_test(
    file_name: str,
    *,
    accuracy_class: str,
    pulses_per_kwh: float,
    nominal_voltage_v: float,
    elements: int = 1,
    maximum_current_a: float | None = None,
    starting_current_a: float | None = None,
    minimum_current_a: float | None = None,
) -> NoLoad:
    """Return the no-load test of an edition; currents in A, of which each edition wants its own one.

    pulses_per_kwh is the meter constant k, elements the number m of measuring elements. The formula is an absolute
    minimum, of about four pulse periods at Ist. Raises SetupError for a file without such a test, for a class it does
    not have, and for the current its formula wants; OutOfRange when k m U I is not positive.
    """
    data = load_table(file_name)
    check_class(data, accuracy_class)
    part = section(data, "no_load")
    voltage_v = part["voltage"][0] * nominal_voltage_v if "voltage" in part else None
    pulses_per_volt_ampere = pulses_per_kwh * elements
    if part["formula"] == "Imax":
        current_a = _wanted(data, "Imax", maximum_current_a)
        minutes = 1e6 * float(by_class(data, "no_load", "minutes_e6", accuracy_class))
        seconds = minutes * _MINUTE_S / _positive("k m Un Imax", pulses_per_volt_ampere * nominal_voltage_v * current_a)
    elif part["formula"] == "Ist":
        current_a = _wanted(data, "Ist", starting_current_a)
        test_v = part["voltage"][0] * nominal_voltage_v
        minutes = 1e3 * float(part["minutes_e3"])
        seconds = minutes * _MINUTE_S / _positive("k m Utest Ist", pulses_per_volt_ampere * test_v * current_a)
    else:
        current_a = _wanted(data, "Imin", minimum_current_a)
        product = base_mpe_pct(data, part["base_mpe"], accuracy_class) * pulses_per_volt_ampere
        hours = 1e3 * float(part["hours_e3"])
        seconds = hours * _HOUR_S / _positive("b k m Unom Imin", product * nominal_voltage_v * current_a)
    return NoLoad(seconds, voltage_v, sourced(data, part, None, float(part["pulses"]), unit="pulses"))


def base_mpe_pct(data: Mapping[str, Any], table_name: str, accuracy_class: str) -> float:
    """Return the base maximum permissible error at Imin and PF 1, in %, the b of OIML R 46's no-load test."""
    for row in section(data, "tables")[table_name]["rows"]:
        if row["from"] == [1.0, "Imin"] and row["pf"] == ["1"]:
            return float(row["lim"][accuracy_class])
    raise SetupError(f"{title(data)} has no base error at Imin")


def _wanted(data: Mapping[str, Any], name: str, current_a: float | None) -> float:
    if current_a is None:
        raise SetupError(f"the no-load test of {title(data)} goes by {name}, which is not given", f"give {name}")
    return current_a


def _positive(what: str, product: float) -> float:
    if not product > 0.0:
        raise OutOfRange(what, product, 0.0, float("inf"))
    return product
