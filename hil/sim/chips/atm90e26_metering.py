"""What an ATM90E26 makes of the millivolts at its analog pins: energies in pulses, averages for its registers.

Ref: Atmel-46002B [DS26] 3.2, 5.4; Atmel-46102B [AN26] chapter 3 (facts smart-power 3.4, 3.6).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

# PL constant = 838860800 GL VL VU / (MC Un Ib) [AN26 3]; pulses per second follow: mV^2 x this / PL constant.
PULSES_PER_MV2_S = 838860800 / 3.6e6
THRESHOLD_PER_MV2 = 93.2067556  # PStartTh = 93.2067556 GL VL VU K [AN26 3]
PHI_S = 1 / 2.048e6  # one count of Lphi is a delay; at 50 Hz and 0.5L it is 1/3763.74 of the power, as [AN26 3] says
UPDATE_S = 0.32  # [DS26] does not state it [A]


@dataclass(frozen=True, slots=True)
class Inputs:
    """Steady signals at the pins: mean squares in mV^2, power products in mV^2, frequency in Hz."""

    u2: float = 0.0
    i2: float = 0.0
    p: float = 0.0
    q: float = 0.0
    frequency_hz: float = 0.0


@dataclass(frozen=True, slots=True)
class Correction:
    """What the metering registers do to a power product."""

    gain: float = 1.0
    phi_counts: int = 0
    p_offset_mv2: float = 0.0
    q_offset_mv2: float = 0.0

    def apply(self, inputs: Inputs) -> tuple[float, float]:
        """Return the corrected active and reactive products, in mV^2."""
        turn = 2 * math.pi * inputs.frequency_hz * PHI_S * self.phi_counts
        cos, sin = math.cos(turn), math.sin(turn)
        p = (inputs.p * cos - inputs.q * sin) * self.gain + self.p_offset_mv2
        q = (inputs.q * cos + inputs.p * sin) * self.gain + self.q_offset_mv2
        return p, q


class InputHistory:
    """The last second of inputs, to average over one update interval."""

    def __init__(self) -> None:
        self._pieces: list[tuple[float, Inputs]] = [(-math.inf, Inputs())]

    @property
    def last(self) -> Inputs:
        """The inputs now."""
        return self._pieces[-1][1]

    def begin(self, t_s: float, inputs: Inputs) -> None:
        """Let new inputs hold from t_s on."""
        pieces = self._pieces
        pieces.append((t_s, inputs))
        while len(pieces) > 2 and pieces[1][0] < t_s - 1.0:
            del pieces[0]

    def mean(self, t0_s: float, t1_s: float) -> Inputs:
        """Return the averages over (t0_s, t1_s); the frequency is the last one."""
        pieces = self._pieces
        last_s, last = pieces[-1]
        if last_s <= t0_s:
            return last
        u2 = i2 = p = q = hertz = 0.0
        until_s = math.inf
        for start_s, inputs in reversed(pieces):
            width_s = min(until_s, t1_s) - max(start_s, t0_s)
            if width_s > 0.0:
                u2 += inputs.u2 * width_s
                i2 += inputs.i2 * width_s
                p += inputs.p * width_s
                q += inputs.q * width_s
                hertz = hertz or inputs.frequency_hz
            if start_s <= t0_s:
                break
            until_s = start_s
        span_s = t1_s - t0_s
        return Inputs(u2 / span_s, i2 / span_s, p / span_s, q / span_s, hertz)


class EnergyCounter:
    """Forward, reverse and absolute pulses of one kind of power, with its threshold and direction.

    A no-load threshold of 0 means no separate one: the start-up threshold then starts and stops the metering [A].
    """

    def __init__(self) -> None:
        self.pulses = [0.0, 0.0, 0.0]  # forward, reverse, absolute
        self.no_load = True
        self.reversed = False
        self._towards_pulse = [0.0, 0.0]

    def accumulate(self, duration_s: float, power_mv2: float, pl_constant: int, start_th: int, no_load_th: int) -> bool:
        """Count duration_s of a steady power; return whether the direction changed."""
        level = abs(power_mv2) * THRESHOLD_PER_MV2
        if level >= start_th:
            self.no_load = False
        elif level < (no_load_th or start_th):
            self.no_load = True
        if self.no_load or duration_s <= 0.0 or not pl_constant:
            return False
        pulses = abs(power_mv2) * PULSES_PER_MV2_S / pl_constant * duration_s
        direction = int(power_mv2 < 0)
        self.pulses[direction] += pulses
        self.pulses[2] += pulses
        self._towards_pulse[direction] += pulses
        if self._towards_pulse[direction] < 1.0:
            return False
        self._towards_pulse[direction] %= 1.0
        changed = self.reversed != bool(direction)
        self.reversed = bool(direction)  # at a whole pulse [DS26 5.4]
        return changed

    def word(self, which: int) -> int:
        """Return the register: tenths of a pulse, wrapping after FFFF."""
        return int(self.pulses[which] * 10 + 1e-9) & 0xFFFF

    def take(self, which: int, word: int) -> None:
        """Clear what was read; the remainder below 0.1 pulse stays."""
        tenths = int(self.pulses[which] * 10 + 1e-9)
        self.pulses[which] -= ((tenths & ~0xFFFF) + word) / 10
