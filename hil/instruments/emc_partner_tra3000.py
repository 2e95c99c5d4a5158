"""EMC Partner TRA3000 transient generator, its surge part, by its ASCII set on a serial line.

Ref: TRA3000 user manual, p. 134-135 (LC, VPK, IPK, ID, FID, REN, GTL, E), p. 26 (mains synchronisation), p. 145 (wave).
Facts: instruments 3.8. A setting answers nothing; E? tells of the setting before it. The pages before 134, which
set and fire, are not public: what stands for them is in ASSUMED, and nowhere else.
"""

from __future__ import annotations

import re
from typing import ClassVar

from hil.clock import Clock, WaitTimeout, wait_until
from hil.errors import BadAnswer, InstrumentRefused, NoReading, SetupError, WrongInstrument
from hil.instruments.accuracy import specified
from hil.instruments.combination_wave import can_be_peak, check_setting
from hil.instruments.roles import Accuracy, Identity, SurgeGenerator, SurgeShot
from hil.links.scpi import ScpiLink, parse_number

ASSUMED = {  # [A] all of it, VNOM's name apart; compare with the remote chapter of the manual that came with the unit
    "level": "VNOM {:.0f}",  # V, magnitude
    "polarity": "POL {}",  # POS, NEG
    "angle": "PHI {}",  # degrees of the mains
    "charge": "TEST",
    "fire": "TRIG",
    "discharge": "STBY",  # "standby-mode" is error 5's word
    "state": "ST?",
}
STANDBY, READY, STATES = (
    "0",
    "2",
    {"0", "1", "2", "3"},
)  # answers to the state [A]; 1 is charging, 3 triggered; a pulse ends in standby
IDENTITY = r"TRA (\d+\.\d+)"  # ID?
COUPLINGS = {"IMP-OUT", "L-N", "L-PE", "N-PE"}
COUPLING = "L-N"  # LC?, of the automatic coupling network; no public page says how to set it
MIN_LEVEL_V, MAX_LEVEL_V = 200.0, 4400.0  # unverified; VPK? answers up to 5000
CHARGE_DEADLINE_S = 60.0  # [A]
FIRE_DEADLINE_S = 5.0  # [A]; a period of the mains, and what it does afterwards
DISCHARGE_DEADLINE_S = 20.0  # [A]
ERRORS = {
    1: "command only allowed in remote",
    2: "unknown command",
    3: "argument not permitted",
    4: "no query allowed",
    5: "command only allowed in standby",
    8: "time-out on the line",
    16: "parity error on the line",
    32: "input buffer overflow",
    64: "other error",
}


class Tra3000:
    """Fires one combination wave at a time, line to neutral. Satisfies the SurgeGenerator role."""

    ROLE = "SurgeGenerator"
    MODEL = "EMC Partner TRA3000"
    LINK: ClassVar[dict[str, str | int]] = {  # the line's settings are assumed as well [A]
        "read_termination": "\n",
        "write_termination": "\r\n",
        "baud_rate": 9600,
        "sentinel": "ID?",
        "identity": IDENTITY,
    }

    def __init__(self, link: ScpiLink, clock: Clock) -> None:
        self._link, self._clock = link, clock
        self._level_v = 0.0

    def identify(self) -> Identity:
        """Ask for family, version and full name, and take it into remote control; it tells no serial number."""
        short, full = self._link.ask("ID?"), self._link.ask("FID?")
        version = re.fullmatch(r"TRA ([0-9]+\.[0-9]+)", short)
        if not version or not full.startswith("TRA3000"):
            raise WrongInstrument(self._link.who, self._link.where, self.MODEL, f"{short}, {full}")
        self._set("REN")
        return Identity("EMC Partner", full, "", version[1])

    def arm(self, level_v: float, angle_deg: float) -> None:
        """Charge to a level, in volts with its polarity, for one pulse at a phase angle of the mains; takes seconds."""
        check_setting(level_v, angle_deg, MIN_LEVEL_V, MAX_LEVEL_V)
        self.off()  # settings are taken in standby only
        coupling = self._link.ask("LC?")
        if coupling not in COUPLINGS:
            raise BadAnswer(self._link.who, "LC?", coupling, "no coupling the manual lists")
        if coupling != COUPLING:
            raise SetupError(f"{self._link.who} is coupled to {coupling}", f"set {COUPLING} at its coupling network")
        self._set(ASSUMED["level"].format(abs(level_v)))
        self._set(ASSUMED["polarity"].format("POS" if level_v > 0.0 else "NEG"))
        self._set(ASSUMED["angle"].format(round(angle_deg) % 360))
        self._set(ASSUMED["charge"])
        wait_until(self._clock, "the surge generator to charge", lambda: self._is(READY), CHARGE_DEADLINE_S, 0.1)
        self._level_v = level_v

    def fire(self) -> SurgeShot:
        """Fire once and return what it measured, in volts and amperes; it is in standby then, shot or no shot."""
        level_v, self._level_v = self._level_v, 0.0
        if not level_v or not self._is(READY):
            raise NoReading(self._link.who, ASSUMED["fire"], "", "it is not charged: arm it first")
        self._set(ASSUMED["fire"])
        try:
            wait_until(self._clock, "the surge", lambda: self._is(STANDBY), FIRE_DEADLINE_S, 0.01)
        except WaitTimeout as error:
            self.off()
            raise NoReading(self._link.who, ASSUMED["fire"], "", "no pulse came; does it see the mains?") from error
        shot = SurgeShot(self._number("VPK?"), self._number("IPK?"))
        if not can_be_peak(shot.peak_v, level_v):  # it is an earlier one's; one that was the same is not told apart
            raise NoReading(self._link.who, "VPK?", f"{shot.peak_v:g}", f"not the peak of a pulse of {level_v:g} V")
        return shot

    def accuracy_v(self, peak_v: float) -> Accuracy:
        """Return a peak voltage with its half-width, in volts."""
        return specified("emc_partner_tra3000", "peak_voltage", peak_v)

    def off(self) -> None:
        """Discharge it and wait until it says standby. Safe in any state, any number of times."""
        self._set("REN")
        self._set(ASSUMED["discharge"])
        wait_until(self._clock, "the surge generator to discharge", self.is_off, DISCHARGE_DEADLINE_S, 0.1)

    def is_off(self) -> bool:
        return self._is(STANDBY)

    def close(self) -> None:
        self._link.close()

    def _set(self, command: str) -> None:
        """Send a setting, and ask whether it was taken."""
        self._link.tell(command)
        answer = self._link.ask("E?")
        if not re.fullmatch(r"[0-9]{1,9}", answer):
            raise BadAnswer(self._link.who, "E?", answer, "no error number")
        if int(answer):
            meaning = ERRORS.get(int(answer), "a code the manual does not list")
            raise InstrumentRefused(self._link.who, command, f"{answer}, {meaning}")

    def _is(self, state: str) -> bool:
        answer = self._link.ask(ASSUMED["state"])
        if answer not in STATES:
            raise BadAnswer(self._link.who, ASSUMED["state"], answer, "no state of the generator")
        return answer == state

    def _number(self, query: str) -> float:
        return parse_number(self._link.who, query, self._link.ask(query))


DRIVER: type[SurgeGenerator] = Tra3000
