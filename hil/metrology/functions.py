"""Functions for models of a measurement: of plain numbers, of GTC's uncertain numbers and of numpy's arrays alike."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def cos(angle_rad: Any) -> Any:
    """Return the cosine of an angle in radians."""
    return _of("cos", angle_rad)


def sin(angle_rad: Any) -> Any:
    """Return the sine of an angle in radians."""
    return _of("sin", angle_rad)


def tan(angle_rad: Any) -> Any:
    """Return the tangent of an angle in radians."""
    return _of("tan", angle_rad)


def exp(value: Any) -> Any:
    """Return e to the power of a value without unit."""
    return _of("exp", value)


def log(value: Any) -> Any:
    """Return the natural logarithm of a value without unit, above zero."""
    return _of("log", value)


def sqrt(value: Any) -> Any:
    """Return the square root, in the root of the value's unit."""
    return _of("sqrt", value)


def absolute(value: Any) -> Any:
    """Return the magnitude, in the value's unit; an uncertain number stays one, which Python's abs() does not do."""
    if isinstance(value, np.ndarray):
        return np.abs(value)
    return -value if getattr(value, "x", value) < 0.0 else value


def _of(name: str, value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return getattr(np, name)(value)
    if isinstance(value, int | float):
        return getattr(math, name)(value)
    import GTC

    return getattr(GTC, name)(value)
