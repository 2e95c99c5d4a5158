"""The Smart Power unit: four relays, four meters with their front ends, rails, fuse, MCU and console.

Ref: facts smart-power 1, 3.4 (planning set of the front end). Each serial number is an individual.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from hil.sim.boards.firmware import Firmware, Nvs
from hil.sim.boards.rails import Levels, Rails
from hil.sim.boards.relay import Relay
from hil.sim.boards.uart import Uart
from hil.sim.chips.atm90e26 import Atm90e26
from hil.sim.chips.atm90e26_metering import Inputs
from hil.sim.circuit import DEAD, Phasors, Port, Segment
from hil.sim.fuse import Fuse
from hil.sim.history import Steps
from hil.sim.settings import DcSetting
from hil.sim.world import World

DIVIDER_MV_PER_V = 1000.0 / 841.0  # 7 x 120 kohm over 1 kohm [A]
BURDEN_MV_PER_A = 4.8  # CT 1000:1 into 4.8 ohm [A]
BANDWIDTH_HZ = 1100.0  # harmonic bandwidth [DS26 6.1]
MCU_RUNS_V, MCU_STOPS_V = 2.85, 2.70  # brown-out [A]
MCU_RESET_A, MCU_RUNS_A = 0.012, 0.085  # [A]
GLITCH_S = 2e-3
POWER_ON = 1
NTC_ABOVE_AMBIENT_K = 5.0  # with the board powered [A]


@dataclass(frozen=True, slots=True)
class FrontEnd:
    """Divider, current transformer and burden of one meter, with their errors."""

    mv_per_v: float
    mv_per_a: float
    phase: complex
    offset_mv2: float  # crosstalk of voltage into current, as an active power at nominal voltage

    def inputs(self, u: Phasors, i: Phasors, frequency_hz: float) -> Inputs:
        """Return what the chip's pins see of a voltage and a current."""
        u2 = i2 = 0.0
        s = 0j
        for order, volts in u.items():
            if order * frequency_hz > BANDWIDTH_HZ:
                continue
            u2 += abs(volts) ** 2
            amps = i.get(order)
            if amps is not None:
                i2 += abs(amps) ** 2
                s += volts * (amps * self.phase).conjugate()
        u2 *= self.mv_per_v**2
        s *= self.mv_per_v * self.mv_per_a
        return Inputs(u2, i2 * self.mv_per_a**2, s.real + self.offset_mv2 * u2, s.imag, frequency_hz if u2 else 0.0)


class SmartPower:
    """One unit. `mains_changed` is called when the mains circuit must be solved again."""

    def __init__(self, world: World, mains_changed: Callable[[], None], revision: str = "A") -> None:
        self._world = world
        self._mains_changed = mains_changed
        who = world.individual("unit")
        self.ambient_c = float(who.uniform(21.0, 25.0))
        self.who = {
            "serial": world.serial,
            "revision": revision,
            "mac": f"7CDFA1{int(who.integers(0, 1 << 24)):06X}",
        }
        self.nvs = Nvs()
        self.fuse = Fuse()
        self.rails = Rails(world)
        self.levels: Steps[Levels] = Steps(Levels())
        self._supply = DcSetting()
        self._bus: tuple[Phasors, tuple[Phasors, ...], float] = ({}, ({}, {}, {}, {}), 0.0)
        self._solved_w = 0.0
        self._solved_port = DEAD.source
        self._en = self._gpio0 = True
        self._firmware: Firmware | None = None
        self.uart = Uart(world, self._received)
        self.relays: tuple[Relay, ...] = ()  # a relay asks for the rail while the next one is made
        self.relays = tuple(
            Relay(world, number, self.ambient_c, self._rail_for_coil, self._relay_changed) for number in range(1, 5)
        )
        self.meters = tuple(
            Atm90e26(world.rng("meter", f"U{number}"), violation=self._spi_violation(f"U{number}"))
            for number in range(1, 5)
        )
        self._front_ends = tuple(self._front_end(number) for number in range(1, 5))
        world.on_fault(self._fault_began)

    def _front_end(self, number: int) -> FrontEnd:
        """Draw a front end's tolerances; a fault changes its parts."""
        who, fault = self._world.individual("meter", f"U{number}"), self._world.fault
        divider = 1 + float(who.uniform(-0.01, 0.01))
        burden = 1 + float(who.uniform(-0.02, 0.02))
        phase_deg = float(who.uniform(-0.25, 0.25))
        offset_w = float(who.uniform(-2e-3, 2e-3))
        if fault(f"u{number}-gain-out-of-range"):
            burden *= 0.5
        if fault(f"u{number}-phase-error"):
            phase_deg += 12.0
        direction = -1.0 if fault(f"u{number}-ct-reversed") else 1.0
        return FrontEnd(
            DIVIDER_MV_PER_V * divider,
            BURDEN_MV_PER_A * burden,
            direction * cmath.rect(1.0, math.radians(phase_deg)),
            offset_w * BURDEN_MV_PER_A / DIVIDER_MV_PER_V / 230.0**2,
        )

    def _fault_began(self, _: str) -> None:
        self._front_ends = tuple(self._front_end(number) for number in range(1, 5))
        self._feed_meters()
        self.update_rails()
        self._mains_changed()

    # -- mains -------------------------------------------------------------------------------------------------------

    @property
    def contacts_ohm(self) -> list[float | None]:
        """The contacts' resistances; None is open."""
        return [relay.contact_ohm for relay in self.relays]

    def mains_w(self) -> float:
        """Return what PS1 takes from the bus now."""
        self._solved_w = self.rails.mains_w(self.levels.last, self._steady_coils_a())
        return self._solved_w

    def follow_mains(self, segment: Segment) -> None:
        """Take a new steady state of the mains circuit."""
        self._bus = (segment.reference.u, segment.sockets, segment.frequency_hz)
        self._feed_meters()
        now_s = self._world.now_s
        melts_s = self.fuse.carry(now_s, math.sqrt(segment.source.i2))
        if melts_s is not None:
            state = segment.source
            self._world.at(melts_s, lambda: self._maybe_melt(state))
        self._solved_port = segment.source
        self.rails.mains(math.sqrt(segment.reference.u2), self.update_rails)

    def _maybe_melt(self, state: Port) -> None:
        if state is self._solved_port and self.fuse.whole:  # nothing changed since
            self.fuse.melt()
            self._world.record("power", what="fuse opened")
            self._mains_changed()

    def _feed_meters(self) -> None:
        u, sockets, hertz = self._bus
        now_s = self._world.now_s
        for meter, front_end, amps in zip(self.meters, self._front_ends, sockets, strict=True):
            meter.set_inputs(now_s, front_end.inputs(u, amps, hertz))

    # -- rails and MCU -----------------------------------------------------------------------------------------------

    def set_supply(self, supply: DcSetting) -> None:
        """Follow the DC supply's output at J43."""
        self._supply = supply
        self.update_rails()

    def update_rails(self) -> None:
        """Settle the rails; meters and MCU follow them."""
        world = self._world
        runs = self._firmware is not None
        levels = self.rails.levels(self._supply, MCU_RUNS_A if runs else MCU_RESET_A)
        before = self.levels.last
        if levels != before:
            self.levels.set(world.now_s, levels)
            if (levels.rail_5v > 1.0) != (before.rail_5v > 1.0):
                world.record("power", what="5V_MAIN", on=levels.rail_5v > 1.0, from_bench=levels.from_bench)
            for meter in self.meters:
                meter.set_supply(world.now_s, levels.rail_3v3)
            if levels.rail_5v < 1.0:
                self._float_coils()
        powered = levels.rail_3v3 > (MCU_STOPS_V if runs else MCU_RUNS_V)
        if powered and self._en and self._firmware is None:
            self._start(POWER_ON)
            self.update_rails()
        elif not (powered and self._en) and self._firmware is not None:
            self._stop()
            self.update_rails()
        elif abs(self.rails.mains_w(self.levels.last, self._steady_coils_a()) - self._solved_w) > 1e-3:
            self._mains_changed()

    def set_reset(self, en: bool, gpio0: bool) -> None:
        """Follow the EN and GPIO0 lines; GPIO0 counts when EN rises."""
        self._gpio0 = gpio0
        if en == self._en:
            return
        self._en = en
        self._world.record("gpio", line="EN", level=en)
        self.update_rails()

    @property
    def mcu_drives_bus(self) -> bool:
        """Whether the MCU is out of reset, so that its SPI pins drive."""
        return self._firmware is not None

    def _start(self, reason: int) -> None:
        self._world.record("boot", reason=reason, download=not self._gpio0)
        self._firmware = Firmware(self._world.env, self, self.nvs, self.who, reason, download=not self._gpio0)
        for relay in self.relays:
            if self._world.fault(f"{relay.name.lower()}-coil-glitch"):
                relay.drive("SET", True)
                self._world.at(self._world.now_s + GLITCH_S, partial(relay.drive, "SET", False))

    def _stop(self) -> None:
        assert self._firmware is not None
        self._firmware.die()
        self._firmware = None
        self._float_coils()
        self.uart.cut()

    def _float_coils(self) -> None:
        """Without a driven pin no optocoupler conducts."""
        for relay in self.relays:
            for action in relay.coils:
                relay.drive(action, False)

    def restart(self, reason: int) -> None:
        """Reset the MCU from inside."""
        if self._firmware is not None:
            self._stop()
            self._start(reason)

    # -- the MCU's pins ----------------------------------------------------------------------------------------------

    def coil(self, name: str, on: bool) -> None:
        """Drive a coil GPIO, K1.SET for one."""
        relay, _, action = name.partition(".")
        self.relays[int(relay[1:]) - 1].drive(action, on)

    def meter_on(self, chip_select: int) -> Atm90e26:
        """Return the meter that a chip select 0..3 reaches on this board."""
        if chip_select < 2 and self._world.fault("cs-swapped-u1-u2"):
            chip_select = 1 - chip_select
        return self.meters[chip_select]

    def spi(self, chip_select: int, frame: int) -> int:
        """Do one frame of the MCU's own SPI; MISO is pulled up when nobody drives it."""
        word = self.meter_on(chip_select).exchange(self._world.now_s, frame)
        if self._world.fault("miso-stuck"):
            return 0
        return 0xFFFF if word is None else word

    def transmit(self, data: bytes) -> None:
        """Send on UART0."""
        self.uart.send(data)

    def ntc_mv(self) -> float:
        """Return the millivolts at the NTC divider: 10 kohm B 3950 to ground (facts 6.1)."""
        kelvin = self.ambient_c + NTC_ABOVE_AMBIENT_K + 273.15
        ohm = 10e3 * math.exp(3950 * (1 / kelvin - 1 / 298.15))
        return 1e3 * self.levels.last.rail_3v3 * ohm / (ohm + 10e3)

    # -- outside -----------------------------------------------------------------------------------------------------

    def http(self, method: str, path: str, body: bytes) -> tuple[int, bytes] | None:
        """Answer an HTTP request; None when nobody listens."""
        return None if self._firmware is None else self._firmware.http(method, path, body)

    def _received(self, data: bytes) -> None:
        if self._firmware is not None:
            self._firmware.received(data)

    def rail_v(self, t_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the 5 V rail at these times, with the dip of the coils."""
        index = self.levels.indices(t_s)
        base = np.array([levels.rail_5v for levels in self.levels.values])[index]
        behind = np.array([levels.behind_ohm for levels in self.levels.values])[index]
        coils = sum((relay.coil_current_a(t_s) for relay in self.relays), np.zeros_like(t_s))
        return np.asarray(base - behind * coils)

    def coils_a(self, t_s: float) -> float:
        """Return what the coils draw from the rail at t_s."""
        return float(sum(relay.coil_current_a(np.array([t_s]))[0] for relay in self.relays))

    def _rail_for_coil(self) -> tuple[float, float]:
        return self.levels.last.rail_5v, self.levels.last.behind_ohm

    def _steady_coils_a(self) -> float:
        return sum(
            coil.pulses[-1].final_a
            for relay in self.relays
            for coil in relay.coils.values()
            if coil.energised and coil.pulses
        )

    def _relay_changed(self) -> None:
        if len(self.relays) == 4:
            self._mains_changed()

    def _spi_violation(self, meter: str) -> Callable[[str], None]:
        return lambda why: self._world.record("violation", what=f"{meter}: SPI timing {why}")
