"""Eight pins of an FTDI port in bit-bang mode."""

from __future__ import annotations

import threading

from hil.errors import BadAnswer, OutOfRange
from hil.links.ftdi import LATENCY_MS, TRANSFER_S, FtdiPort, ftdi_errors

READ_BACKS = 3  # a write travels another way than a read; it may be one micro-frame later


class GpioPort:
    """One port of the fixture, 2 unless told. Outputs are remembered here and read back at every write.

    What is remembered is what was asked for last, also when the write failed or a pin did not follow: the next write of
    other pins asks for it again, and a pin that is proven is one that has been read back.
    """

    def __init__(self, who: str, resource: str, directions: int, initial: int, port: int = 2) -> None:
        """Open with the pins of the directions mask as outputs, at the levels of initial."""
        _check("GPIO directions", directions)
        _check("GPIO initial", initial)
        self.directions, self._levels = directions, initial & directions
        self._lock = threading.Lock()
        self._port = FtdiPort(who, resource, port)
        self.who, self.where = who, self._port.where
        try:
            with ftdi_errors(who, self.where):
                self._port.chip.open_bitbang_from_device(
                    self._port.device, self._port.number, directions, latency=LATENCY_MS
                )
                self._port.allow(TRANSFER_S)
            self.write(directions, initial)
        except BaseException:
            self._port.close()
            raise

    def close(self) -> None:
        """Close the port; its pins keep their levels."""
        self._port.close()

    def read(self) -> int:
        """Return the levels at all eight pins, as they are now; one control transfer."""
        with self._lock, ftdi_errors(self.who, self.where, "read pins"):
            return int(self._port.chip.read_pins())

    def write(self, mask: int, value: int) -> None:
        """Set the outputs in mask to value, and read them back."""
        _check("GPIO mask", mask)
        if mask & ~self.directions:
            raise OutOfRange("GPIO mask (outputs only)", mask, 0, self.directions)
        with self._lock, ftdi_errors(self.who, self.where, "write pins"):
            levels = self._levels & ~mask | value & mask
            self._levels = levels
            self._port.chip.write_data(bytes((levels,)))
            for _ in range(READ_BACKS):
                got = int(self._port.chip.read_pins())
                if got & self.directions == levels:
                    return
        raise BadAnswer(
            self.who, f"pins {levels:08b}", f"{got:08b}", "an output does not take its level; look for a short"
        )


def _check(what: str, value: int) -> None:
    if not 0 <= value <= 0xFF:
        raise OutOfRange(what, value, 0, 0xFF)
