"""High voltage on the unit: armed by a named person, for one path and a time; all else off and away from the unit.

Ref: facts standards 4: interlock closed, explicit arm by a named operator, time-out, discharge check, never repeated by
itself. The interlock that counts is hardware: the fixture's lid in the tester's own interlock loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from hil.clock import Clock
from hil.errors import BenchError, HilError, InterlockOpen
from hil.instruments.roles import EarthBond, HipotTester, Instrument, Insulation, Switch, Withstand

ARMED_S = 300.0  # for so long after arming a test may begin
PATHS = "hipot."  # routes of the relay box
ISOLATOR = "high_voltage"  # declared: the box parts source and probes from the unit, and holds the voltage
POWERING = ("AcSource", "AcLoad", "DcSupply", "SurgeGenerator")  # who must be off
SETTLE_S = 0.02  # of the relay box


class NotDischarged(BenchError):
    """The tester does not read back off after a test: what it charged may still be live."""

    def __init__(self, who: str, why: str = "") -> None:
        super().__init__(who, why)
        self.who, self.why = who, why

    def __str__(self) -> str:
        why = f" ({self.why})" if self.why else ""
        return f"{self.who} is not proven off and discharged; keep the lid closed and press its stop key{why}"


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


class RelayBox:
    """Brings the tester to the unit. `armed` is the path it is armed on, or was and may still be live; or empty."""

    def __init__(self) -> None:
        self.armed = ""

    def check_routes(self, *points: str) -> None:
        """Raise InterlockOpen where these points would meet high voltage, or a route of the box is not armed."""
        if self.armed:
            what = f"high voltage is armed on {self.armed}, and {', '.join(points)} would meet it"
            raise InterlockOpen(what, "end that first")
        if boxed := [point for point in points if point.startswith(PATHS)]:
            raise InterlockOpen(f"{', '.join(boxed)} would bring the hipot tester to the unit", "arm it: high_voltage")

    @contextmanager
    def connected(
        self, path: str, tester: HipotTester, switch: Switch, channels: list[int], clock: Clock
    ) -> Iterator[None]:
        """Bring the tester to the unit inside the block; on every way out stop it, read it back off, then part them.

        Raises NotDischarged, and parts nothing then: the open box would bring source and probes to what is charged.
        """
        self.armed = path
        try:
            switch.close_channels(channels)
            clock.sleep(SETTLE_S)
            yield
        finally:
            _check_off(tester, path)
            switch.open_channels(channels)
            self.armed = ""


def _check_off(tester: HipotTester, path: str) -> None:
    """Stop it, and raise NotDischarged unless it reads back off."""
    who = f"the hipot tester on {path}"
    try:
        tester.off()
        off = tester.is_off()
    except HilError as error:
        raise NotDischarged(who, str(error)) from error
    if not off:
        raise NotDischarged(who)


def check_path(path: str) -> None:
    """Raise InterlockOpen for a route that is none of the relay box: it would bring high voltage to an instrument."""
    if not path.startswith(PATHS):
        raise InterlockOpen(f"{path} is no path of the hipot tester's relay box", f"name one of {PATHS}*")


def check_person(armed_by: str) -> None:
    """Raise InterlockOpen unless somebody answers for it."""
    if not armed_by.strip():
        raise InterlockOpen(
            "high voltage is armed by a named person, and nobody is named",
            "start the run with --operator NAME, or name who answers for the station: operator in stations.toml",
        )


def check_isolator(isolators: tuple[str, ...]) -> None:
    """Raise InterlockOpen unless the station declares its relay box."""
    if ISOLATOR not in isolators:
        raise InterlockOpen(
            f"no isolator declared for {ISOLATOR}",
            "the relay box must part source and probes from the unit and hold the voltage (DR-20): then declare it",
        )


def check_surroundings(instruments: dict[str, Instrument], isolators: tuple[str, ...], closed: frozenset[int]) -> None:
    """Raise InterlockOpen unless everything that powers the unit reads back off and no route is closed."""
    check_isolator(isolators)
    if on := [role for role in POWERING if role in instruments and not instruments[role].is_off()]:
        raise InterlockOpen(f"{', '.join(on)} is on, and the unit would meet high voltage", "switch it off first")
    if closed:
        raise InterlockOpen(f"channels {sorted(closed)} connect instruments to the unit", "open them first")
