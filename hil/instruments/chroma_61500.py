"""Chroma 61500 series programmable AC source (61501 .. 61505): the 61600's commands, with lists and harmonics.

Ref: Chroma 61501/61502/61503/61504 User's Manual 1.6, chapter 8: LIST (8-18), SYNTHESIS and its TRIG (8-26). The
spelling of LIST:DEGRee, LIST:POINts, SYNThesis:* and TRIG PAUSE | CONTINUE is also that of a public program for this
series. Unverified, because those pages were not at hand: milliseconds of LIST:DWELl, and the orders 2 .. 40 and the
50 or 60 Hz of SYNThesis. [A]: in list mode the output stays at its fixed level until TRIG ON and again after the last
point; that is read back. Parameters are changed in fixed mode only (8-26).

A dip is safe without us: its list has an end, OUTP OFF ends it before, and each point begins at the angle that the one
before it ends at, so that the wave never jumps.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from hil.clock import wait_until
from hil.errors import InstrumentRefused, OutOfRange
from hil.instruments.chroma_61600 import MAX_VOLTAGE_V, ChromaAcSource
from hil.instruments.roles import AcSource, VoltageStep
from hil.links.scpi import parse_numbers, tell_checked

MOST_POINTS = 100  # of a list; unverified
MOST_REPEATS = 65535  # LIST:COUNt; 0, which has no end, is never sent
DWELL_STEP_S = 1e-4
LONGEST_DWELL_S = 99999.9
ORDERS = range(2, 41)
MAX_PERCENT = 100.0
FUNDAMENTALS_HZ = (50.0, 60.0)
LEAD_IN_CYCLES = 1.0  # at the set voltage, so that a source that begins a list with a jump does it there
END_DEADLINE_S = 3.0


class Chroma61500(ChromaAcSource):
    """Feeds the unit with mains, dips it, distorts it. Satisfies the AcSource role."""

    ROLE = "AcSource"
    MODEL = "Chroma 61500"
    SERIES = "615"
    can_dip = True
    can_distort = True

    def set_output(self, voltage_v: float, frequency_hz: float, current_limit_a: float) -> None:
        """Set rms voltage, frequency and rms current limit of a sine; the output need not be on."""
        self.check_output(voltage_v, frequency_hz, current_limit_a)
        self._fixed()
        super().set_output(voltage_v, frequency_hz, current_limit_a)

    def on(self) -> None:
        """Switch the output on and wait until the set voltage is there, a sine."""
        self._fixed()
        super().on()

    def dip(self, steps: Sequence[VoltageStep], angle_deg: float, repeat: int = 1) -> None:
        """Run the steps as a list from an angle of the wave on; return in fixed mode, at the set voltage.

        Durations are taken to 0.1 ms. Raises OutOfRange before the wire, InstrumentRefused when the source took another
        list, WaitTimeout when it does not hold its voltage before and after it, or does not end.
        """
        points = self._points(steps, angle_deg)
        if not 1 <= repeat <= MOST_REPEATS:
            raise OutOfRange("dip repeat", repeat, 1, MOST_REPEATS)
        self._fixed()
        try:
            self._load(points, repeat)
            tell_checked(self._link, "OUTP:MODE LIST")
            self._wait_for(self._voltage_v)
            tell_checked(self._link, "TRIG ON")
            self._clock.sleep(repeat * math.fsum(dwell_s for _, dwell_s, _ in points))
            wait_until(self._clock, "the end of the source's list", self._idle, END_DEADLINE_S, step_s=0.02)
        finally:
            self._fixed()
        self._wait_for(self._voltage_v)

    def set_harmonics(self, harmonics: Mapping[int, tuple[float, float]]) -> None:
        """Add harmonics, order 2 .. 40: (percent of the fundamental, degrees at its positive zero crossing).

        The fundamental is the set voltage. Raises OutOfRange before the wire.
        """
        if self._frequency_hz not in FUNDAMENTALS_HZ:
            raise OutOfRange("source's fundamental, Hz", self._frequency_hz, *FUNDAMENTALS_HZ)
        for order, (percent, phase_deg) in harmonics.items():
            if order not in ORDERS:
                raise OutOfRange("harmonic order", order, ORDERS[0], ORDERS[-1])
            if not 0.0 <= percent <= MAX_PERCENT:
                raise OutOfRange(f"harmonic {order}, %", percent, 0.0, MAX_PERCENT)
            if not 0.0 <= phase_deg < 360.0:
                raise OutOfRange(f"harmonic {order}, degrees", phase_deg, 0.0, 360.0)
        share = math.sqrt(1.0 + math.fsum((percent / 100.0) ** 2 for percent, _ in harmonics.values()))
        if not self._voltage_v * share <= MAX_VOLTAGE_V:
            raise OutOfRange("rms voltage with its harmonics, V", self._voltage_v * share, 0.0, MAX_VOLTAGE_V)
        of = [harmonics.get(order, (0.0, 0.0)) for order in ORDERS]
        self._fixed()
        tell_checked(
            self._link,
            f"SOUR:SYNT:COMP PERCENT;:SOUR:SYNT:FUND {self._voltage_v:.1f};:SOUR:SYNT:FREQ {self._frequency_hz:.0f}",
        )
        self._tell_list("SYNT:AMPL", [percent for percent, _ in of], 1)
        self._tell_list("SYNT:PHAS", [phase_deg for _, phase_deg in of], 1)
        tell_checked(self._link, "OUTP:MODE SYNTH")
        tell_checked(self._link, "TRIG ON")
        self._wait_for(self._voltage_v * share)

    def clear_harmonics(self) -> None:
        """Give a sine again, and wait until the set voltage is there."""
        self._fixed()
        self._wait_for(self._voltage_v)

    def _points(self, steps: Sequence[VoltageStep], angle_deg: float) -> list[tuple[float, float, float]]:
        """Return a list's points: volts, seconds, angle at which the wave is when it begins; whole cycles in all."""
        if not 0.0 <= angle_deg < 360.0:
            raise OutOfRange("dip angle_deg", angle_deg, 0.0, 360.0)
        if not self._frequency_hz:
            raise OutOfRange("source's frequency, Hz; set_output sets it", 0.0, *FUNDAMENTALS_HZ)
        for step in steps:
            if not 0.0 <= step.voltage_v <= MAX_VOLTAGE_V:
                raise OutOfRange("dip voltage_v", step.voltage_v, 0.0, MAX_VOLTAGE_V)
            if not DWELL_STEP_S <= step.duration_s <= LONGEST_DWELL_S:
                raise OutOfRange("dip duration_s", step.duration_s, DWELL_STEP_S, LONGEST_DWELL_S)
        if not 1 <= len(steps) <= MOST_POINTS - 2:
            raise OutOfRange("dip steps", len(steps), 1, MOST_POINTS - 2)
        rounded = [
            (voltage_v, round(duration_s / DWELL_STEP_S) * DWELL_STEP_S)
            for voltage_v, duration_s in [
                (self._voltage_v, LEAD_IN_CYCLES / self._frequency_hz),
                *((step.voltage_v, step.duration_s) for step in steps),
            ]
        ]
        cycles = math.fsum(duration_s for _, duration_s in rounded) * self._frequency_hz
        rest_s = (math.ceil(cycles - 1e-6) - cycles) / self._frequency_hz
        if rest_s >= DWELL_STEP_S / 2:
            rounded.append((self._voltage_v, round(rest_s / DWELL_STEP_S) * DWELL_STEP_S))
        points, at_deg = [], angle_deg
        for voltage_v, duration_s in rounded:
            points.append((voltage_v, duration_s, at_deg))
            at_deg = (at_deg + 360.0 * duration_s * self._frequency_hz) % 360.0
        return points

    def _load(self, points: Sequence[tuple[float, float, float]], repeat: int) -> None:
        tell_checked(self._link, f"SOUR:LIST:BASE TIME;:SOUR:LIST:COUN {repeat}")
        volts = [voltage_v for voltage_v, _, _ in points]
        self._tell_list("LIST:DWEL", [1e3 * dwell_s for _, dwell_s, _ in points], 1)
        self._tell_list("LIST:VOLT:AC:STAR", volts, 1)
        self._tell_list("LIST:VOLT:AC:END", volts, 1)
        self._tell_list("LIST:VOLT:DC:STAR", [0.0] * len(points), 1)
        self._tell_list("LIST:VOLT:DC:END", [0.0] * len(points), 1)
        self._tell_list("LIST:FREQ:STAR", [self._frequency_hz] * len(points), 2)
        self._tell_list("LIST:FREQ:END", [self._frequency_hz] * len(points), 2)
        self._tell_list("LIST:DEGR", [at_deg for _, _, at_deg in points], 1)

    def _tell_list(self, header: str, values: Sequence[float], digits: int) -> None:
        """Send one list and read it back."""
        texts = [f"{value:.{digits}f}" for value in values]
        if header == "LIST:DEGR":
            texts = ["0.0" if text == "360.0" else text for text in texts]
        sent, query = f"SOUR:{header} {','.join(texts)}", f"SOUR:{header}?"
        tell_checked(self._link, sent)
        answer = self._link.ask(query)
        taken = parse_numbers(self._link.who, query, answer, len(texts))
        if any(abs(a - float(b)) > 0.6 * 10.0**-digits for a, b in zip(taken, texts, strict=True)):
            raise InstrumentRefused(self._link.who, sent, f"it took {answer}")

    def _idle(self) -> bool:
        return self._link.ask("TRIG:STAT?").strip().upper() == "OFF"

    def _fixed(self) -> None:
        """End what a list or a synthesised wave may be doing; parameters are set in fixed mode only."""
        if self._link.ask("OUTP:MODE?").strip().upper() != "FIXED":
            tell_checked(self._link, "TRIG OFF;:OUTP:MODE FIXED")


DRIVER: type[AcSource] = Chroma61500
