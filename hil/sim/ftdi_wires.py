"""What the ports of the fixture's FT4232H are soldered to: SPI, reset and sense lines, console, eyes and fingers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

SK, MOSI, MISO, CS0 = 0x01, 0x02, 0x04, 0x08  # ADBUS0..3; CS0..3 are ADBUS3..6
SPI_OUTPUTS = SK | MOSI | 0x78
NONE_SELECTED = (True, True, True, True)
SpiPins: TypeAlias = tuple[bool, bool, tuple[bool, bool, bool, bool]]  # clock, data, chip selects


class FixturePins(Protocol):
    """The bench's side of the fixture's pins."""

    def spi_pins(self, t_s: float, sclk: bool, mosi: bool, cs: tuple[bool, bool, bool, bool]) -> bool: ...
    def gpio_write(self, value: int, direction: int) -> None: ...
    def gpio_read(self) -> int: ...
    def panel_write(self, value: int, direction: int) -> None: ...
    def panel_read(self) -> int: ...
    def uart_write(self, data: bytes) -> None: ...
    def uart_read(self) -> bytes: ...


class Wires:
    """Nothing is connected: every pin floats up."""

    def drive(self, t_s: float, levels: int, direction: int) -> None:
        """Put levels on the pins whose direction bit is set."""
        self._driven, self._levels = direction, levels

    def read(self, t_s: float) -> int:
        """Return the levels at the pads; what nobody drives is pulled up inside the chip."""
        return (self._levels & self._driven | ~self._driven) & 0xFF

    def send(self, data: bytes) -> None:
        """Put bytes on the serial line."""

    def receive(self) -> bytes:
        """Return the bytes that have come in since the last call."""
        return b""

    def __init__(self) -> None:
        self._driven = self._levels = 0


class Buffers(Wires):
    """The fixture's buffers between a port and its wires: without USB power they let go, and nothing passes [A]."""

    def __init__(self, wires: Wires) -> None:
        super().__init__()
        self._wires, self._powered = wires, True

    def power(self, t_s: float, on: bool) -> None:
        """Get USB power, or lose it. What came while nobody listened is lost."""
        self._wires.drive(t_s, 0, 0)
        self._powered = on
        if on:
            self._wires.receive()

    def drive(self, t_s: float, levels: int, direction: int) -> None:
        if self._powered:
            self._wires.drive(t_s, levels, direction)

    def read(self, t_s: float) -> int:
        return self._wires.read(t_s) if self._powered else 0xFF

    def send(self, data: bytes) -> None:
        if self._powered:
            self._wires.send(data)

    def receive(self) -> bytes:
        return self._wires.receive() if self._powered else b""


class SpiWires(Wires):
    """Port 1: the bus of the four meters. The fixture pulls the chip selects up while nobody drives them [A]."""

    def __init__(self, fixture: FixturePins) -> None:
        super().__init__()
        self._fixture = fixture
        self._known: dict[tuple[int, int], SpiPins] = {}  # the bus has few states and 20 edges a byte
        self._pins: SpiPins | None = None
        self._miso = True

    def drive(self, t_s: float, levels: int, direction: int) -> None:
        self._driven, self._levels = direction, levels
        if not direction & SPI_OUTPUTS:
            self._release(t_s)
            return
        pins = self._known.get((levels, direction))
        if pins is None:
            pins = self._known[levels, direction] = _spi_pins(levels, direction)
        if pins != self._pins:
            self._pins = pins
            self._miso = self._put(t_s, pins)

    def _put(self, t_s: float, pins: SpiPins) -> bool:
        """Put levels on the bus; return MISO."""
        miso = self._fixture.spi_pins(t_s, *pins)
        if self._pins is None:  # the cable was pulled while they were on their way
            self._fixture.spi_pins(t_s, False, False, NONE_SELECTED)
        return miso

    def _release(self, t_s: float) -> None:
        """Let go: the pull-ups deselect what was selected, and whatever happens on the bus then is not ours."""
        pins, self._pins = self._pins, None
        if pins is not None and pins[2] != NONE_SELECTED:
            self._fixture.spi_pins(t_s, pins[0], pins[1], NONE_SELECTED)

    def read(self, t_s: float) -> int:
        if self._pins is not None:
            self._miso = self._put(t_s, self._pins)  # no edge: SDO may have settled since the last one
        pads = super().read(t_s)
        return pads if self._driven & MISO or self._miso or self._pins is None else pads & ~MISO


def _spi_pins(levels: int, direction: int) -> SpiPins:
    driven = levels & direction
    high = levels | ~direction
    selects = (bool(high & CS0), bool(high & CS0 << 1), bool(high & CS0 << 2), bool(high & CS0 << 3))
    return bool(driven & SK), bool(driven & MOSI), selects


class GpioWires(Wires):
    """Eight plain lines. Port 2: EN, GPIO0, lid, emergency stop, contact sense. Port 4: eyes and fingers."""

    def __init__(self, write: Callable[[int, int], None], read: Callable[[], int]) -> None:
        super().__init__()
        self._write_lines, self._read_lines = write, read

    def drive(self, t_s: float, levels: int, direction: int) -> None:
        super().drive(t_s, levels, direction)
        self._write_lines(levels & direction, direction)

    def read(self, t_s: float) -> int:
        return (self._levels & self._driven | self._read_lines() & ~self._driven) & 0xFF


class UartWires(Wires):
    """Port 3: the unit's console."""

    def __init__(self, fixture: FixturePins) -> None:
        super().__init__()
        self._fixture = fixture

    def send(self, data: bytes) -> None:
        self._fixture.uart_write(data)

    def receive(self) -> bytes:
        return self._fixture.uart_read()
