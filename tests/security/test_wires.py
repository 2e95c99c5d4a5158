"""Text that reaches a driver or a link does not become a second message, a path or another address."""

from __future__ import annotations

import importlib
import inspect
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from hil.errors import HilError, SetupError
from hil.links.ftdi import FtdiAddress
from hil.links.snmp import SnmpAddress
from hil.links.visa import VisaLink
from hil.station.drivers import read_drivers

EVIL = ("1);*RST;:OUTP ON", "1\n*RST", "1;:SYST:REM", '1"', "1 'x'", "(@101:320)", "1,2", "\x00", "nan;*RST", "")
PLAIN: dict[str, object] = {"float": 1.0, "int": 1, "bool": True, "str": "auto", "Sequence[int]": [101]}


class Recording:
    """A wire that keeps what is sent; it answers 1, which is no error to any query that asks for a number."""

    who, where = "recorder", "nowhere"

    def __init__(self) -> None:
        self.sent: list[str] = []

    def tell(self, message: str) -> None:
        self.sent.append(message)

    def ask(self, message: str) -> str:
        self.sent.append(message)
        return "0"

    def ask_block(self, message: str) -> bytes:
        self.sent.append(message)
        return b""

    def close(self) -> None:
        """Nothing is open."""


class Standing:
    """Bench time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.time_s = 0.0

    def now_s(self) -> float:
        return self.time_s

    def sleep(self, duration_s: float) -> None:
        self.time_s += duration_s


def scpi_drivers() -> Iterator[tuple[str, Any]]:
    """Yield every driver that speaks through a SCPI link."""
    for name in read_drivers():
        driver = importlib.import_module(f"hil.instruments.{name}").DRIVER
        if hasattr(driver, "LINK"):
            yield name, driver


def parameters() -> Iterator[Any]:
    """Yield every parameter of every public method of every SCPI driver; a switch that is on or off sends no text."""
    for name, driver in scpi_drivers():
        for method, function in inspect.getmembers(driver, inspect.isfunction):
            given = {key: str(one.annotation) for key, one in inspect.signature(function).parameters.items()}
            given.pop("self", None)
            for key, annotation in given.items():
                plain = PLAIN.get(annotation)
                if not method.startswith("_") and plain is not None and annotation != "bool":
                    yield pytest.param(driver, method, given, key, id=f"{name}.{method}({key})")


def test_every_scpi_driver_is_tried():
    """None escapes by having no parameter that the next test knows."""
    tried = {case.values[0] for case in parameters()}

    assert {driver for _, driver in scpi_drivers()} == tried
    assert len(tried) >= 8


@pytest.mark.parametrize(("driver", "method", "given", "key"), list(parameters()))
def test_text_for_a_number_is_refused_before_the_wire(driver: Any, method: str, given: dict[str, str], key: str):
    """Alone, or in a list: nothing at all is sent."""
    for evil in EVIL:
        for value in (evil, [evil]) if given[key].startswith("Sequence") else (evil,):
            link = Recording()
            arguments = {name: PLAIN.get(annotation) for name, annotation in given.items()} | {key: value}
            if value == "" and given[key].startswith("Sequence"):
                continue  # no channels: nothing to do
            with pytest.raises((HilError, TypeError, ValueError)):
                getattr(driver(link, Standing()), method)(**arguments)
            assert link.sent == []


@pytest.fixture
def listener() -> Iterator[tuple[int, list[bytes]]]:
    """A socket that keeps what comes."""
    came: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))

    def receive() -> None:
        with suppress(OSError):
            connection, _ = server.accept()
            with connection:
                while data := connection.recv(1024):
                    came.append(data)

    thread = threading.Thread(target=receive)
    thread.start()
    yield server.getsockname()[1], came
    server.close()
    thread.join(10)


def test_a_message_is_one_line_of_ascii(listener: tuple[int, list[bytes]]):
    """The last door before the wire, whatever a driver does: nothing leaves, and the link lives on."""
    port, came = listener
    link = VisaLink("source", f"TCPIP::127.0.0.1::{port}::SOCKET")
    for evil in ("VOLT 1\n*RST", "VOLT 1\r", "VOLT\t1", "\x00", "µ", "VOLT 1\u2028*RST", "\x9b", ""):
        for send in (link.tell, link.ask, link.ask_block):
            with pytest.raises(SetupError, match="nothing was sent"):
                send(evil)
    link.tell("VOLT 1")
    link.close()
    for thread in threading.enumerate():
        if thread is not threading.main_thread() and thread.name.endswith("(receive)"):
            thread.join(10)

    assert b"".join(came) == b"VOLT 1\n"


@pytest.mark.parametrize(
    "resource",
    [
        "ftdi://ftdi:4232h:A/5", "ftdi://ftdi:4232h:A/3/../1", "ftdi://ftdi:4232h:A:B", "ftdi://0x0403:4232h:A",
        "file:///etc/passwd", "ftdi://ftdi:232h:A", "",
    ],
)  # fmt: skip
def test_an_ftdi_address_names_one_chip(resource: str):
    """And nothing else."""
    with pytest.raises(SetupError, match="names no FT4232H"):
        FtdiAddress.parse(resource)


@pytest.mark.parametrize(
    "resource",
    [
        "snmp://secret@h:99999/1", "snmp://secret@h/0", "snmp://secret@h/1?write=secret&x=1", "http://secret@h/1",
        "snmp://secret@h/1?write=secret#x", "snmp://secret@/1", "snmp://secret@h/1;2", "snmp://a/secret@h/1",
    ],
)  # fmt: skip
def test_a_wrong_snmp_address_does_not_print_its_community(resource: str):
    """Errors get on record."""
    with pytest.raises(SetupError, match="names no port") as refused:
        SnmpAddress.parse(resource)

    assert "secret" not in str(refused.value)
