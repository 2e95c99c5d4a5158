"""The FT4232H itself: descriptors, vendor requests, four ports.

Ref: USB 2.0 chapter 9 (descriptors); FTDI's vendor requests as any host driver sends them (facts, instruments 2.2)
"""

from __future__ import annotations

import struct

from hil.sim.ftdi_port import MICRO_FRAME_S, BenchTime, Port
from hil.sim.ftdi_wires import FixturePins, GpioWires, SpiWires, UartWires

VENDOR, PRODUCT, RELEASE = 0x0403, 0x6011, 0x0800
PORTS = 4
PIPE, TIMED_OUT = -32, -110  # Linux error numbers, as libusb reports them: EPIPE (request refused), ETIMEDOUT

DEVICE_DESCRIPTOR = struct.pack("<BBHBBBBHHHBBBB", 18, 1, 0x0200, 0, 0, 0, 64, VENDOR, PRODUCT, RELEASE, 1, 2, 3, 1)


def configuration_descriptor() -> bytes:
    """Return the configuration with its four vendor-specific interfaces, two bulk endpoints each."""
    body = b"".join(
        struct.pack("<BBBBBBBBB", 9, 4, i, 0, 2, 0xFF, 0xFF, 0xFF, 2)
        + struct.pack("<BBBBHB", 7, 5, 0x81 + 2 * i, 2, 512, 0)
        + struct.pack("<BBBBHB", 7, 5, 0x02 + 2 * i, 2, 512, 0)
        for i in range(PORTS)
    )
    return struct.pack("<BBHBBBBB", 9, 2, 9 + len(body), PORTS, 1, 0, 0x80, 250) + body


class Ft4232h:
    """The chip on the fixture."""

    def __init__(self, world: BenchTime, fixture: FixturePins, serial: str) -> None:
        self._world = world
        self.serial = serial
        wires = (
            SpiWires(fixture),
            GpioWires(fixture.gpio_write, fixture.gpio_read),
            UartWires(fixture),
            GpioWires(fixture.panel_write, fixture.panel_read),
        )
        self.ports = tuple(Port(world, wire, has_mpsse=i < 2) for i, wire in enumerate(wires))
        self.configuration = configuration_descriptor()

    def power(self, on: bool) -> None:
        """Get power from the USB cable, or lose it."""
        for port in self.ports:
            port.power(on)

    def control(self, kind: int, request: int, value: int, index: int, length: int) -> tuple[int, bytes]:
        """Answer one control request: status (bytes moved, or minus an error number) and data for the host."""
        if kind == 0x80 and request == 6:
            return self._descriptor(value, length)
        if kind == 0x80 and request == 8:
            return 1, b"\x01"
        number = index & 0xFF
        if kind & 0x60 != 0x40 or not 1 <= number <= PORTS:
            return (length, b"\xff\xff"[:length]) if request == 0x90 else (PIPE, b"")
        port = self.ports[number - 1]
        if kind & 0x80:
            return self._vendor_in(port, request, length)
        return self._vendor_out(port, request, value, index)

    def bulk_out(self, endpoint: int, data: bytes, timeout_s: float) -> tuple[float, int]:
        """Start a transfer to the chip now; return when it ends and its status."""
        now_s = self._world.now_s
        if endpoint not in range(0x02, 0x02 + 2 * PORTS, 2):
            return now_s, PIPE
        done_s = self.ports[(endpoint - 0x02) // 2].write(data, now_s + MICRO_FRAME_S)
        return (now_s + timeout_s, TIMED_OUT) if done_s is None else (done_s, len(data))

    def bulk_in_ready_s(self, endpoint: int) -> float:
        """Return when the chip will have a packet for the host; at once where it has no such endpoint."""
        if endpoint not in range(0x81, 0x81 + 2 * PORTS, 2):
            return self._world.now_s
        return self.ports[(endpoint - 0x81) // 2].ready_s(self._world.now_s)

    def bulk_in(self, endpoint: int, size: int) -> bytes:
        """Return the packets there are; none from an endpoint that is not."""
        if endpoint not in range(0x81, 0x81 + 2 * PORTS, 2):
            return b""
        return self.ports[(endpoint - 0x81) // 2].fetch(size)

    def _descriptor(self, value: int, length: int) -> tuple[int, bytes]:
        kind, number = value >> 8, value & 0xFF
        if kind == 1:
            data = DEVICE_DESCRIPTOR
        elif kind == 2:
            data = self.configuration
        elif kind == 3 and number < len(strings := ("", "FTDI", "Quad RS232-HS", self.serial)):
            text = strings[number].encode("utf-16-le") if number else b"\x09\x04"  # English (United States)
            data = bytes((len(text) + 2, 3)) + text
        else:
            return PIPE, b""
        return len(data[:length]), data[:length]

    def _vendor_in(self, port: Port, request: int, length: int) -> tuple[int, bytes]:
        match request:
            case 5:
                data = b"\x32\x60"
            case 10:
                data = bytes((round(port.latency_s * 1e3),))
            case 12:
                data = bytes((port.read_pins(),))
            case _:
                return PIPE, b""
        return len(data[:length]), data[:length]

    def _vendor_out(self, port: Port, request: int, value: int, index: int) -> tuple[int, bytes]:
        match request:
            case 0:
                for to_host in (False, True):
                    if value in {0, 1 + to_host}:
                        port.purge(to_host)
            case 1 | 2 | 6 | 7:  # modem lines and flow control are not wired; event and error characters not used
                pass
            case 3:
                port.set_baud(value, index)
            case 4:
                port.set_line(value)
            case 9:
                port.latency_s = max(1, value & 0xFF) * 1e-3
            case 11:
                port.set_mode(value & 0xFF, value >> 8)
            case _:
                return PIPE, b""
        return 0, b""
