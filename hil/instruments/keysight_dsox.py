"""Keysight InfiniiVision DSOX oscilloscope, SCPI over HiSLIP.

Ref: Keysight InfiniiVision 3000T X-Series Programmer's Guide: :OPERegister:CONDition, :WAVeform commands (p. 1095),
synchronizing acquisitions. Facts: instruments 3.5. A sample at an end of the converter is clipped, not measured.
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import numpy as np

from hil.clock import Clock, wait_until
from hil.errors import BadAnswer, NoReading, OutOfRange
from hil.instruments.accuracy import specified
from hil.instruments.identity import ask_identity
from hil.instruments.roles import Accuracy, Identity, OverRange, Scope, Waveform
from hil.links.scpi import ScpiLink, parse_number, tell_checked

CHANNELS = 4
MIN_SPAN_V, MAX_SPAN_V = 0.008, 40.0  # full screen, 1 mV/div to 5 V/div, times the probe's factor; unverified
MIN_DURATION_S, MAX_DURATION_S = 50e-9, 500.0  # full screen: 10 divisions of 5 ns .. 50 s; unverified
POINTS = 100_000
RUNNING, ARMED = 1 << 3, 1 << 5  # :OPER:COND?
LOWEST_CODE, HIGHEST_CODE = 0x0000, 0xFF00  # 8 bits shifted left into 16; 0 is a hole or clipped
WORD = 1  # format field of the preamble
ARM_DEADLINE_S = 5.0


class Preamble(NamedTuple):
    """What :WAV:PRE? answers, in its order."""

    format: float
    type: float
    points: float
    averages: float
    x_increment: float
    x_origin: float
    x_reference: float
    y_increment: float
    y_origin: float
    y_reference: float


class KeysightDsox:
    """Captures single shots. Satisfies the Scope role; probe attenuation is what the scope senses at its inputs."""

    ROLE = "Scope"
    MODEL = "Keysight InfiniiVision DSOX"
    LINK: ClassVar[dict[str, str | float]] = {"read_termination": "\n", "write_termination": "\n", "timeout_s": 5.0}

    def __init__(self, link: ScpiLink, clock: Clock) -> None:
        self._link, self._clock = link, clock
        self._duration_s = self._pre_trigger_s = 0.0

    def identify(self) -> Identity:
        return ask_identity(self._link, self.MODEL, r"[DM]SO-?X ?\d{4}[A-Z]*")

    def set_timebase(self, duration_s: float, pre_trigger_s: float) -> None:
        """Set the length of the record, in seconds, and how much of it lies before the trigger."""
        if not MIN_DURATION_S <= duration_s <= MAX_DURATION_S:
            raise OutOfRange("scope duration_s", duration_s, MIN_DURATION_S, MAX_DURATION_S)
        if not 0.0 <= pre_trigger_s <= duration_s:
            raise OutOfRange("scope pre_trigger_s", pre_trigger_s, 0.0, duration_s)
        centre_s = duration_s / 2 - pre_trigger_s  # :TIM:POS: from the trigger to the reference, the screen's centre
        tell_checked(self._link, f":TIM:MODE MAIN;:TIM:REF CENT;:TIM:RANG {duration_s:.9g};:TIM:POS {centre_s:.9g}")
        self._duration_s, self._pre_trigger_s = duration_s, pre_trigger_s

    def set_channel(self, channel: int, low_v: float, high_v: float) -> None:
        """Show one channel, DC coupled, with low_v at the bottom of the screen and high_v at its top."""
        _check_channel(channel)
        name = f":CHAN{channel}"
        span_v, middle_v = high_v - low_v, (high_v + low_v) / 2
        if span_v <= 0.0:
            raise OutOfRange(f"scope channel {channel} span, V", span_v, MIN_SPAN_V, MAX_SPAN_V)
        probe = parse_number(self._link.who, f"{name}:PROB?", self._link.ask(f"{name}:PROB?"))
        if probe <= 0.0:
            raise BadAnswer(self._link.who, f"{name}:PROB?", f"{probe:g}", "no attenuation")
        if not MIN_SPAN_V * probe <= span_v <= MAX_SPAN_V * probe:
            raise OutOfRange(f"scope channel {channel} span, V", span_v, MIN_SPAN_V * probe, MAX_SPAN_V * probe)
        tell_checked(self._link, f"{name}:DISP ON;{name}:COUP DC;{name}:RANG {span_v:.6g};{name}:OFFS {middle_v:.6g}")

    def arm(self, channel: int, level_v: float, rising: bool) -> None:
        """Start a single shot on an edge and wait until the scope says that it is armed, its pre-trigger filled."""
        _check_channel(channel)
        slope = "POS" if rising else "NEG"
        tell_checked(
            self._link,
            f":TRIG:MODE EDGE;:TRIG:SWE NORM;:TRIG:EDGE:SOUR CHAN{channel};:TRIG:EDGE:LEV {level_v:.6g};"
            f":TRIG:EDGE:SLOP {slope}",
        )
        tell_checked(self._link, ":SING")
        wait_until(
            self._clock,
            "the scope to arm",
            self._armed_or_done,
            ARM_DEADLINE_S + self._duration_s,
            step_s=max(0.001, self._pre_trigger_s / 10),
        )

    def trigger(self) -> None:
        """Trigger the armed single shot now, whatever the signal does (:TRIGger:FORCe)."""
        tell_checked(self._link, ":TRIG:FORC")

    def triggered(self) -> bool:
        """Return whether the single shot is complete."""
        return not self._condition() & RUNNING

    def read_waveform(self, channel: int, allow_overdrive: bool = False) -> Waveform:
        _check_channel(channel)
        if not self.triggered():
            raise NoReading(self._link.who, ":WAV:DATA?", "", "the single shot is not complete: no trigger came")
        tell_checked(
            self._link,
            f":WAV:SOUR CHAN{channel};:WAV:FORM WORD;:WAV:BYT LSBF;:WAV:UNS 1;:WAV:POIN:MODE RAW;:WAV:POIN {POINTS}",
        )
        preamble = self._preamble()
        data = self._link.ask_block(":WAV:DATA?")
        codes = np.frombuffer(data[: len(data) // 2 * 2], dtype="<u2")
        if len(codes) != preamble.points or not len(codes):
            raise BadAnswer(self._link.who, ":WAV:DATA?", f"{len(data)} bytes", f"not {preamble.points:g} words")
        above = codes >= HIGHEST_CODE
        clipped = int(np.count_nonzero(codes <= LOWEST_CODE)) + (0 if allow_overdrive else int(np.count_nonzero(above)))
        if clipped:
            raise OverRange(
                self._link.who, ":WAV:DATA?", f"{clipped} of {len(codes)} samples", f"channel {channel} is clipped"
            )
        index = np.arange(len(codes), dtype=np.float64)
        time_s = (index - preamble.x_reference) * preamble.x_increment + preamble.x_origin
        if not np.all(np.diff(time_s) > 0.0):
            raise BadAnswer(self._link.who, ":WAV:PRE?", f"{preamble.x_origin:g} s", "too far away for the increment")
        voltage_v = (codes.astype(np.float64) - preamble.y_reference) * preamble.y_increment + preamble.y_origin
        return Waveform(time_s, voltage_v, bool(above.any()))

    def time_accuracy_s(self, interval_s: float) -> Accuracy:
        """Return an interval between two samples with the accuracy of the time base."""
        return specified("keysight_dsox", "time_interval", interval_s)

    def voltage_accuracy_v(self, voltage_v: float, low_v: float, high_v: float) -> Accuracy:
        """Return a voltage with its accuracy on a channel that shows low_v at the bottom and high_v at the top."""
        return specified("keysight_dsox", "dc_voltage", voltage_v, full_scale_v=high_v - low_v)

    def off(self) -> None:
        """Stop acquiring; a scope energises nothing."""
        self._link.tell(":STOP")

    def is_off(self) -> bool:
        return not self._condition() & RUNNING

    def close(self) -> None:
        self._link.close()

    def _armed_or_done(self) -> bool:
        condition = self._condition()
        return bool(condition & ARMED) or not condition & RUNNING

    def _condition(self) -> int:
        return int(parse_number(self._link.who, ":OPER:COND?", self._link.ask(":OPER:COND?")))

    def _preamble(self) -> Preamble:
        text = self._link.ask(":WAV:PRE?")
        fields = text.split(",")
        if len(fields) != len(Preamble._fields):
            raise BadAnswer(self._link.who, ":WAV:PRE?", text, f"not {len(Preamble._fields)} fields")
        preamble = Preamble(*(parse_number(self._link.who, ":WAV:PRE?", field) for field in fields))
        if preamble.format != WORD:
            raise BadAnswer(self._link.who, ":WAV:PRE?", text, "not in WORD format")
        if not (preamble.x_increment > 0.0 and preamble.y_increment > 0.0):
            raise BadAnswer(self._link.who, ":WAV:PRE?", text, "an increment is not greater than zero")
        return preamble


def _check_channel(channel: int) -> None:
    if not 1 <= channel <= CHANNELS:
        raise OutOfRange("scope channel", channel, 1, CHANNELS)


DRIVER: type[Scope] = KeysightDsox
