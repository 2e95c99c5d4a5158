"""A reading of an instrument as an input of a budget: corrected by its calibration, with what is then uncertain.

The specification stays in the budget whole even where a calibration corrects: it also covers what happened since, the
temperature of the room and the drift of a year. That is pessimistic, and needs no assumption about either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hil.instruments.roles import Accuracy
from hil.metrology.budget import Component
from hil.metrology.calibration import NotCalibrated
from hil.metrology.propagation import Input

if TYPE_CHECKING:
    from hil.metrology.calibration import Certificate

ROOT_3 = 3.0**0.5


def traceable(role: str, calibration: Certificate | None, accuracy: Accuracy, name: str = "") -> Input:
    """Return the reading corrected, in its unit, with components for specification and calibration.

    Two readings of one quantity, range and sign share both influences (`Component.shared`): of opposite signs one error
    of gain moves them apart and one of zero alike, so that nothing may cancel. Without a calibration, or where
    it does not cover the reading, the specification stands alone and the value is raw; the component's name says why.
    """
    a = accuracy
    quantity = a.quantity.replace("_", " ")
    shared = " ".join(part for part in (role, quantity, a.range_, "below zero" if a.value < 0.0 else "") if part)
    name = name or f"{role} {quantity}".strip()
    value, raw, why_not = a.value, None, ""
    corrections: tuple[dict[str, float | str], ...] = ()
    components = []
    if calibration is not None and calibration.tables:
        try:
            found = calibration.at(a.quantity, a.range_, a.value)
        except NotCalibrated as error:
            why_not = f" (calibration {calibration.certificate}: {error})"
        else:
            raw, value = a.value, a.value + found.correction
            corrections = (
                {
                    "role": role,
                    "quantity": a.quantity,
                    "certificate": calibration.certificate,
                    "raw": a.value,
                    "correction": found.correction,
                    "u": found.u,
                    "unit": a.unit,
                },
            )
            told = f"{role} calibration {calibration.certificate}, U with k = {found.k:g}"
            components.append(Component(told, "B", "normal", found.u, shared=f"{shared} calibration"))
    told = f"{role} specification: {a.source}{why_not}"
    specification = Component(told, "B", "rectangular", a.half_width / ROOT_3, shared=f"{shared} gain")
    return Input(name, value, a.unit, (specification, *components), raw=raw, corrections=corrections, roles=(role,))
