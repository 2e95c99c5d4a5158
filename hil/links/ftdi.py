"""Ports of an FTDI chip, found by serial number and claimed before they are touched.

pyftdi resets a port as the first thing it does to it. So the interface is claimed first: a port that another process
works with is refused, not disturbed.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hil.errors import HilError, NoAnswer, NotConnected, SetupError

URL = re.compile(r"ftdi://(?P<vendor>[^:/]+):(?P<product>[^:/]+):(?P<serial>[^:/]+)(?:/(?P<port>[1-4]))?/?")
VENDORS, PRODUCTS = {"ftdi": 0x0403}, {"4232h": 0x6011, "ft4232h": 0x6011, "4232": 0x6011}
LATENCY_MS = 1  # the shortest on which FTDI's documents agree; the default of 16 ms would rule every short answer
TRANSFER_S = 1.0  # a USB transfer to a chip that is well takes milliseconds
HINTS = {
    errno.EIO: "a USB transfer broke off: the cable was pulled, or makes a bad contact",
    errno.EACCES: "no permission; install the udev rule for FTDI devices (docs)",
    errno.ENODEV: "the device is gone: unplugged, or the simulated station ended",
}


class NoSuchDevice(NotConnected):
    """No adapter with this serial number is connected now; one that was just plugged in takes a moment."""


_open_ports: set[tuple[str, int]] = set()


@dataclass(frozen=True, slots=True)
class FtdiAddress:
    """A chip by its serial number; the port may be left open."""

    product: str
    serial: str
    port: int | None

    @classmethod
    def parse(cls, resource: str) -> FtdiAddress:
        """Read "ftdi://ftdi:4232h:SERIAL" or "ftdi://ftdi:4232h:SERIAL/3"."""
        match = URL.fullmatch(resource.strip())
        if not match or match["vendor"].lower() not in VENDORS or match["product"].lower() not in PRODUCTS:
            raise SetupError(f"{resource!r} names no FT4232H", "write it like ftdi://ftdi:4232h:HILFIX01")
        return cls(match["product"].lower(), match["serial"], int(match["port"]) if match["port"] else None)

    def at(self, port: int) -> str:
        """Return the resource string of one port."""
        return f"ftdi://ftdi:{self.product}:{self.serial}/{port}"


@contextmanager
def ftdi_errors(who: str, where: str, doing: str = "open") -> Iterator[None]:
    """Turn everything that pyftdi, pyusb and libusb raise into our own errors."""
    try:
        yield
    except HilError:
        raise
    except Exception as error:  # pyftdi raises OSError, ValueError, UsbToolsError(Exception), NotImplementedError, ...
        number = _errno(error)
        if number == errno.ETIMEDOUT:
            raise NoAnswer(who, doing, TRANSFER_S) from error
        raise NotConnected(who, where, HINTS.get(number, f"{doing}: {error}")) from error


class FtdiPort:
    """One claimed port. `chip` is pyftdi's object, not yet open: the owner opens it in the mode it needs."""

    def __init__(self, who: str, resource: str, port: int) -> None:
        address = FtdiAddress.parse(resource)
        port = address.port or port
        self.who, self.where, self.number = who, address.at(port), port
        self._key = (address.serial, port)
        if self._key in _open_ports:
            raise NotConnected(who, self.where, "this process has the port open already; close it first")
        with ftdi_errors(who, self.where):
            self.device, self.chip = _claim(who, self.where, address, port)
        _open_ports.add(self._key)

    def allow(self, transfer_s: float) -> None:
        """Let a USB transfer on the open port take so long, instead of pyftdi's five seconds."""
        self.chip.timeouts = (round(1e3 * transfer_s), round(1e3 * transfer_s))

    def close(self) -> None:
        """Give the port back; its pins and mode stay as they are. Safe at any time, any number of times."""
        if self._key in _open_ports:
            _open_ports.discard(self._key)
            if self.chip.is_connected:
                with suppress(OSError):  # it may be unplugged: then there is nothing to give back
                    self.chip.close(freeze=True)
            else:
                with suppress(OSError):
                    _tools().release_device(self.device)


def find_serials() -> list[str]:
    """Return the serial numbers of the FT4232H chips that are connected now."""
    with ftdi_errors("USB", "this computer", "list devices"):
        tools = _tools()
        tools.flush_cache()  # pyftdi remembers devices that are gone, and fails on them
        found = tools.find_all([(VENDORS["ftdi"], PRODUCTS["4232h"])])
    return sorted(str(device.sn) for device, _ in found)


def _claim(who: str, where: str, address: FtdiAddress, port: int) -> tuple[Any, Any]:
    from pyftdi.ftdi import Ftdi
    from pyftdi.usbtools import UsbDeviceDescriptor
    from usb.util import claim_interface

    tools = _tools()
    serials = find_serials()
    if address.serial not in serials:
        there = f"connected are {', '.join(serials)}" if serials else "no FT4232H is connected"
        raise NoSuchDevice(who, where, f"no device with serial number {address.serial}; {there}")
    device = tools.get_device(
        UsbDeviceDescriptor(VENDORS["ftdi"], PRODUCTS[address.product], None, None, address.serial, None, None)
    )
    try:
        claim_interface(device, port - 1)
    except BaseException as error:
        owner = _owner(device, port - 1) if _errno(error) == errno.EBUSY else ""
        tools.release_device(device)
        if owner:
            raise NotConnected(who, where, owner) from error
        raise
    return device, Ftdi()


def _owner(device: Any, interface: int) -> str:
    """Return who has claimed an interface, and what to do about it."""
    from hil.links import remote_usb

    if remote_usb.in_use():
        return "another process works with this port of the simulated fixture; end it"
    with suppress(NotImplementedError, OSError):  # the backend cannot tell
        if device.is_kernel_driver_active(interface):
            return "the kernel's serial driver (ftdi_sio) has this port; unbind it by the udev rule for FTDI (docs)"
    named = holders(Path(f"/dev/bus/usb/{device.bus:03d}/{device.address:03d}"))
    return f"{', '.join(named) or 'another process'} works with this port; end it, or use another fixture"


def holders(device: Path, processes: Path = Path("/proc")) -> list[str]:
    """Return the other processes that have a device open, like "pid 1234 (minicom)"; only those that we may look at."""
    found = []
    for process in processes.glob("[0-9]*"):
        if process.name == str(os.getpid()):
            continue
        with suppress(OSError):  # it has ended, or is another user's
            if any(link.readlink() == device for link in (process / "fd").iterdir()):
                found.append(f"pid {process.name} ({(process / 'comm').read_text().strip()})")
    return found


def _tools() -> Any:
    from pyftdi.usbtools import UsbTools

    from hil.links import remote_usb

    if not remote_usb.in_use():
        import libusb_package

        libusb_package.get_libusb1_backend()  # lets pyusb find libusb where the system has none
    return UsbTools


def _errno(error: BaseException | None) -> int:
    """Return the error number; pyftdi hides it with `raise ... from None`, but Python keeps the context."""
    while error is not None:
        number = getattr(error, "errno", None)
        if isinstance(number, int):
            return number
        error = error.__cause__ or error.__context__
    return 0
