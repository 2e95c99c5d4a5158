"""The Smart Power unit: four relays, four meters with their front ends, rails, fuse, MCU and console.

Ref: facts smart-power 1, 3.4 (planning set of the front end). Each serial number is an individual.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hil.sim.air import Air
from hil.sim.boards.channels import Channel
from hil.sim.boards.detect import Detect
from hil.sim.boards.drift import Climate
from hil.sim.boards.firmware import Firmware
from hil.sim.boards.front_end import FrontEnd
from hil.sim.boards.hardware import Nvs
from hil.sim.boards.heat import Heat
from hil.sim.boards.ntc import Ntc
from hil.sim.boards.panel import Panel
from hil.sim.boards.rails import Levels, Rails
from hil.sim.boards.relay import Relay
from hil.sim.boards.uart import Uart
from hil.sim.chips.atm90e26 import Atm90e26
from hil.sim.circuit import DEAD, FUSE_OHM, Phasors, Segment
from hil.sim.fuse import Fuse
from hil.sim.history import Steps
from hil.sim.mov import FittedMov, Mov
from hil.sim.network.unit_port import UnitPort
from hil.sim.settings import DcSetting
from hil.sim.world import World

MCU_RUNS_V, MCU_STOPS_V = 2.85, 2.70  # brown-out [A]
MCU_RESET_A, MCU_RUNS_A = 0.012, 0.085  # [A]
GLITCH_S = 2e-3
POWER_ON = 1
TRACKS_OHM = 0.010  # terminals and copper of the mains path [A]


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
        self.panel = Panel(world)
        self.ethernet = UnitPort(world, revision, self.who["mac"])
        self.rails = Rails(world)
        self.levels: Steps[Levels] = Steps(Levels())
        self._supply = DcSetting()
        self.ntc = Ntc(world)
        self.air = Air(self.ambient_c)
        self.heat = Heat(self.air)
        self._climate = Climate(world, self.air, self.heat, self._feed_meters)
        self._mov = FittedMov(world)
        self.detect = Detect(world)
        self._bus: tuple[Phasors, tuple[Phasors, ...], float] = ({}, ({}, {}, {}, {}), 0.0)
        self._solved_w = 0.0
        self._solved = DEAD
        self._en = self._gpio0 = True
        self._firmware: Firmware | None = None
        self.uart = Uart(world, self._received, lambda: self.restart(POWER_ON))
        self.relays: tuple[Relay, ...] = ()  # a relay asks for the rail while the next one is made
        self.relays = tuple(
            Relay(world, number, self._body_c, self._rail_for_coil, self._relay_changed) for number in range(1, 5)
        )
        self.meters = tuple(
            Atm90e26(world.rng("meter", f"U{number}"), violation=self._spi_violation(f"U{number}"))
            for number in range(1, 5)
        )
        self._front_ends = tuple(FrontEnd.of(world, number) for number in range(1, 5))
        world.on_fault(self._fault_began)

    def _body_c(self) -> float:
        return self.heat.body_c(self._world.now_s)

    def air_changed(self) -> None:
        """Feel that the air around takes another course."""
        self._feed_meters()

    def _fault_began(self, _: str) -> None:
        self._climate.look()
        self._front_ends = tuple(FrontEnd.of(self._world, number) for number in range(1, 5))
        self.ntc.fault_began()
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
        self._climate.carry(segment.sockets)
        self._feed_meters()
        self._solved = segment
        self._wait_for_fuse()
        self._lose_heat()
        self.rails.mains(math.sqrt(segment.reference.u2), self._solved_w, self.update_rails)

    def _wait_for_fuse(self) -> None:
        state, now_s = self._solved, self._world.now_s
        melts_s = self.fuse.carry(now_s, math.sqrt(state.source.i2))
        if melts_s is not None:
            self._world.at(melts_s, lambda: self._maybe_melt(state))

    def _maybe_melt(self, state: Segment) -> None:
        if state is self._solved and self.fuse.whole:  # nothing changed since
            self.fuse.melt()
            self._fuse_opened()

    def _fuse_opened(self) -> None:
        self._world.record("power", what="fuse opened")
        self._mains_changed()

    @property
    def mov(self) -> Mov | None:
        """The varistor as it is now; None when it is not fitted."""
        return self._mov.now()

    def surge(self, i2t_a2s: float) -> None:
        """Take a surge's current through the fuse, now. Nothing else on the board minds it."""
        if self.fuse.whole:
            self.fuse.absorb(self._world.now_s, i2t_a2s)
            if self.fuse.whole:
                self._wait_for_fuse()
            else:
                self._fuse_opened()

    def _lose_heat(self) -> None:
        """Turn into heat what supply, logic and mains path lose now."""
        levels, segment = self.levels.last, self._solved
        lost_w = max(levels.rail_5v * (levels.logic_a + self._steady_coils_a()), self._solved_w)
        lost_w += segment.source.i2 * (FUSE_OHM + TRACKS_OHM)
        for amps, ohm in zip(segment.sockets, self.contacts_ohm, strict=True):
            lost_w += (ohm or 0.0) * sum(abs(value) ** 2 for value in amps.values())
        self.heat.lose(self._world.now_s, lost_w)

    @property
    def ventilation_blocked(self) -> bool:
        """Whether the vents are covered."""
        return self.heat.blocked

    def block_ventilation(self, blocked: bool) -> None:
        """Cover the vents, or free them."""
        self.heat.block(self._world.now_s, blocked)

    def _feed_meters(self) -> None:
        u, sockets, hertz = self._bus
        now_s, factors = self._world.now_s, self._climate.factors()
        for meter, front_end, warmed, amps in zip(self.meters, self._front_ends, factors, sockets, strict=True):
            meter.set_inputs(now_s, front_end.warmed(*warmed).inputs(u, amps, hertz))

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
            self.ethernet.set_supply(levels.rail_3v3)
            if levels.rail_5v < 1.0:
                self._float_coils()
            self._lose_heat()
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
    def held_in_reset(self) -> bool:
        """Whether somebody pulls EN low."""
        return not self._en

    @property
    def mcu_drives_bus(self) -> bool:
        """Whether the MCU is out of reset, so that its SPI pins drive."""
        return self._firmware is not None

    def _start(self, reason: int) -> None:
        self._world.record("boot", reason=reason, download=not self._gpio0)
        download = not self._gpio0
        self._firmware = Firmware(self._world.env, self, self.nvs, self.who, reason, download, self._world.fault)
        for relay in self.relays:
            if self._world.fault(f"{relay.name.lower()}-coil-glitch"):
                relay.drive("SET", True)
                self._world.at(self._world.now_s + GLITCH_S, partial(relay.drive, "SET", False))

    def _stop(self) -> None:
        assert self._firmware is not None
        self._firmware.die()
        self._firmware = None
        self._float_coils()
        self.panel.release()
        self.ethernet.detach()
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

    def indicate(self, name: str, on: bool) -> None:
        """Drive the pin of "green", "red" or "buzzer"."""
        self.panel.drive(name, on)

    def wifi_switch(self) -> bool:
        """Return whether the Wi-Fi switch stands on."""
        return self.panel.wifi_switch

    def transmit(self, data: bytes) -> None:
        """Send on UART0."""
        self.uart.send(data)

    def ntc_mv(self) -> float:
        """Return the millivolts that the converter reads at the NTC divider."""
        return self.ntc.adc_mv(self.heat.temp_c(self._world.now_s), self.levels.last.rail_3v3)

    def neutral_mv(self) -> float:
        """Return the millivolts at the neutral detection."""
        return self.detect.neutral_mv

    def earth_mv(self) -> float:
        """Return the millivolts at the earth detection."""
        return self.detect.earth_mv

    # -- outside -----------------------------------------------------------------------------------------------------

    def http(self, method: str, path: str, body: bytes, via: str = "wifi") -> tuple[int, bytes] | None:
        """Answer an HTTP request over "wifi" or "ethernet"; None when nobody listens there."""
        return None if self._firmware is None else self._firmware.http(method, path, body, via)

    def open_channel(self, via: str, send: Callable[[str], None], hang_up: Callable[[], None]) -> Channel | None:
        """Open a persistent RPC channel for a peer; None when nobody listens there, or none is free."""
        return None if self._firmware is None else self._firmware.channels.open(via, send, hang_up)

    def reachable(self, via: str) -> bool:
        """Return whether the program answers over "wifi" or "ethernet"."""
        return self._firmware is not None and self._firmware.reachable(via)

    def joining(self, via: str) -> bool:
        """Return whether the unit is on its way into that network: a sender's repeated packet will find it there."""
        return self._firmware is not None and self._firmware.joining(via)

    def record(self, kind: str, **detail: Any) -> None:
        """Add to the world's event log."""
        self._world.record(kind, **detail)

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

    def ntc_v(self, t_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the NTC's node at these times."""
        rail_v = np.array([levels.rail_3v3 for levels in self.levels.values])[self.levels.indices(t_s)]
        return self.ntc.node_v(t_s, self.heat.temps_c(t_s), rail_v)

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
