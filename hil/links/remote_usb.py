"""A pyusb backend whose devices stand behind a TCP socket: the USB cable of the simulated station.

`use("127.0.0.1:4321")` makes pyftdi find its devices there; pyftdi and pyusb themselves stay unmodified. The wire is
described at the top of hil/sim/usb.py; its constants stand twice because neither room may import the other.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from array import array
from collections import deque
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from usb.backend import IBackend
from usb.core import USBError, USBTimeoutError

from hil.interrupt import uninterrupted

REQUEST = struct.Struct("<BBBxHHIIII")
ANSWER = struct.Struct("<iI")
DEVICE = struct.Struct("<HHHH")
ENUMERATE, OPEN, CLOSE, CLAIM, RELEASE, CONTROL, BULK_OUT, BULK_IN, RESET = range(9)
NO_DEVICE, TIMED_OUT = 19, 110
WORDS = {NO_DEVICE: "No such device (it may have been disconnected)", 16: "Resource busy", TIMED_OUT: "timed out"}
READ_BYTES = 1 << 16
GRACE_S = 10.0  # a simulated station that is this late beyond a transfer's own time-out is dead

_backend: RemoteUsb | None = None


def use(address: str) -> None:
    """Let every FTDI device of this process be looked for at address, "host:port"."""
    global _backend  # noqa: PLW0603  pyftdi loads a backend by the name of a module
    host, _, port = address.rpartition(":")
    if _backend is None or _backend.address != (host, int(port)):
        _forget_devices()
        if _backend:
            _backend.close()
        _backend = RemoteUsb(host, int(port))
    _tools().BACKENDS = (__name__,)


def stop_using() -> None:
    """Go back to the USB of this computer."""
    global _backend  # noqa: PLW0603
    _forget_devices()
    if _backend:
        _backend.close()
        _backend = None
    _tools().BACKENDS = ("usb.backend.libusb1", "usb.backend.libusb0")  # as pyftdi has it


def in_use() -> bool:
    """Return whether FTDI devices are looked for behind a socket."""
    return _backend is not None


def get_backend() -> RemoteUsb | None:
    """Return the backend: pyftdi asks the module that is named in its BACKENDS."""
    return _backend


def _tools() -> Any:
    from pyftdi.usbtools import UsbTools

    return UsbTools


def _forget_devices() -> None:
    _tools().release_all_devices()
    _tools().flush_cache()


class RemoteUsb(IBackend):  # type: ignore[misc]  # pyusb has no types
    """Carries each transfer over one socket: one request, one answer."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__()
        self.address = (host, port)
        self.transfers = 0  # control and bulk, for benchmarks
        self._socket: socket.socket | None = None
        self._deadline_s = 0.0
        self._owed = 0  # answers that are still to come: one at most, but for an interrupt between question and answer
        self._came = bytearray()
        self._later: deque[tuple[int, int, int]] = deque()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the socket; open handles are dead from then on."""
        with self._lock:
            self._hang_up()

    # -- what pyusb calls ----------------------------------------------------------------------------------------------

    def enumerate_devices(self) -> Iterator[_Device]:
        if self._socket is None:
            self._dial()
        _, data = self._ask(ENUMERATE)
        while data:
            bus, address, device_length, configuration_length = DEVICE.unpack_from(data)
            middle = DEVICE.size + device_length
            end = middle + configuration_length
            yield _Device(bus, address, data[DEVICE.size : middle], data[middle:end])
            data = data[end:]

    def get_parent(self, dev: _Device) -> None:
        return None

    def get_device_descriptor(self, dev: _Device) -> SimpleNamespace:
        return dev.device

    def get_configuration_descriptor(self, dev: _Device, config: int) -> SimpleNamespace:
        return [dev.configuration][config]

    def get_interface_descriptor(self, dev: _Device, intf: int, alt: int, config: int) -> SimpleNamespace:
        return [dev.interfaces[intf]][alt]

    def get_endpoint_descriptor(self, dev: _Device, ep: int, intf: int, alt: int, config: int) -> SimpleNamespace:
        endpoint: SimpleNamespace = dev.interfaces[intf].endpoints[ep]
        return endpoint

    def open_device(self, dev: _Device) -> int:
        return self._ask(OPEN)[0]

    def close_device(self, dev_handle: int) -> None:
        self._let_go(CLOSE, 0, dev_handle)

    def set_configuration(self, dev_handle: int, config_value: int) -> None:
        """Leave it as it is: there is one configuration, and it is always active."""

    def get_configuration(self, dev_handle: int) -> int:
        return 1

    def set_interface_altsetting(self, dev_handle: int, intf: int, altsetting: int) -> None:
        """Leave it as it is: there is one setting."""

    def claim_interface(self, dev_handle: int, intf: int) -> None:
        self._ask(CLAIM, index=intf, handle=dev_handle)

    def release_interface(self, dev_handle: int, intf: int) -> None:
        self._let_go(RELEASE, intf, dev_handle)

    def ctrl_transfer(
        self, dev_handle: int, bm_request_type: int, request: int, value: int, index: int, data: Any, timeout: int
    ) -> int:
        self.transfers += 1
        size = len(data) * data.itemsize
        if not bm_request_type & 0x80:
            head = (bm_request_type, request, value, index)
            return self._ask(CONTROL, *head, handle=dev_handle, timeout_ms=timeout, data=data.tobytes())[0]
        head = (bm_request_type, request, value, index)
        _, answer = self._ask(CONTROL, *head, handle=dev_handle, in_length=size, timeout_ms=timeout)
        return _fill(data, answer)

    def bulk_write(self, dev_handle: int, ep: int, intf: int, data: Any, timeout: int) -> int:
        self.transfers += 1
        return self._ask(BULK_OUT, ep, handle=dev_handle, timeout_ms=timeout, data=data.tobytes())[0]

    def bulk_read(self, dev_handle: int, ep: int, intf: int, buff: Any, timeout: int) -> int:
        self.transfers += 1
        size = len(buff) * buff.itemsize
        return _fill(buff, self._ask(BULK_IN, ep, handle=dev_handle, in_length=size, timeout_ms=timeout)[1])

    def clear_halt(self, dev_handle: int, ep: int) -> None:
        """Do nothing: an endpoint of this device never halts."""

    def reset_device(self, dev_handle: int) -> None:
        self._ask(RESET, handle=dev_handle)

    # -- the wire ------------------------------------------------------------------------------------------------------

    def _ask(
        self,
        op: int,
        kind: int = 0,
        request: int = 0,
        value: int = 0,
        index: int = 0,
        *,
        handle: int = 0,
        in_length: int = 0,
        timeout_ms: int = 0,
        data: bytes = b"",
    ) -> tuple[int, bytes]:
        with self._lock:
            while self._later:
                self._exchange_later()
            head = REQUEST.pack(op, kind, request, value, index, handle, in_length, timeout_ms, len(data))
            with uninterrupted:
                status, answer = self._exchange(head + data, timeout_ms * 1e-3 + GRACE_S)
        if status < 0:
            raise _error(-status)
        return status, answer

    def _let_go(self, op: int, interface: int, handle: int) -> None:
        """Release or close, or leave it to the next request: a finalizer may call this in the midst of one."""
        self._later.append((op, interface, handle))
        if not self._lock.acquire(blocking=False):
            return
        try:
            while self._later and self._socket is not None:
                self._exchange_later()
        except USBError:
            self._later.clear()  # the station is gone, and what was open with it
        finally:
            self._lock.release()

    def _exchange_later(self) -> None:
        op, interface, handle = self._later.popleft()
        self._exchange(REQUEST.pack(op, 0, 0, 0, interface, handle, 0, 0, 0), GRACE_S)

    def _exchange(self, message: bytes, deadline_s: float) -> tuple[int, bytes]:
        """Send one request and return its answer; an answer that an interrupt left behind is thrown away first."""
        if self._socket is None:
            raise _error(NO_DEVICE)
        try:
            if deadline_s != self._deadline_s:
                self._socket.settimeout(deadline_s)
                self._deadline_s = deadline_s
            while self._owed:
                self._receive()
            self._owed += 1
            self._socket.sendall(message)
            return self._receive()
        except TimeoutError as error:
            self._hang_up()  # it may answer yet, and nobody could tell which request
            raise USBError(f"the simulated station was silent for {deadline_s:g} s", None, NO_DEVICE) from error
        except OSError as error:
            self._hang_up()
            raise _error(NO_DEVICE) from error

    def _receive(self) -> tuple[int, bytes]:
        """Return status and data of one answer; what has come of it survives an interrupt."""
        assert self._socket is not None
        size = ANSWER.size
        end_s = 0.0
        while True:
            if len(self._came) >= ANSWER.size:
                status, length = ANSWER.unpack_from(self._came)
                size = ANSWER.size + length
                if len(self._came) >= size:
                    break
            if self._came:  # what dribbles is not given more time than what comes at once
                now_s = time.monotonic()
                end_s = end_s or now_s + self._deadline_s
                self._socket.settimeout(max(1e-3, end_s - now_s))
            part = self._socket.recv(READ_BYTES)
            if not part:
                raise ConnectionResetError("the simulated station closed its USB socket")
            self._came += part
        if end_s:
            self._socket.settimeout(self._deadline_s)
        data = bytes(self._came[ANSWER.size : size])
        del self._came[:size]
        self._owed -= 1
        return status, data

    def _dial(self) -> None:
        try:
            self._socket = socket.create_connection(self.address, timeout=GRACE_S)
        except OSError as error:
            where = "{}:{}".format(*self.address)
            raise USBError(f"no simulated USB at {where}: {error}", None, NO_DEVICE) from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._deadline_s = GRACE_S

    def _hang_up(self) -> None:
        if self._socket:
            self._socket.close()
        self._socket, self._owed = None, 0
        self._came.clear()
        self._later.clear()


class _Device:
    """A device as pyusb wants it: descriptors with their fields as attributes (USB 2.0, chapter 9.6)."""

    def __init__(self, bus: int, address: int, device: bytes, configuration: bytes) -> None:
        self.device = _fields(
            device,
            "<BBHBBBBHHHBBBB",
            "bLength bDescriptorType bcdUSB bDeviceClass bDeviceSubClass bDeviceProtocol bMaxPacketSize0 "
            "idVendor idProduct bcdDevice iManufacturer iProduct iSerialNumber bNumConfigurations",
        )
        self.device.bus, self.device.address, self.device.speed = bus, address, 3  # high speed
        self.device.port_number, self.device.port_numbers = 1, (1,)
        self.configuration = _fields(
            configuration,
            "<BBHBBBBB",
            "bLength bDescriptorType wTotalLength bNumInterfaces bConfigurationValue iConfiguration bmAttributes "
            "bMaxPower",
        )
        self.interfaces: list[SimpleNamespace] = []
        at = configuration[0]
        while at < len(configuration):
            part = configuration[at : at + configuration[at]]
            if part[1] == 4:
                interface = _fields(
                    part,
                    "<BBBBBBBBB",
                    "bLength bDescriptorType bInterfaceNumber bAlternateSetting bNumEndpoints bInterfaceClass "
                    "bInterfaceSubClass bInterfaceProtocol iInterface",
                )
                interface.endpoints = []
                self.interfaces.append(interface)
            elif part[1] == 5:
                names = "bLength bDescriptorType bEndpointAddress bmAttributes wMaxPacketSize bInterval"
                endpoint = _fields(part, "<BBBBHB", names)
                endpoint.bRefresh = endpoint.bSynchAddress = 0
                self.interfaces[-1].endpoints.append(endpoint)
            at += len(part)


def _fields(data: bytes, layout: str, names: str) -> SimpleNamespace:
    values = struct.unpack_from(layout, data)
    return SimpleNamespace(extra_descriptors=[], **dict(zip(names.split(), values, strict=True)))


def _fill(buffer: Any, data: bytes) -> int:
    """Copy data to the front of pyusb's buffer."""
    if data:
        memoryview(buffer).cast("B")[: len(data)] = array("B", data)
    return len(data)


def _error(number: int) -> USBError:
    kind = USBTimeoutError if number == TIMED_OUT else USBError
    return kind(WORDS.get(number, f"error {number}"), -number, number)
