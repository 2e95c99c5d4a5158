"""FT4232H adapter of the fixture: SPI to the meters, reset and boot lines, interlocks, contact sense, console, senses.

Ref: FTDI FT4232H data sheet; the wiring is the fixture's own: port 1 SPI with CS0..3 on ADBUS3..6, port 2 the lines
below, port 3 the console, port 4 what sees, hears and moves for a person: photodiodes, a microphone, the finger on the
Wi-Fi switch, a flap before the vents [A]. Reset timing: facts smart-power 7 (EN low 100 ms, GPIO0 low 50 ms longer).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hil.clock import Clock
from hil.errors import OutOfRange, SetupError
from hil.instruments.roles import Fixture, Identity

if TYPE_CHECKING:
    from hil.links.console import Console
    from hil.links.gpio import GpioPort
    from hil.links.spi import SpiBus

EN = 1 << 0  # output; low holds the unit in reset
GPIO0 = 1 << 1  # output; low at the release of EN selects the ROM's download mode
LID_CLOSED = 1 << 2
EMERGENCY_STOP_RELEASED = 1 << 3
CONTACT = {1: 1 << 4, 2: 1 << 5, 3: 1 << 6, 4: 1 << 7}  # isolated 5 V wetting of the fixture [A]; 1 = closed
LIGHTS = {"green": 1 << 0, "red": 1 << 1, "link": 1 << 3, "speed": 1 << 4}  # port 4; 1 = lit
SOUNDS = 1 << 2
WIFI_SWITCH = 1 << 5  # output; 1 = on, as the fixture powers up
VENT_BLOCKED = 1 << 6  # output; 1 = blocked
SENSES_PORT = 4
APPEARS_S = 1.0  # an adapter whose cable was loose takes so long to be found again
LOOK_S = 0.1
HOLD_S = 0.100
DOWNLOAD_S = 0.050


class Ft4232hFixture:
    """The adapter that holds the unit. Satisfies the Fixture role."""

    ROLE = "Fixture"
    MODEL = "FTDI FT4232H"

    def __init__(
        self, resource: str, spi: SpiBus, gpio: GpioPort, console: Console, senses: GpioPort, clock: Clock
    ) -> None:
        self.resource, self.spi, self.console = resource, spi, console
        self._gpio, self._senses, self._clock = gpio, senses, clock

    @classmethod
    def open(cls, resource: str, clock: Clock) -> Ft4232hFixture:
        """Open all four ports by serial number, e.g. ftdi://ftdi:4232h:HILFIX01; the unit is held in reset.

        The ports of an adapter that was away are dead for good: whoever lost them opens anew, and waits here for it.
        """
        from contextlib import ExitStack

        from hil.links.console import Console
        from hil.links.gpio import GpioPort
        from hil.links.spi import SpiBus

        with ExitStack() as opened:
            gpio = _open_reset_lines(cls.ROLE, resource, clock)
            opened.callback(gpio.close)
            spi = SpiBus(cls.ROLE, resource)
            opened.callback(spi.close)
            console = Console(cls.ROLE, resource, clock)
            opened.callback(console.close)
            senses = GpioPort(cls.ROLE, resource, WIFI_SWITCH | VENT_BLOCKED, WIFI_SWITCH, SENSES_PORT)
            opened.pop_all()
        return cls(resource, spi, gpio, console, senses, clock)

    def identify(self) -> Identity:
        """Return the serial number that the ports were found by: no other device can have answered."""
        from hil.links.ftdi import FtdiAddress

        self._gpio.read()  # a device that is gone says so here
        return Identity("FTDI", "FT4232H", FtdiAddress.parse(self.resource).serial, "")

    def hold_in_reset(self) -> None:
        """Pull EN low and wait until the unit's reset network has followed."""
        self._gpio.write(EN | GPIO0, GPIO0)
        self._clock.sleep(HOLD_S)

    def release_reset(self, download: bool = False) -> None:
        """Let EN go; with download, GPIO0 is low at that moment and for 50 ms after it."""
        self._gpio.write(GPIO0, 0 if download else GPIO0)
        self._gpio.write(EN, EN)
        if download:
            self._clock.sleep(DOWNLOAD_S)
            self._gpio.write(GPIO0, GPIO0)

    def lid_closed(self) -> bool:
        return bool(self._gpio.read() & LID_CLOSED)

    def emergency_stop_released(self) -> bool:
        return bool(self._gpio.read() & EMERGENCY_STOP_RELEASED)

    def contact_closed(self, socket: int) -> bool:
        """Return whether the contact of a socket (from 1) is closed; only meaningful while the mains source is off."""
        if socket not in CONTACT:
            raise OutOfRange("fixture socket", socket, min(CONTACT), max(CONTACT))
        return bool(self._gpio.read() & CONTACT[socket])

    def light(self, name: str) -> bool:
        """Return whether a light shines on its photodiode: green, red, link or speed."""
        if name not in LIGHTS:
            raise SetupError(f"the fixture watches no light {name!r}", f"known: {', '.join(LIGHTS)}")
        return bool(self._senses.read() & LIGHTS[name])

    def sounds(self) -> bool:
        """Return whether the microphone hears the buzzer now."""
        return bool(self._senses.read() & SOUNDS)

    def set_wifi_switch(self, on: bool) -> None:
        """Move the unit's Wi-Fi switch; it stays where it is when the fixture is switched off."""
        self._senses.write(WIFI_SWITCH, WIFI_SWITCH if on else 0)

    def block_ventilation(self, blocked: bool) -> None:
        """Close the flap before the unit's vents, or open it; the unit gets hot behind it."""
        self._senses.write(VENT_BLOCKED, VENT_BLOCKED if blocked else 0)

    def off(self) -> None:
        """Free the vents, and hold the unit in reset: its firmware can pulse no coil. Safe in any state, any time."""
        self.hold_in_reset()
        self.block_ventilation(blocked=False)

    def is_off(self) -> bool:
        return not self._gpio.read() & EN and not self._senses.read() & VENT_BLOCKED

    def close(self) -> None:
        """Close all ports; the lines keep their levels."""
        self._senses.close()
        self.console.close()
        self.spi.close()
        self._gpio.close()


def _open_reset_lines(who: str, resource: str, clock: Clock) -> GpioPort:
    from hil.links.ftdi import NoSuchDevice
    from hil.links.gpio import GpioPort

    end_s = clock.now_s() + APPEARS_S
    while True:
        try:
            return GpioPort(who, resource, EN | GPIO0, GPIO0)
        except NoSuchDevice:
            if clock.now_s() >= end_s:
                raise
        clock.sleep(LOOK_S)


DRIVER: type[Fixture] = Ft4232hFixture
