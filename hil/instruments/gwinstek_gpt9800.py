"""GW Instek GPT-9804 electrical safety tester: ACW, DCW, IR and GB, on its serial line or USB virtual port.

Ref: GPT-9800 and GPT-9900 series user manual, p. 46 (test time, discharge) and p. 116-153: syntax, MEAS?, MANU:*, TIME
ERR, *IDN?. Facts: instruments 3.9. What settings and FUNC:TEST? answer is read off other people's drivers and logs of
real testers: "2.503kV", "0023M ohm", "TEST OFF". Assumed [A]: milliohms as "015.3m ohm", that FUNC:TEST? says ON until
the unit is discharged, and that FUNC:TEST OFF after a test brings the display back from its result to VIEW.

A setting is dropped without a word while a test runs or where it is misspelt, so each is read back before one starts.
From the start of a test to its end only questions are sent, or the command to stop; after an error that alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

from hil.clock import Clock, wait_until
from hil.errors import BadAnswer, HilError, InstrumentRefused, NoReading, OutOfRange, WrongInstrument
from hil.instruments.accuracy import specified
from hil.instruments.roles import Accuracy, EarthBond, HipotTester, Identity, Insulation, Withstand
from hil.links.scpi import ScpiLink

NAME = "gwinstek_gpt9800"
IDENTITY = r"GPT-[0-9A-Z]+ *,.*"  # "GPT-9804 ,EZ700031    ,V2.08,"
STEP = 100  # of the memory for manual tests: the last; whatever is stored there is overwritten
AC_V, DC_V, INSULATION_V, BOND_A = (100.0, 5000.0), (100.0, 6100.0), (50.0, 1000.0), (3.0, 32.0)
AC_LIMIT_A, DC_LIMIT_A = (1e-6, 42e-3), (1e-6, 11e-3)
BOND_LIMIT_OHM, BOND_MOST_V = (1e-4, 0.650), 5.4  # current x limit; the error is GBV Over 5.4V
DC_MOST_W = 50.0  # voltage x limit; the error is DC Over 50W
RAMP_S, TEST_S, INSULATION_S = (0.1, 999.9), (0.5, 999.9), (1.0, 999.9)
LONG_S, LONG_A = 240.0, 30e-3  # TIME ERR: ramp and test together, with a limit above this, a.c. only
START_S = 0.3  # after FUNC:TEST ON it waits 0.1 s itself; from then on it can be asked whether it has ended
POLLS, LONGEST_STEP_S = 10, 2.0  # in the time that a test lasts; a unit that flashes over ends it early
INSULATION_RAMP_S = 0.1
INSULATION_TOP_OHM = 9500e6  # the display goes to 9999 Mohm
END_DEADLINE_S = 10.0  # after the time it should take; the discharge is in it
POLL_S = 0.1
SHOWN_S = 0.1  # digit of the elapsed time
APPLIED_SHARE = 0.1  # by which a PASS may be at another voltage or current than was asked; its error is 1 % + 5 V [A]
HARMLESS_V = 30.0
FREQUENCIES_HZ = (50.0, 60.0)
NUMBER = re.compile(r"([0-9]+\.?[0-9]*) *([A-Za-z ]*?) *")
ELAPSED = re.compile(r"[A-Z]=([0-9]+\.[0-9])S")
SCALES = {
    "kV": 1e3,
    "V": 1.0,
    "mA": 1e-3,
    "uA": 1e-6,
    "A": 1.0,
    "m ohm": 1e-3,
    "mohm": 1e-3,
    "M ohm": 1e6,
    "G ohm": 1e9,
}
RUNNING, FINISHED = {"TEST ON": True, "TEST OFF": False}, {"PASS": True, "FAIL": False}
RANGES_A = (1e-3, 10e-3, 42e-3)  # of the current's display, by the trip limit


@dataclass(frozen=True, slots=True)
class _Answer:
    """What MEAS? said: mode, status, what was applied and what came of it in SI units, seconds with their letter."""

    mode: str
    status: str
    applied: float
    measured: float
    phase: str
    seconds: float


class Gpt9804:
    """Puts high voltage or a high current on a unit, one test at a time. Satisfies the HipotTester role."""

    ROLE = "HipotTester"
    MODEL = "GW Instek GPT-9804"
    LINK: ClassVar[dict[str, str | int]] = {
        "read_termination": "\n",
        "write_termination": "\r\n",
        "baud_rate": 115200,  # its menu offers 9600 to 115200; the virtual port does not mind
        "identity": IDENTITY,
    }

    def __init__(self, link: ScpiLink, clock: Clock) -> None:
        self._link, self._clock = link, clock

    def identify(self) -> Identity:
        """Ask who it is, and have it speak only when it is asked."""
        text = self._link.ask("*IDN?")
        fields = [part.strip() for part in text.split(",")]
        if fields[0] != "GPT-9804" or len(fields) < 3:
            raise WrongInstrument(self._link.who, self._link.where, self.MODEL, text)
        self._link.tell("TEST:RET OFF")
        return Identity("GW Instek", fields[0], fields[1], fields[2])

    def withstand(
        self, voltage_v: float, frequency_hz: float, limit_a: float, ramp_s: float, test_s: float
    ) -> Withstand:
        """Raise the voltage in ramp_s, hold it for test_s, discharge. frequency_hz is 50 or 60, or 0 for d.c.

        limit_a is the trip current: the tester stops there by itself and says FAIL, which is a result.
        """
        ac = frequency_hz != 0.0
        if ac and frequency_hz not in FREQUENCIES_HZ:
            raise OutOfRange("withstand frequency_hz", frequency_hz, *FREQUENCIES_HZ)
        _within("withstand voltage_v", voltage_v, *(AC_V if ac else DC_V))
        _within("withstand limit_a", limit_a, *(AC_LIMIT_A if ac else DC_LIMIT_A))
        _within("withstand ramp_s", ramp_s, *RAMP_S)
        _within("withstand test_s", test_s, *TEST_S)
        if ac and limit_a > LONG_A and ramp_s + test_s >= LONG_S:
            raise OutOfRange("withstand ramp_s + test_s", ramp_s + test_s, 0.0, LONG_S)
        if not ac:
            _within("withstand voltage_v x limit_a, in W,", voltage_v * limit_a, 0.0, DC_MOST_W)
        mode = "ACW" if ac else "DCW"
        self._prepare(
            mode,
            {
                f"MANU:{mode}:VOLT": f"{voltage_v / 1e3:.3f}",
                f"MANU:{mode}:CHIS": f"{limit_a * 1e3:.3f}",
                f"MANU:{mode}:CLOS": "0.000",
                f"MANU:{mode}:TTIM": f"{test_s:.1f}",
                **({f"MANU:{mode}:FREQ": f"{frequency_hz:.0f}"} if ac else {}),
                f"MANU:{mode}:REF": "0.000",  # what a person has set at the panel would be subtracted
                "MANU:RTIM": f"{ramp_s:.1f}",
            },
        )
        answer = self._test(mode, voltage_v, ramp_s, test_s)
        passed = FINISHED[answer.status]
        return Withstand(
            voltage_v=answer.applied,
            current_a=answer.measured,
            passed=passed,
            arc=not passed and answer.measured < limit_a,
            held_s=answer.seconds if answer.phase == "T" else 0.0,
        )

    def insulation(self, voltage_v: float, test_s: float) -> Insulation:
        """Measure a resistance at a d.c. voltage, a multiple of 50 V; beyond 9.5 Gohm the value is a lower bound."""
        _within("insulation voltage_v", voltage_v, *INSULATION_V)
        if voltage_v % 50.0:
            raise OutOfRange("insulation voltage_v modulo 50 V", voltage_v % 50.0, 0.0, 0.0)
        _within("insulation test_s", test_s, *INSULATION_S)
        self._prepare(
            "IR",
            {
                "MANU:IR:VOLT": f"{voltage_v / 1e3:.3f}",
                "MANU:IR:RHIS": "9999",
                "MANU:IR:RLOS": "1",
                "MANU:IR:TTIM": f"{test_s:.1f}",
                "MANU:IR:REF": "0",
                "MANU:RTIM": f"{INSULATION_RAMP_S:.1f}",
            },
        )
        answer = self._test("IR", voltage_v, INSULATION_RAMP_S, test_s)
        beyond = answer.measured > INSULATION_TOP_OHM
        return Insulation(min(answer.measured, INSULATION_TOP_OHM), beyond, answer.applied, FINISHED[answer.status])

    def ground_bond(self, current_a: float, limit_ohm: float, test_s: float) -> EarthBond:
        """Measure a resistance in four wires at a current; beyond 650 mohm the value is a lower bound."""
        _within("earth bond current_a", current_a, *BOND_A)
        _within("earth bond limit_ohm", limit_ohm, *BOND_LIMIT_OHM)
        _within("earth bond current_a x limit_ohm, in V,", current_a * limit_ohm, 0.0, BOND_MOST_V)
        _within("earth bond test_s", test_s, *TEST_S)
        self._prepare(
            "GB",
            {
                "MANU:GB:CURR": f"{current_a:.2f}",
                "MANU:GB:RHIS": f"{limit_ohm * 1e3:.1f}",
                "MANU:GB:RLOS": "0.0",
                "MANU:GB:TTIM": f"{test_s:.1f}",
                "MANU:GB:REF": "0.0",
            },
        )
        answer = self._test("GB", current_a, 0.0, test_s)
        top_ohm = BOND_LIMIT_OHM[1]
        beyond = answer.measured > top_ohm or answer.applied < current_a / 2.0
        return EarthBond(top_ohm if beyond else answer.measured, beyond, answer.applied, FINISHED[answer.status])

    def voltage_accuracy_v(self, voltage_v: float, ac: bool = True) -> Accuracy:
        """Return a voltage it has set or measured with its half-width."""
        return specified(NAME, "ac_voltage" if ac else "dc_voltage", voltage_v)

    def current_accuracy_a(self, current_a: float, limit_a: float, ac: bool = True) -> Accuracy:
        """Return a leakage current with its half-width, in the range that the trip limit chooses."""
        range_a = next((one for one in RANGES_A if limit_a <= one), None)
        if range_a is None:
            raise OutOfRange("hipot tester limit_a", limit_a, 0.0, RANGES_A[-1])
        return specified(NAME, "ac_current" if ac else "dc_current", current_a, {"A": range_a})

    def insulation_accuracy_ohm(self, resistance_ohm: float) -> Accuracy:
        """Return an insulation resistance, measured at 500 V or more, with its half-width."""
        return specified(NAME, "insulation_resistance", resistance_ohm)

    def bond_accuracy_ohm(self, resistance_ohm: float) -> Accuracy:
        """Return an earth bond's resistance with its half-width."""
        return specified(NAME, "earth_bond_resistance", resistance_ohm)

    def off(self) -> None:
        """Stop, and wait until it has discharged what it charged. Safe in any state, any number of times."""
        self._link.tell("FUNC:TEST OFF")
        wait_until(self._clock, "the hipot tester to stop and discharge", self.is_off, END_DEADLINE_S, POLL_S)

    def is_off(self) -> bool:
        if self._running():
            return False
        answer = self._link.ask("MEAS?")
        fields = self._fields(answer)
        if fields[1] in FINISHED:  # of a test that is over, discharge included
            return True
        applied, unit = self._quantity(answer, fields[2])
        return unit.endswith("A") or applied < HARMLESS_V

    def close(self) -> None:
        self._link.close()

    # -- one test ------------------------------------------------------------------------------------------------------

    def _prepare(self, mode: str, settings: dict[str, str]) -> None:
        """Stop whatever runs, set everything, and read everything back."""
        self.off()
        for command in ("*CLS", "TEST:RET OFF", "MAIN:FUNC MANU", f"MANU:STEP {STEP}", f"MANU:EDIT:MODE {mode}"):
            self._link.tell(command)
        for name, value in settings.items():
            self._link.tell(f"{name} {value}")
        error = self._link.ask("SYST:ERR?")
        if not re.match(r"0(,|$)", error):
            raise InstrumentRefused(self._link.who, f"settings of {mode}", error)
        now = self._link.ask("MANU:EDIT:MODE?")
        if now != mode:
            raise InstrumentRefused(self._link.who, f"MANU:EDIT:MODE {mode}", f"it is in mode {now}")
        for name, value in settings.items():
            answer = self._link.ask(f"{name}?")
            found = NUMBER.fullmatch(answer)
            if not found:
                raise BadAnswer(self._link.who, f"{name}?", answer, "no number")
            if float(found[1]) != float(value):
                raise InstrumentRefused(self._link.who, f"{name} {value}", f"it is set to {answer}")
        if self._fields(shown := self._link.ask("MEAS?"))[1] in FINISHED:  # were the start dropped, it would be ours
            raise InstrumentRefused(self._link.who, "FUNC:TEST OFF", f"it shows the result of an earlier test: {shown}")

    def _test(self, mode: str, asked: float, ramp_s: float, test_s: float) -> _Answer:
        """Run the test that is set, once, and return its result; it is off and discharged then.

        `asked` is the voltage or current it is set to: a PASS of anything else, or of a shorter time, is no reading.
        """
        lasts_s = ramp_s + test_s
        with self._stopped_on_error():
            self._link.tell("FUNC:TEST ON")
            self._running()  # it answers: the command has arrived, and the time counts from here
            self._clock.sleep(START_S)
            ran = self._running()
            step_s = min(LONGEST_STEP_S, max(POLL_S, lasts_s / POLLS))
            if ran:
                self._clock.sleep(step_s)
                wait_until(self._clock, "the hipot tester to end", self._ended, lasts_s + END_DEADLINE_S, step_s)
            text = self._link.ask("MEAS?")
            answer = self._answer(text, mode)
            if FINISHED[answer.status]:
                held = answer.phase == "T" and answer.seconds >= test_s - 1.5 * SHOWN_S
                if not ran or not held or abs(answer.applied - asked) > APPLIED_SHARE * asked:
                    why = f"a PASS, but not of {test_s:g} s at {asked:g} {'A' if mode == 'GB' else 'V'}"
                    raise NoReading(self._link.who, "MEAS?", text, why)
        self.off()
        return answer

    @contextmanager
    def _stopped_on_error(self) -> Iterator[None]:
        """Send the command to stop, and nothing else, when anything goes wrong."""
        try:
            yield
        except BaseException as error:
            try:
                self._link.tell("FUNC:TEST OFF")
            except HilError as second:
                error.add_note(f"and the command to stop did not get through: {second}")
            raise

    def _ended(self) -> bool:
        return not self._running()

    def _running(self) -> bool:
        answer = self._link.ask("FUNC:TEST?").upper()
        if answer not in RUNNING:
            raise BadAnswer(self._link.who, "FUNC:TEST?", answer, "neither TEST ON nor TEST OFF")
        return RUNNING[answer]

    def _answer(self, text: str, mode: str) -> _Answer:
        fields = self._fields(text)
        if fields[0] != mode:
            raise BadAnswer(self._link.who, "MEAS?", text, f"not of a test of {mode}")
        if fields[1] not in FINISHED:
            raise NoReading(self._link.who, "MEAS?", text, "the test was stopped before its end")
        applied, applied_unit = self._quantity(text, fields[2])
        measured, measured_unit = self._quantity(text, fields[3])
        resistance, bond = mode in {"IR", "GB"}, mode == "GB"
        if applied_unit.endswith("A") != bond or measured_unit.endswith("ohm") != resistance:
            raise BadAnswer(self._link.who, "MEAS?", text, f"not the units of {mode}")
        elapsed = ELAPSED.fullmatch(fields[4])
        if not elapsed:
            raise BadAnswer(self._link.who, "MEAS?", text, "no time")
        return _Answer(mode, fields[1], applied, measured, fields[4][0], float(elapsed[1]))

    def _fields(self, text: str) -> list[str]:
        """Return mode, status, what is applied, what is measured, and the time."""
        fields = [part.strip() for part in text.strip("<> ").split(",")]
        if len(fields) != 5 or fields[0] not in {"ACW", "DCW", "IR", "GB"}:
            raise BadAnswer(self._link.who, "MEAS?", text, "not a test's five fields")
        return fields

    def _quantity(self, text: str, field: str) -> tuple[float, str]:
        """Return a number in SI units, and the unit as it was given."""
        found = NUMBER.fullmatch(field)
        if not found or found[2] not in SCALES:
            raise BadAnswer(self._link.who, "MEAS?", text, f"{field!r} is no number with a unit")
        return float(found[1]) * SCALES[found[2]], found[2]


def _within(what: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise OutOfRange(what, value, low, high)


DRIVER: type[HipotTester] = Gpt9804
