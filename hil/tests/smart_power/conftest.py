"""What the Smart Power tests share: powered states of the unit, and one socket under load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from hil.dut.atm90e26 import Calibration
from hil.dut.smart_power.board import SmartPower
from hil.links.console import ConsoleLine
from hil.metrology.budget import Budget
from hil.plans.plan import Plan
from hil.run.measure import Measurer
from hil.station.station import Station
from hil.tests.smart_power.loadpoint import SocketUnderLoad, under_load
from hil.tests.smart_power.referencepoint import ReferencePoint
from hil.tests.smart_power.relayshot import RelayShots


@pytest.fixture(scope="session")
def troubles(bench: Station) -> list[ConsoleLine]:
    """What came damaged on the console so far; it grows."""
    return bench.fixture.console.troubles


@pytest.fixture(autouse=True)
def console_troubles(troubles: list[ConsoleLine], measure: Measurer) -> Iterator[None]:
    """Put on record what came damaged on the console during a test, and what was asked again because of it."""
    before = len(troubles)
    yield
    for text, count in Counter(one.text for one in troubles[before:]).items():
        measure.note(f"console: {text}" + (f" ({count} times)" if count > 1 else ""))


@pytest.fixture(scope="session")
def reference_points() -> list[ReferencePoint]:
    """What was seen of the reference meter before the metering, to be compared with what is seen after it."""
    return []


@pytest.fixture(scope="module")
def rails(bench: Station, board: SmartPower) -> Iterator[None]:
    """The unit runs from the DC supply at J43; mains is off."""
    with bench.rail():
        board.boot()
        yield


@pytest.fixture(scope="module")
def mains(bench: Station, board: SmartPower, plan: Plan) -> Iterator[None]:
    """The unit runs from the mains source at Un, with its firmware up."""
    with bench.mains(plan.nominal["un_v"], plan.nominal["frequency_hz"]):
        board.boot()
        yield


@pytest.fixture(scope="module")
def shots(bench: Station, board: SmartPower, rails: None) -> RelayShots:
    """Oscilloscope captures of each relay's actuations, taken once and read by many tests."""
    return RelayShots(bench, board)


@pytest.fixture(scope="session")
def calibrations() -> dict[int, Calibration]:
    """What was found for each socket's meter, kept until it is stored in the unit."""
    return {}


@pytest.fixture(scope="session")
def errors() -> dict[tuple[int, str, str], Budget]:
    """By socket, current and power factor: the error of active power at reference conditions, in %."""
    return {}


@pytest.fixture(scope="session")
def influences() -> dict[str, dict[tuple[int, str], Budget]]:
    """By influence, socket and power factor: the largest change of the error it made, in %, for the composite error."""
    return {}


@pytest.fixture(scope="module", params=[1, 2, 3, 4], ids="socket{}".format)
def socket(
    request: pytest.FixtureRequest, bench: Station, board: SmartPower, plan: Plan, mains: None
) -> Iterator[SocketUnderLoad]:
    """One socket closed, the others open, the load routed to it, its meter in the tester's hands."""
    with under_load(bench, board, plan, request.param) as loaded:
        yield loaded
