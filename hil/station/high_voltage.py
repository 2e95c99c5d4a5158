"""High voltage on the unit: armed by a named person, for one path and a time; all else off and away from the unit.

Ref: facts standards 4: interlock closed, explicit arm by a named operator, time-out, discharge check, never repeated by
itself. The interlock that counts is hardware: the fixture's lid in the tester's own interlock loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hil.clock import Clock
from hil.errors import BenchError, InterlockOpen
from hil.instruments.roles import EarthBond, HipotTester, Instrument, Insulation, Withstand

ARMED_S = 300.0  # for so long after arming a test may begin
PATHS = "hipot."  # routes of the relay box
ISOLATOR = "high_voltage"  # declared: the box parts source and probes from the unit, and holds the voltage
POWERING = ("AcSource", "AcLoad", "DcSupply", "SurgeGenerator")  # who must be off


class NotDischarged(BenchError):
    """The tester does not read back off after a test: what it charged may still be live."""

    def __init__(self, who: str) -> None:
        super().__init__(who)
        self.who = who

    def __str__(self) -> str:
        return f"{self.who} is not proven off and discharged; keep the lid closed and press its stop key"


class HighVoltage:
    """The tester while it is armed. Before every test the interlocks are looked at again."""

    def __init__(self, tester: HipotTester, clock: Clock, check: Callable[[], None], armed_by: str) -> None:
        self.armed_by = armed_by
        self._tester, self._clock, self._check = tester, clock, check
        self._ends_s = clock.now_s() + ARMED_S

    def withstand(
        self, voltage_v: float, frequency_hz: float, limit_a: float, ramp_s: float, test_s: float
    ) -> Withstand:
        """Put a voltage across the insulation, in V, Hz (0 is d.c.), A and s; see HipotTester."""
        return self._ready().withstand(voltage_v, frequency_hz, limit_a, ramp_s, test_s)

    def insulation(self, voltage_v: float, test_s: float) -> Insulation:
        """Measure an insulation resistance at a d.c. voltage, in V and s; see HipotTester."""
        return self._ready().insulation(voltage_v, test_s)

    def ground_bond(self, current_a: float, limit_ohm: float, test_s: float) -> EarthBond:
        """Measure an earth bond in A, ohm and s; see HipotTester."""
        return self._ready().ground_bond(current_a, limit_ohm, test_s)

    def _ready(self) -> HipotTester:
        self._check()
        if self._clock.now_s() > self._ends_s:
            raise InterlockOpen(f"{self.armed_by} armed the hipot tester more than {ARMED_S:g} s ago", "arm it again")
        return self._tester


@contextmanager
def discharged(tester: HipotTester, path: str) -> Iterator[None]:
    """Stop it on every way out, while it is still connected; raise NotDischarged unless it reads back off."""
    try:
        yield
    finally:
        tester.off()
        if not tester.is_off():
            raise NotDischarged(f"the hipot tester on {path}")


def check_person(armed_by: str) -> None:
    """Raise InterlockOpen unless somebody answers for it."""
    if not armed_by.strip():
        raise InterlockOpen(
            "high voltage is armed by a named person, and nobody is named",
            "start the run with --operator NAME, or name who answers for the station: operator in stations.toml",
        )


def check_surroundings(instruments: dict[str, Instrument], isolators: tuple[str, ...], closed: frozenset[int]) -> None:
    """Raise InterlockOpen unless everything that powers the unit reads back off and no route is closed."""
    if ISOLATOR not in isolators:
        raise InterlockOpen(
            f"no isolator declared for {ISOLATOR}",
            "the relay box must part source and probes from the unit and hold the voltage (DR-20): then declare it",
        )
    if on := [role for role in POWERING if role in instruments and not instruments[role].is_off()]:
        raise InterlockOpen(f"{', '.join(on)} is on, and the unit would meet high voltage", "switch it off first")
    if closed:
        raise InterlockOpen(f"channels {sorted(closed)} connect instruments to the unit", "open them first")
