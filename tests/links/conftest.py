"""Fixtures: a virtual FT4232H on a socket, reached by unmodified pyftdi."""

import sys
from pathlib import Path

import pytest

from hil.links import remote_usb

sys.path.insert(0, str(Path(__file__).parent.parent / "sim"))

from usb_bench import Station

RESOURCE = "ftdi://ftdi:4232h:HILFIX01"


@pytest.fixture
def station():
    """A running virtual fixture that FTDI devices of this process are looked for on."""
    station = Station()
    remote_usb.use(station.address)
    yield station
    remote_usb.stop_using()
    station.close()
