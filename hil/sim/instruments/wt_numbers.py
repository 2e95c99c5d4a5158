"""The numbers of a Yokogawa WT300: what it computes from U, I and P, and how it writes them.

Ref: IM WT310E-17EN, chapter 5 (NR3 data) and chapter 6, NUMeric group
"""

from __future__ import annotations

import math

NO_DATA, OVER = "NAN", "INF"


def derived(volts: float, amps: float, watts: float, sign: float) -> dict[str, float]:
    """Compute S, Q, LAMBDA and PHI from U, I and P, as the instrument does."""
    apparent = volts * amps
    ratio = watts / apparent if apparent > 0.0 else math.inf
    if math.isfinite(ratio) and 1.0 < abs(ratio) <= 1.02:
        ratio = math.copysign(1.0, ratio)  # noise and gains; further out is an error
    reactive = sign * math.sqrt(max(0.0, apparent**2 - watts**2))
    phi = sign * math.degrees(math.acos(ratio)) if abs(ratio) <= 1.0 else math.inf
    ratio = ratio if abs(ratio) <= 1.0 else math.inf
    return {"U": volts, "I": amps, "P": watts, "S": apparent, "Q": reactive, "LAMB": ratio, "PHI": phi}


def text(value: float, function: str) -> str:
    """Write a value as :NUMeric:NORMal:VALue? does."""
    if math.isnan(value):
        return NO_DATA
    if math.isinf(value):
        return OVER
    if function == "TIME":
        return str(int(value))  # whole seconds
    return engineering(value, 6 if function in {"WH", "AH"} else 5)


def engineering(value: float, digits: int) -> str:
    """Write a value with an exponent that is a multiple of three: 103.58E+00."""
    if value == 0.0:
        return f"{0.0:.{digits - 1}f}E+00"
    exponent = math.floor(math.log10(abs(value)) / 3.0) * 3
    mantissa = value / 10.0**exponent
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(mantissa))))
    return f"{mantissa:.{decimals}f}E{exponent:+03d}"
