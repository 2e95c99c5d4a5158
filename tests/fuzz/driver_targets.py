"""Every driver with an instrument behind it that says anything at all.

The first byte, a digit, chooses the method; each line after it is one answer. A driver returns what its role promises,
or blames the bench; a switch-off that returns was read back as off.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fuzz.registry import only, target
from fuzz.wires import Answers, StandingClock
from hil.clock import WaitTimeout
from hil.errors import BadAnswer, Blame, InstrumentRefused, NoAnswer, NoReading, OutOfRange, SetupError, WrongInstrument
from hil.instruments.chroma_61500 import Chroma61500
from hil.instruments.chroma_61600 import ChromaAcSource
from hil.instruments.emc_partner_tra3000 import Tra3000
from hil.instruments.gwinstek_gpt9800 import Gpt9804
from hil.instruments.itech_it8615 import ItechAcLoad
from hil.instruments.keysight_34465a import Keysight34465a
from hil.instruments.keysight_daq970a import KeysightDaq970a
from hil.instruments.keysight_dsox import KeysightDsox
from hil.instruments.keysight_e36312a import KeysightE36312A
from hil.instruments.meatest_m632 import MeatestM632
from hil.instruments.operator_surge import OperatorSurge
from hil.instruments.roles import VoltageStep
from hil.instruments.yokogawa_wt310e import YokogawaWt310e

BENCH = (BadAnswer, InstrumentRefused, NoAnswer, NoReading, WaitTimeout, WrongInstrument)
OFF, ON = {"0", "OFF"}, {"1", "ON"}
Use = Callable[[Any], Any]
NO_ERROR = b'+0,"No error"'


def drive(driver: Any, link: Answers, uses: Sequence[tuple[Use, int]], data: bytes) -> None:
    """Do one use; its number is how many outputs its last answer must show as off, and 0 for any other use."""
    use, outputs = uses[(data[0] - ord("0")) % len(uses)] if data else uses[0]
    with only(*BENCH, blame=Blame.BENCH) as refused:
        result = use(driver)
    if not refused:
        assert_sound(result)
        if outputs and result is not False:
            states = [state.strip().upper() for state in link.last.split(",")]
            assert len(states) == outputs, f"{link.last!r} does not speak of {outputs} outputs"
            assert set(states) <= OFF


def assert_sound(value: Any) -> None:
    """No number that is none gets past a driver; power_factor alone may be nan, as its role says."""
    if isinstance(value, float):
        assert math.isfinite(value)
    elif isinstance(value, np.ndarray):
        assert np.all(np.isfinite(value))
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            if field.name != "power_factor":
                assert_sound(getattr(value, field.name))
    else:
        assert value is None or isinstance(value, str | int | frozenset)


@target(tokens=(b"Chroma ATE 61602,123456,1.00", NO_ERROR, b"OFF", b"230.0"))
def chroma_61600(data: bytes) -> None:
    link = Answers(data[1:])
    uses = (
        (lambda d: d.identify(), 0),
        (lambda d: d.off(), 1),
        (lambda d: d.is_off(), 1),
        (lambda d: d.measure_voltage_v(), 0),
        (lambda d: (d.set_output(230.0, 50.0, 5.0), d.on())[1], 0),
    )
    drive(ChromaAcSource(link, StandingClock()), link, uses, data)


@target(tokens=(b"Chroma ATE 61502,123456,1.00", NO_ERROR, b"OFF", b"FIXED", b"230.0", b"20.0,10.0,10.0"))
def chroma_61500(data: bytes) -> None:
    link = Answers(data[1:])
    uses = (
        (lambda d: d.identify(), 0),
        (lambda d: d.off(), 1),
        (lambda d: (d.set_output(230.0, 50.0, 5.0), d.dip([VoltageStep(0.0, 0.01)], 0.0))[1], 0),
        (lambda d: (d.set_output(230.0, 50.0, 5.0), d.set_harmonics({5: (10.0, 0.0)}))[1], 0),
    )
    drive(Chroma61500(link, StandingClock()), link, uses, data)


@target(tokens=(b"ITECH Ltd., IT8615, 800123456789000001, 1.05-1.03", b"AC", b"0,", NO_ERROR))
def itech_it8615(data: bytes) -> None:
    link = Answers(data[1:])
    uses = (
        (lambda d: d.identify(), 0),
        (lambda d: d.off(), 1),
        (lambda d: d.is_off(), 1),
        (lambda d: d.measure_power_w(), 0),
        (lambda d: d.set_current(1.0, 0.5), 0),
    )
    drive(ItechAcLoad(link, StandingClock()), link, uses, data)


@target(tokens=(b"YOKOGAWA,WT310E,C2RA01234V,F1.03", b"NAN", b"INF", b"250.0E-03", b"STAR", b"STOP", NO_ERROR))
def yokogawa_wt310e(data: bytes) -> None:
    link = Answers(data[1:])
    uses = (
        (lambda d: d.identify(), 0),
        (lambda d: d.measure(), 0),
        (lambda d: d.set_ranges(230.0, 5.0), 0),
        (lambda d: d.stop_integration(), 0),
        (lambda d: d.off(), 0),
        (lambda d: d.start_integration(), 0),
    )
    drive(YokogawaWt310e(link, StandingClock()), link, uses, data)


@target(tokens=(b"Keysight Technologies,34465A,MY59001234,A.03.02", NO_ERROR, b"+9.90000000E+37", b"+9.91E+37"))
def keysight_34465a(data: bytes) -> None:
    link = Answers(data[1:])
    uses = (
        (lambda d: d.identify(), 0),
        (lambda d: d.measure_dc_voltage_v(5.0), 0),
        (lambda d: d.measure_resistance_ohm(42.0), 0),
        (lambda d: d.measure_temperature_c(), 0),
    )
    drive(Keysight34465a(link, StandingClock()), link, uses, data)


@target(tokens=(b"1,0", b"0," * 59 + b"0", NO_ERROR))
def keysight_daq970a(data: bytes) -> None:
    link = Answers(data[1:])

    def close_two(driver: KeysightDaq970a) -> None:
        driver.close_channels([101, 305])
        assert [state.strip() for state in link.last.split(",")] == ["1", "1"], "each of the two was read back"

    uses = (
        (lambda d: d.identify(), 0),
        (lambda d: d.off(), 60),
        (lambda d: d.is_off(), 60),
        (lambda d: d.closed_channels(), 0),
        (lambda d: d.open_channels([101, 102, 305]), 3),
        (close_two, 0),
    )
    drive(KeysightDaq970a(link, StandingClock()), link, uses, data)


@target(tokens=(b"0,0,0", b"0,1,0", b"OFF", NO_ERROR, b"+5.00000000E+00"))
def keysight_e36312a(data: bytes) -> None:
    link = Answers(data[1:])
    uses = (
        (lambda d: d.identify(), 0),
        (lambda d: d.off(), 3),
        (lambda d: d.is_off(), 3),
        (lambda d: d.output_off(2), 1),
        (lambda d: d.measure_current_a(1), 0),
        (lambda d: d.set_output(1, 5.0, 2.0), 0),
    )
    drive(KeysightE36312A(link, StandingClock()), link, uses, data)


@target(tokens=(b"MEATEST,M632,620151,1.00", b"0, No Error", b"ON", b"OFF"))
def meatest_m632(data: bytes) -> None:
    link = Answers(data[1:])
    uses = (
        (lambda d: d.identify(), 0),
        (lambda d: d.off(), 1),
        (lambda d: d.is_off(), 1),
        (lambda d: d.set_resistance(914.5), 0),
    )
    drive(MeatestM632(link, StandingClock()), link, uses, data)


@target(tokens=(b"TRA 1.15", b"TRA3000 F-S-D-V", b"L-N", b"-987.0"))
def emc_partner_tra3000(data: bytes) -> None:
    link = Answers(data[1:])

    def shoot(driver: Tra3000) -> Any:
        try:
            driver.arm(-1000.0, 90.0)
        except SetupError:  # another coupling than L-N: nothing was charged
            return None
        shot = driver.fire()
        assert -1.5 * 1000.0 - 400.0 <= shot.peak_v < 0.0, f"{shot} is no shot of -1000 V"
        return shot

    uses = ((lambda d: d.identify(), 0), (lambda d: d.off(), 1), (lambda d: d.is_off(), 1), (shoot, 0))
    drive(Tra3000(link, StandingClock()), link, uses, data)


@target(
    tokens=(
        b"GPT-9804 ,EZ700031    ,V2.08,",
        b"TEST ON",
        b"TEST OFF",
        b"ACW,VIEW ,0.000kV,000.0 mA ,  ---.-S",
        b"0,No Error",
    )
)
def gwinstek_gpt9800(data: bytes) -> None:
    """What is off was said to be; a result is within what the tester can show."""
    link = Answers(data[1:])
    uses = (
        (lambda d: d.identify(), 0),
        (lambda d: d.off(), 0),
        (lambda d: d.is_off(), 0),
        (lambda d: d._answer(link.ask("MEAS?"), "ACW"), 0),
        (lambda d: d._answer(link.ask("MEAS?"), "IR"), 0),
        (lambda d: d.ground_bond(10.0, 0.1, 0.5), 0),
    )
    drive(Gpt9804(link, StandingClock()), link, uses, data)


@target(tokens=(b"KEYSIGHT TECHNOLOGIES,DSO-X 3024T,MY57452231,07.30", b"#800000004", b"+8", b"+0"))
def keysight_dsox(data: bytes) -> None:
    """The answers of a capture: condition, error queue, preamble; all that is left is the block."""
    link = Answers(data[1:])

    def waveform(driver: KeysightDsox) -> Any:
        shot = driver.read_waveform(1)
        assert len(shot.time_s) == len(shot.voltage_v) > 0
        assert np.all(np.diff(shot.time_s) > 0.0), "time goes on"
        return shot

    def show(driver: KeysightDsox) -> None:
        try:
            driver.set_channel(1, -4.0, 4.0)
        except OutOfRange:  # such a probe does exist, and is the wrong one
            assert float(link.last) > 0.0

    uses = (
        (lambda d: d.identify(), 0),
        (waveform, 0),
        (lambda d: d.is_off(), 0),
        (show, 0),
        (lambda d: d.arm(1, 2.5, True), 0),
    )
    drive(KeysightDsox(link, StandingClock()), link, uses, data)


@target(tokens=(b"armed", b"fired", b"none", b"safe", b"-950", b"0.95 kV"))
def operator_typed(data: bytes) -> None:
    """A person's answers: asked again until they make sense, and a shot is never made of anything else."""
    lines = iter(data.decode(errors="replace").split("\n"))

    def ask(question: str) -> str:
        try:
            return next(lines)
        except StopIteration:
            raise NoAnswer("operator", question, 60.0) from None

    with only(NoReading, NoAnswer, blame=Blame.BENCH) as refused:
        surge = OperatorSurge("operator://", ask, StandingClock())
        surge.arm(1000.0, 0.0)
        shot = surge.fire()
    if not refused:
        assert 0.0 < shot.peak_v <= 1.5 * 1000.0 + 400.0
        assert abs(shot.peak_a) <= shot.peak_v + 950.0 or math.isfinite(shot.peak_a)
        assert surge.is_off()
