"""The board's Wi-Fi and its switch, which the fixture moves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hil.dut.smart_power.board import SmartPower
from hil.station.station import Station
from hil.tests.smart_power.waiting import Moment, Waited, wait_for

POLL_S = 0.2
DEADLINE_S = 15.0  # half as long again as the plan allows


@contextmanager
def wifi_switch_at_rest(bench: Station) -> Iterator[None]:
    """On every way out of the block the board's Wi-Fi switch is on."""
    try:
        yield
    finally:
        bench.fixture.set_wifi_switch(True)


def await_wifi(bench: Station, board: SmartPower, on: bool, since: Moment) -> Waited:
    """Wait until Wi-Fi is connected, or is not."""
    return wait_for(
        bench.clock, lambda: board.network.wifi_connected() == on, since, poll_s=POLL_S, deadline_s=DEADLINE_S
    )
