"""The analog front end of one meter: divider, current transformer and burden, with their errors.

Ref: facts smart-power 3.4 (planning set of the front end).
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass, replace

from hil.sim.chips.atm90e26_metering import Inputs
from hil.sim.circuit import Phasors
from hil.sim.world import World

DIVIDER_MV_PER_V = 1000.0 / 841.0  # 7 x 120 kohm over 1 kohm [A]
BURDEN_MV_PER_A = 4.8  # CT 1000:1 into 4.8 ohm [A]
BANDWIDTH_HZ = 1100.0  # harmonic bandwidth [DS26 6.1]
# The core of a current transformer takes a share of the primary current to magnetise itself. Its permeability grows
# with the flux (Rayleigh), so the share falls as 1 / (1 + I / DOUBLES_A); the maker trims the turns at TRIMMED_A.
DOUBLES_A = 0.02  # the permeability is twice that of no flux [A]
TRIMMED_A = 1.0  # [A]
STATED_AT_A = 0.05  # where a defect's loss is stated
# A clamp diode across the divider that leaks: an exponential in the crest of the voltage, here a power of it [A].
NOMINAL_V, CLAMP_LOSS, CLAMP_POWER = 230.0, 0.02, 8


@dataclass(frozen=True, slots=True)
class FrontEnd:
    """Divider, current transformer and burden of one meter, with their errors."""

    mv_per_v: float
    mv_per_a: float
    phase: complex
    offset_mv2: float  # crosstalk of voltage into current, as an active power at nominal voltage
    clamp_loss: float = 0.0  # share of the voltage that the clamp diode takes at NOMINAL_V
    core_loss: float = 0.0  # share of the current that the core takes at STATED_AT_A, beyond what it takes at TRIMMED_A

    @classmethod
    def of(cls, world: World, number: int) -> FrontEnd:
        """Draw a front end's tolerances; a fault changes its parts."""
        who, fault = world.individual("meter", f"U{number}"), world.fault
        divider = 1 + float(who.uniform(-0.01, 0.01))
        burden = 1 + float(who.uniform(-0.02, 0.02))
        phase_deg = float(who.uniform(-0.25, 0.25))
        offset_w = float(who.uniform(-2e-3, 2e-3))
        if fault(f"u{number}-gain-out-of-range"):
            burden *= 0.5
        if fault(f"u{number}-phase-error"):
            phase_deg += 12.0
        direction = -1.0 if fault(f"u{number}-ct-reversed") else 1.0
        return cls(
            DIVIDER_MV_PER_V * divider,
            BURDEN_MV_PER_A * burden,
            direction * cmath.rect(1.0, math.radians(phase_deg)),
            offset_w * BURDEN_MV_PER_A / DIVIDER_MV_PER_V / 230.0**2,
            CLAMP_LOSS if fault(f"u{number}-clamp-leaky") else 0.0,
            world.amount(f"u{number}-ct-nonlinear") / 100.0,
        )

    def warmed(self, voltage: float, current: complex) -> FrontEnd:
        """Return it with what temperature multiplies voltage and current by."""
        if voltage == 1.0 and current == 1.0:
            return self
        turn = current / abs(current)
        return replace(
            self,
            mv_per_v=self.mv_per_v * voltage,
            mv_per_a=self.mv_per_a * abs(current),
            phase=self.phase * turn,
        )

    def inputs(self, u: Phasors, i: Phasors, frequency_hz: float) -> Inputs:
        """Return what the chip's pins see of a voltage and a current."""
        u2 = i2 = 0.0
        s = 0j
        for order, volts in u.items():
            if order * frequency_hz > BANDWIDTH_HZ:
                continue
            passed = _passed(order, frequency_hz)
            u2 += abs(volts) ** 2 * passed
            amps = i.get(order)
            if amps is not None:
                i2 += abs(amps) ** 2 * passed
                s += volts * (amps * self.phase).conjugate() * passed
        mv_per_a = self.mv_per_a * self._transformed(math.sqrt(i2))
        mv_per_v = self.mv_per_v * (1.0 - self.clamp_loss * (math.sqrt(u2) / NOMINAL_V) ** CLAMP_POWER)
        u2 *= mv_per_v**2
        s *= mv_per_v * mv_per_a
        return Inputs(u2, i2 * mv_per_a**2, s.real + self.offset_mv2 * u2, s.imag, frequency_hz if u2 else 0.0)

    def _transformed(self, current_a: float) -> float:
        """Return what the transformer makes of a current, as a part of what one without a core's losses would."""
        if not self.core_loss:
            return 1.0
        taken, stated, trimmed = (1.0 / (1.0 + a / DOUBLES_A) for a in (current_a, STATED_AT_A, TRIMMED_A))
        return 1.0 - self.core_loss * (taken - trimmed) / (stated - trimmed)


def _passed(order: int, frequency_hz: float) -> float:
    """Return the share of a harmonic's power that the filters pass, against the fundamental: one pole each [A]."""
    if order == 1:
        return 1.0
    pole2 = (frequency_hz / BANDWIDTH_HZ) ** 2
    return (1.0 + pole2) / (1.0 + order**2 * pole2)
