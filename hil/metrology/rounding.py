"""Rounding of a result for a report, by its expanded uncertainty.

Ref: JCGM 100:2008 (GUM), 7.2.6: U to at most two significant digits, the value to the same decimal place; U is rounded
up where rounding to nearest would lower it by more than 5 % (EA-4/02 M:2022, 6.3 [NRC]).
"""

from __future__ import annotations

import math

from hil.errors import OutOfRange
from hil.metrology.reading import NotANumber

MOST_LOWERED = 0.05


def round_for_report(value: float, expanded_u: float, digits: int = 2) -> tuple[float, float]:
    """Return value and U rounded, both in their own unit; digits is 1 or 2. A U of zero rounds nothing."""
    if digits not in {1, 2}:
        raise OutOfRange("significant digits of U", digits, 1, 2)
    if not (math.isfinite(value) and math.isfinite(expanded_u) and expanded_u >= 0.0):
        raise NotANumber("U to round by", expanded_u, "")
    if expanded_u == 0.0:
        return value, 0.0
    nearest = float(f"{expanded_u:.{digits - 1}e}")
    places = digits - 1 - int(f"{expanded_u:.{digits - 1}e}".partition("e")[2])
    if nearest < expanded_u * (1.0 - MOST_LOWERED):
        nearest = round(nearest + 10.0**-places, places)
        places = digits - 1 - int(f"{nearest:.{digits - 1}e}".partition("e")[2])  # 0.96 to one digit is 1
    return round(value, places), nearest
