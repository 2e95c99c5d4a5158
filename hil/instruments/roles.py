"""What an instrument is on the bench. A driver satisfies a role by having its methods; it inherits nothing.

Every number is in SI base units. Whatever energises has `off()`, safe in any state, any number of times.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from hil.errors import NoReading


class OverRange(NoReading):
    """The input is beyond the range: an open circuit to an ohmmeter, a clipped waveform.

    The bench works, so whose fault it is, is for the caller to judge: the same unit may do it again.
    """


if TYPE_CHECKING:
    from hil.links.console import Console
    from hil.links.spi import SpiBus


@dataclass(frozen=True, slots=True)
class Identity:
    """Who answered `*IDN?`."""

    maker: str
    model: str
    serial: str
    firmware: str

    def __str__(self) -> str:
        firmware = f", firmware {self.firmware}" if self.firmware else ""
        serial = f", serial {self.serial}" if self.serial else ""
        return f"{self.maker} {self.model}{serial}{firmware}"


@dataclass(frozen=True, slots=True)
class Accuracy:
    """A reading with the half-width of its accuracy specification, both in the unit of the reading."""

    value: float
    half_width: float
    source: str  # manual and page, with its mark
    quantity: str = ""  # active_power, ac_voltage, resistance, ... (hil/metrology/calibration.py: UNITS)
    range_: str = ""  # the instrument's range, as the accuracy table spells it: "300 V, 1 A"; "" where it has one only
    unit: str = ""


@dataclass(frozen=True, slots=True)
class VoltageStep:
    """What a mains source gives for a while: rms volts, seconds."""

    voltage_v: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class PowerReading:
    """One update of a power analyser, rms values of one element."""

    voltage_v: float
    current_a: float
    power_w: float
    apparent_va: float
    reactive_var: float
    power_factor: float  # negative sign where the analyser reports one
    frequency_hz: float


@dataclass(frozen=True, slots=True)
class EnergyReading:
    """An analyser's integration: watt-hours over the time it integrated."""

    energy_wh: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class Waveform:
    """A channel's samples. time_s is relative to the trigger; both arrays are (n,) float64.

    Where `overdriven`, the signal left the top of the screen: the highest voltage_v is a lower bound of what was there.
    """

    time_s: NDArray[np.float64]
    voltage_v: NDArray[np.float64]
    overdriven: bool = False


@dataclass(frozen=True, slots=True)
class SurgeShot:
    """What a surge generator measured of its own pulse: peaks with their sign."""

    peak_v: float
    peak_a: float


@dataclass(frozen=True, slots=True)
class Withstand:
    """What a hipot tester says of a withstand test, at its end: rms values of a.c., its own verdict among them.

    `arc`: it stopped although the current was below the trip limit. held_s: at the full voltage, 0 if it never was.
    """

    voltage_v: float
    current_a: float
    passed: bool
    arc: bool
    held_s: float


@dataclass(frozen=True, slots=True)
class Insulation:
    """An insulation resistance at voltage_v. Where it is `beyond` what the tester can measure, ohm is a lower bound."""

    ohm: float
    beyond: bool
    voltage_v: float
    passed: bool


@dataclass(frozen=True, slots=True)
class EarthBond:
    """An earth bond's resistance at current_a. Where it is `beyond` what can be measured, ohm is a lower bound."""

    ohm: float
    beyond: bool
    current_a: float
    passed: bool


@dataclass(frozen=True, slots=True)
class LinkState:
    """A link as the partner of the unit sees it. Modes are spelt 10HD, 10FD, 100HD, 100FD."""

    up: bool
    mode: str  # what was resolved; "" while the link is down
    negotiated: bool  # by auto-negotiation; False: found by parallel detection, or forced
    abilities: frozenset[str]  # modes the unit advertises; empty where it does not negotiate


@dataclass(frozen=True, slots=True)
class LinkCounters:
    """Counters of the partner's port since it was powered (IF-MIB, EtherLike-MIB)."""

    frames_in: int
    frames_out: int
    fcs_errors: int
    alignment_errors: int
    symbol_errors: int
    discards: int


@runtime_checkable
class Instrument(Protocol):
    """What every driver has, whatever its role."""

    def identify(self) -> Identity:
        """Ask who answers; raises WrongInstrument when it is another model."""
        ...

    def off(self) -> None:
        """Make it harmless. Safe in any state, any number of times."""
        ...

    def is_off(self) -> bool:
        """Read back whether it is harmless now."""
        ...

    def close(self) -> None:
        """Close the link; the instrument stays as it is."""
        ...


class AcSource(Instrument, Protocol):
    """A programmable mains source."""

    can_dip: bool  # True only where it times voltage steps itself, from an angle of its wave on
    can_distort: bool  # True only where it adds harmonics

    def set_output(self, voltage_v: float, frequency_hz: float, current_limit_a: float) -> None: ...
    def on(self) -> None: ...
    def measure_voltage_v(self) -> float: ...
    def measure_current_a(self) -> float: ...
    def dip(self, steps: Sequence[VoltageStep], angle_deg: float, repeat: int = 1) -> None:
        """Go through these steps, the first from an angle of the wave on, as often as repeat says; return after them.

        The output is on, at the voltage that was set, before, between and after: a step there is the spacing.
        """
        ...

    def set_harmonics(self, harmonics: Mapping[int, tuple[float, float]]) -> None:
        """Add harmonics, order: (percent of the fundamental, degrees of its own at the fundamental's zero crossing)."""
        ...

    def clear_harmonics(self) -> None: ...


class PowerMeter(Instrument, Protocol):
    """The reference power analyser."""

    def set_ranges(self, voltage_v: float, current_a: float) -> None: ...
    def measure(self) -> PowerReading:
        """Wait for a fresh update and return it."""
        ...

    def start_integration(self) -> None: ...
    def stop_integration(self) -> EnergyReading: ...
    def power_accuracy_w(self, reading: PowerReading) -> Accuracy: ...
    def voltage_accuracy_v(self, reading: PowerReading) -> Accuracy: ...
    def current_accuracy_a(self, reading: PowerReading) -> Accuracy: ...
    def frequency_accuracy_hz(self, reading: PowerReading) -> Accuracy: ...
    def update_period_s(self) -> float: ...


class AcLoad(Instrument, Protocol):
    """An electronic AC load. power_factor: 1, or lagging (inductive) > 0, leading (capacitive) < 0."""

    can_source: bool  # True only where it can push current back (export)
    can_distort: bool  # True only where the harmonics of its current can be set

    def set_current(self, current_a: float, power_factor: float = 1.0) -> None: ...
    def set_resistance(self, resistance_ohm: float) -> None:
        """Be a resistor: the current has the shape of the voltage."""
        ...

    def on(self) -> None: ...


class Scope(Instrument, Protocol):
    """An oscilloscope, four channels or more, single shot."""

    def set_timebase(self, duration_s: float, pre_trigger_s: float) -> None: ...
    def set_channel(self, channel: int, low_v: float, high_v: float) -> None: ...
    def trigger(self) -> None:
        """Trigger the armed single shot now, whatever the signal does."""
        ...

    def arm(self, channel: int, level_v: float, rising: bool) -> None: ...
    def triggered(self) -> bool: ...
    def read_waveform(self, channel: int, allow_overdrive: bool = False) -> Waveform:
        """Return a channel of the finished shot; a clipped sample is OverRange, unless at the top and allowed."""
        ...

    def time_accuracy_s(self, interval_s: float) -> Accuracy: ...
    def voltage_accuracy_v(self, voltage_v: float, low_v: float, high_v: float) -> Accuracy:
        """Return a voltage with its accuracy on a channel that shows low_v at the bottom and high_v at the top."""
        ...


class DcSupply(Instrument, Protocol):
    """A DC supply with numbered outputs, from 1."""

    def set_output(self, output: int, voltage_v: float, current_limit_a: float) -> None: ...
    def on(self, output: int) -> None: ...
    def output_off(self, output: int) -> None: ...
    def measure_voltage_v(self, output: int) -> float: ...
    def measure_current_a(self, output: int) -> float: ...
    def current_accuracy_a(self, output: int, current_a: float) -> Accuracy: ...


class Dmm(Instrument, Protocol):
    """A digital multimeter."""

    def measure_dc_voltage_v(self, expected_v: float) -> Accuracy: ...
    def measure_resistance_ohm(self, expected_ohm: float, four_wire: bool = False) -> Accuracy: ...
    def measure_temperature_c(self) -> Accuracy: ...


class Switch(Instrument, Protocol):
    """Routes: which numbered channels are closed. All open is its safe state."""

    def close_channels(self, channels: Sequence[int]) -> None: ...
    def open_channels(self, channels: Sequence[int]) -> None: ...
    def open_all(self) -> None: ...
    def closed_channels(self) -> frozenset[int]: ...


class Fixture(Instrument, Protocol):
    """The adapter that holds the unit: reset and boot lines, SPI, console, lid, emergency stop, contact sense."""

    @property
    def spi(self) -> SpiBus: ...
    @property
    def console(self) -> Console: ...

    def hold_in_reset(self) -> None: ...
    def release_reset(self, download: bool = False) -> None: ...
    def lid_closed(self) -> bool: ...
    def emergency_stop_released(self) -> bool: ...
    def contact_closed(self, socket: int) -> bool: ...
    def light(self, name: str) -> bool:
        """Say whether a light shines, seen by a photodiode: green, red, link, speed."""
        ...

    def sounds(self) -> bool:
        """Say whether the buzzer sounds, heard by a microphone."""
        ...

    def set_wifi_switch(self, on: bool) -> None: ...
    def block_ventilation(self, blocked: bool) -> None: ...


class ProgrammableResistor(Instrument, Protocol):
    """A resistance in place of a sensor. off() disconnects it: an open circuit."""

    range_ohm: tuple[float, float]

    def set_resistance(self, resistance_ohm: float) -> None:
        """Set it and connect it."""
        ...

    def set_short(self) -> None: ...
    def set_open(self) -> None: ...
    def accuracy_ohm(self, resistance_ohm: float) -> Accuracy: ...


class SurgeGenerator(Instrument, Protocol):
    """A combination wave generator, 1.2/50 us and 8/20 us behind 2 ohm, coupled line to line into the unit's mains."""

    def arm(self, level_v: float, angle_deg: float) -> None:
        """Charge to a level (its sign is the polarity), to be fired at a phase angle of the mains."""
        ...

    def fire(self) -> SurgeShot:
        """Fire once, and return what the generator measured; it is disarmed then."""
        ...

    def accuracy_v(self, peak_v: float) -> Accuracy: ...


class HipotTester(Instrument, Protocol):
    """An electrical safety tester. Each method is one whole test: off and discharged at its end, and never repeated."""

    def withstand(
        self, voltage_v: float, frequency_hz: float, limit_a: float, ramp_s: float, test_s: float
    ) -> Withstand:
        """Put a voltage across the unit's insulation; frequency_hz 0 is d.c. A FAIL of the tester is a result."""
        ...

    def insulation(self, voltage_v: float, test_s: float) -> Insulation: ...
    def ground_bond(self, current_a: float, limit_ohm: float, test_s: float) -> EarthBond: ...
    def voltage_accuracy_v(self, voltage_v: float, ac: bool = True) -> Accuracy: ...
    def current_accuracy_a(self, current_a: float, limit_a: float, ac: bool = True) -> Accuracy: ...
    def insulation_accuracy_ohm(self, resistance_ohm: float) -> Accuracy: ...
    def bond_accuracy_ohm(self, resistance_ohm: float) -> Accuracy: ...


class ThermalChamber(Instrument, Protocol):
    """A chamber that the unit stands in. off() is outputs off: its air goes to the room's temperature by itself."""

    def read_range_c(self) -> tuple[float, float]:
        """Return the lowest and the highest temperature it can be set to."""
        ...

    def set_temperature(self, temp_c: float) -> None: ...
    def on(self) -> None: ...
    def measure_temperature_c(self) -> Accuracy:
        """Return the temperature of its air, by its own sensor."""
        ...

    def settle(self, tolerance_k: float, soak_s: float, deadline_s: float) -> float:
        """Wait until its air has kept within tolerance_k of the set point for soak_s; return how long it took."""
        ...


class LinkPartner(Instrument, Protocol):
    """What the unit's Ethernet port is connected to: a port of a managed switch, or a network interface."""

    def set_port(self, up: bool) -> None: ...
    def set_mode(self, mode: str) -> None:
        """Force 10HD, 10FD, 100HD or 100FD, or negotiate: auto."""
        ...

    def link(self) -> LinkState: ...
    def counters(self) -> LinkCounters: ...
    def addresses(self) -> frozenset[str]:
        """Return the MAC addresses learnt on the port, as 7CDFA1000000."""
        ...
