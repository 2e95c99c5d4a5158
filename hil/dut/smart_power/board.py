"""A Smart Power board as a tester meets it: its reset lines, its SPI bus, its firmware.

Ref: Smart Power facts 1.6 (access), 6.5 (RPC), 7.6 (boot log). The SPI bus has two would-be masters, the ESP32 and the
tester; the tester may drive it only while EN is low, and this class is what sees to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from hil.clock import Clock
from hil.dut.atm90e26 import Atm90e26, Calibration, SpiBus
from hil.dut.atm90e26.registers import Register
from hil.dut.smart_power.answers import ask
from hil.dut.smart_power.network import Network
from hil.dut.smart_power.panel import Panel
from hil.dut.smart_power.protection import Protection
from hil.dut.smart_power.relay import Relay
from hil.dut.smart_power.revisions import Revision
from hil.errors import BadAnswer, Blame, HilError, SetupError, UnitError, UnitSilent
from hil.links.rpc import Rpc
from hil.links.spi import SpiRead, SpiWrite

BOOT_POLL_S = 0.05
BANNER = re.compile(r"rst:(0x[0-9a-f]+) \(([A-Z0-9_]+)\),boot:(0x[0-9a-f]+) \(([A-Z0-9_()/]+)\)")


POWER_RESETS = {0x01, 0x0F, 0x13}  # power or EN lost, brown-out, glitch of the supply: the bench supplies both


class ResetLines(Protocol):
    """EN and GPIO0 of the unit, in the tester's hands; a Fixture has these methods."""

    def hold_in_reset(self) -> None: ...
    def release_reset(self, download: bool = False) -> None: ...


class BusNotOwned(SetupError):
    """The meters were addressed while the ESP32 owns their bus."""

    def __init__(self) -> None:
        super().__init__("the SPI bus belongs to the running ESP32", "use the meters inside `with board.meters()`")

    def __reduce__(self) -> tuple[type[BusNotOwned], tuple[()]]:
        return BusNotOwned, ()


class CalibrationNotKept(UnitError):
    """The unit does not hold the calibration that was stored in it."""

    def __init__(self, meter: int, address: str, stored: int, kept: int) -> None:
        super().__init__(meter, address, stored, kept)
        self.meter, self.address, self.stored, self.kept = meter, address, stored, kept

    def __str__(self) -> str:
        return f"U{self.meter}: register {self.address}H was stored as {self.stored:04X}, kept as {self.kept:04X}"


@dataclass(frozen=True, slots=True)
class UnitIdentity:
    """Who the unit says it is: Factory.Identity, with what Shelly.GetDeviceInfo adds."""

    serial: str
    board: str
    revision: str
    firmware: str
    build: str
    device_id: str


@dataclass(frozen=True, slots=True)
class Boot:
    """How the unit came up."""

    reset_reason: str
    uptime_s: float
    took_s: float  # from the release of EN to the first RPC answer, to BOOT_POLL_S


@dataclass(frozen=True, slots=True)
class Life:
    """One life of the firmware, from reset to reset."""

    uptime_s: float  # whole seconds
    reset_reason: str


@dataclass(frozen=True, slots=True)
class Banner:
    """The first line of the ROM's boot log."""

    reset_code: int
    reset_reason: str
    boot_code: int
    boot_mode: str


def parse_banner(log: str) -> Banner | None:
    """Return the last boot banner in a console log, or None."""
    found = BANNER.findall(log)
    if not found:
        return None
    reset_code, reset_reason, boot_code, boot_mode = found[-1]
    return Banner(int(reset_code, 16), reset_reason, int(boot_code, 16), boot_mode)


def find_reset(log: str) -> tuple[str, Blame] | None:
    """Return the last reset that a console log shows, and whose fault it is when nobody has asked for one."""
    banner = parse_banner(log)
    if banner is None:
        return None
    blame = Blame.BENCH if banner.reset_code in POWER_RESETS else Blame.UNIT
    return f"rst:{banner.reset_code:#x} {banner.reset_reason}", blame


class _OwnedBus:
    """The tester's SPI bus, usable only while the tester owns the board's."""

    def __init__(self, bus: SpiBus) -> None:
        self._bus = bus
        self.owned = False

    def transfer(self, steps: Sequence[SpiRead | SpiWrite]) -> list[bytes]:
        if not self.owned:
            raise BusNotOwned
        return self._bus.transfer(steps)


class SmartPower:
    """One Smart Power unit. It knows no limit and no verdict."""

    def __init__(self, revision: Revision, rpc: Rpc, lines: ResetLines, bus: SpiBus, clock: Clock) -> None:
        self.revision, self.rpc = revision, rpc
        self._lines, self._clock = lines, clock
        self._bus = _OwnedBus(bus)
        self._meters = tuple(
            Atm90e26(self._bus, socket.chip_select, f"{socket.meter} of socket {socket.number}")
            for socket in revision.sockets
        )
        self.relays = tuple(
            Relay(rpc, socket.number, revision.coil(f"K{socket.number}.SET"), revision.coil(f"K{socket.number}.RESET"))
            for socket in revision.sockets
        )
        self.protection = Protection(rpc)
        self.panel = Panel(rpc)
        self.network = Network(rpc)

    # -- who owns the bus, and the reset line

    @contextmanager
    def meters(self, boot: bool = True) -> Iterator[tuple[Atm90e26, ...]]:
        """Hold the ESP32 in reset and yield the meters; then release it and, if boot, wait until it answers."""
        self.hold()
        self._bus.owned = True
        try:
            yield self._meters
        except BaseException as error:
            self._bus.owned = False
            try:
                self._lines.release_reset()
            except HilError as second:  # the first error is the one to report
                error.add_note(f"and the unit could not be released from reset: {second}")
            raise
        self._bus.owned = False
        if boot:
            self.boot()
        else:
            self._lines.release_reset()

    def hold(self) -> None:
        """Hold the ESP32 in reset: the firmware stops, its pins float, the relays stay as they are."""
        self._lines.hold_in_reset()

    def boot(self) -> Boot:
        """Release the ESP32 from reset and wait until its firmware answers."""
        self._bus.owned = False
        self._lines.release_reset()
        return self.wait_for_boot()

    def restart(self) -> Boot:
        """Reset the ESP32 and wait until its firmware answers again."""
        self.hold()
        return self.boot()

    def wait_for_boot(self) -> Boot:
        """Ask until the firmware answers; raises UnitSilent after the revision's boot time."""
        deadline_s = self.revision.boot_s.value
        start_s = self._clock.now_s()
        while True:
            try:
                status = ask(self.rpc, "Sys.GetStatus", timeout_s=0.5)
                break
            except (UnitSilent, BadAnswer) as error:  # what begins to talk may begin with noise
                if self._clock.now_s() - start_s >= deadline_s:
                    if isinstance(error, BadAnswer):
                        raise
                    raise UnitSilent("unit", "Sys.GetStatus after boot", deadline_s) from None
                self._clock.sleep(BOOT_POLL_S)
        took_s = self._clock.now_s() - start_s
        return Boot(status.word("reset_reason"), status.number("uptime"), took_s)

    # -- firmware

    def identity(self) -> UnitIdentity:
        """Ask the firmware who it is."""
        factory = ask(self.rpc, "Factory.Identity")
        device = ask(self.rpc, "Shelly.GetDeviceInfo")
        return UnitIdentity(
            serial=factory.text("serial"),
            board=factory.text("board"),
            revision=factory.text("revision"),
            firmware=factory.text("firmware"),
            build=factory.text("build"),
            device_id=device.text("id", ""),
        )

    def life(self) -> Life:
        """Ask since when, and after which reset, the firmware runs."""
        status = ask(self.rpc, "Sys.GetStatus")
        return Life(status.number("uptime"), status.word("reset_reason"))

    def uptime_s(self) -> float:
        """Return how long the firmware has been running, by its own clock."""
        return ask(self.rpc, "Sys.GetStatus").number("uptime")

    def socket_status(self, socket: int) -> dict[str, Any]:
        """Return Switch.GetStatus of a socket (from 1) as the firmware sent it: apower, voltage, current, ..."""
        params = {"id": self.revision.socket(socket).number - 1}
        return dict(ask(self.rpc, "Switch.GetStatus", params).table)

    def read_meter(self, socket: int, register: Register) -> int:
        """Let the firmware read one meter register, over the board's own SPI."""
        params = {"meter": self.revision.socket(socket).number, "address": register.address}
        return ask(self.rpc, "Factory.MeterRead", params).whole("value", 0, 0xFFFF)

    def store_calibration(self, socket: int, calibration: Calibration) -> None:
        """Store a meter's calibration in the unit and read it back; raises CalibrationNotKept."""
        registers = calibration.to_registers()
        params = {"meter": self.revision.socket(socket).number, "registers": registers}
        self.rpc.call("Factory.CalStore", params)
        kept = self.stored_calibration(socket).to_registers()
        for address, word in registers.items():
            if kept[address] != word:
                raise CalibrationNotKept(socket, address, word, kept[address])

    def stored_calibration(self, socket: int) -> Calibration:
        """Return the calibration that the unit keeps for a meter."""
        answer = ask(self.rpc, "Factory.CalGet", {"meter": self.revision.socket(socket).number}).inner("registers")
        return Calibration.from_registers({address: answer.whole(address, 0, 0xFFFF) for address in answer.table})
