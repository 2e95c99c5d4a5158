"""The test fixture's wires to the unit: SPI of the meters, reset and sense lines, console, eyes and fingers."""

from __future__ import annotations

from hil.sim.boards.smart_power import SmartPower
from hil.sim.chips.atm90e26_spi import SpiSlave
from hil.sim.world import World

EN, GPIO0, LID, STOP = 0x01, 0x02, 0x04, 0x08
SENSE = 4  # bits 4..7: contacts K1..K4
GREEN, RED, SOUND, LINK, SPEED = 0x01, 0x02, 0x04, 0x08, 0x10  # port 4: photodiodes and a microphone; 1 = lit, sounds
WIFI_SWITCH, VENT_BLOCKED = 0x20, 0x40  # port 4: a finger on the switch, a flap before the vents

ChipSelects = tuple[bool, bool, bool, bool]


class Fixture:
    """Pins are levels: a chip select is active when it is False."""

    def __init__(self, world: World, unit: SmartPower) -> None:
        self._world, self._unit = world, unit
        self._env = world.env
        self.lid_closed = True
        self.emergency_stop_released = True
        self._sclk = self._mosi = False
        self._cs: ChipSelects = (True, True, True, True)
        self._selected: tuple[SpiSlave, ...] = ()
        self._garbage = world.rng("spi", "contention")

    def spi_pins(self, t_s: float, sclk: bool, mosi: bool, cs: ChipSelects) -> bool:
        """Put levels on the bus at t_s and return MISO at that time; it is pulled up when nobody drives it."""
        if self._env.peek() <= t_s:
            self._world.advance_to(t_s)
        if mosi != self._mosi:
            self._mosi = mosi
            for slave in self._selected:
                slave.data_changed(t_s)
        if cs is not self._cs and cs != self._cs:  # the same object, mostly
            self._select(t_s, cs)
        if sclk != self._sclk:
            self._sclk = sclk
            for slave in self._selected:
                if sclk:
                    slave.rise(t_s, mosi)
                else:
                    slave.fall(t_s)
        miso = True
        for slave in self._selected:
            if slave.output(t_s) is False:
                miso = False
        if self._selected and self._unit.mcu_drives_bus:
            for slave in self._selected:
                slave.garble("contention")
            miso = bool(self._garbage.integers(2))
        return miso and not self._world.fault("miso-stuck")

    def _select(self, t_s: float, cs: ChipSelects) -> None:
        selected = []
        for number, (before, after) in enumerate(zip(self._cs, cs, strict=True)):
            meter = self._unit.meter_on(number)
            if before and not after:
                if self._unit.mcu_drives_bus:
                    self._world.record("violation", what="SPI mastered by the tester while the MCU is out of reset")
                if meter.ready(t_s):
                    meter.spi.select(t_s)
            elif after and not before and meter.spi.selected:
                meter.spi.deselect(t_s)
            if meter.spi.selected:
                selected.append(meter.spi)
        self._cs = cs
        self._selected = tuple(selected)

    def gpio_write(self, value: int, direction: int) -> None:
        """Drive port 2; a line that nobody drives is pulled up on the board."""
        levels = value | ~direction
        self._unit.set_reset(bool(levels & EN), bool(levels & GPIO0))

    def gpio_read(self) -> int:
        """Return port 2: EN and GPIO0 as pulled up, lid, emergency stop, contact sense."""
        levels = EN | GPIO0
        levels |= LID * self.lid_closed | STOP * self.emergency_stop_released
        for number, relay in enumerate(self._unit.relays):
            levels |= (relay.contact.last is True) << (SENSE + number)
        return levels

    def panel_write(self, value: int, direction: int) -> None:
        """Drive port 4; while nobody does, the switch is on and the vents are free."""
        self._unit.panel.set_wifi_switch(bool((value | ~direction) & WIFI_SWITCH))
        self._unit.block_ventilation(bool(value & direction & VENT_BLOCKED))

    def panel_read(self) -> int:
        """Return port 4 as the unit shines and sounds; the fixture's own actuators at rest."""
        unit = self._unit
        return (
            GREEN * unit.panel.acts("green")
            | RED * unit.panel.acts("red")
            | SOUND * unit.panel.acts("buzzer")
            | LINK * unit.ethernet.link_led
            | SPEED * unit.ethernet.speed_led
            | WIFI_SWITCH
        )

    def set_lid(self, closed: bool) -> None:
        """Close or open the lid, as an operator does."""
        self.lid_closed = closed
        self._world.stir()
        self._world.record("gpio", line="lid", level=closed)

    def set_emergency_stop(self, released: bool) -> None:
        """Release or press the emergency stop."""
        self.emergency_stop_released = released
        self._world.stir()
        self._world.record("gpio", line="emergency stop", level=released)

    def uart_write(self, data: bytes) -> None:
        """Put bytes on the console line to the unit."""
        self._unit.uart.put(data)

    def uart_read(self) -> bytes:
        """Return the bytes from the unit that completed on the wire up to now."""
        return self._unit.uart.take()
