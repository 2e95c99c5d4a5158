"""The runs that every export is tried on, and what their journals say."""

import pytest
from export_sample import CALIBRATION, NO_LIMIT, POWER, STANDS, attempts, judged, measurements, write
from sample_run import point, requirement


@pytest.fixture(scope="session")
def full(tmp_path_factory):
    """A simulated run from no released plan, with everything in it; the unit fails."""
    return write(tmp_path_factory.mktemp("full"), list(measurements()))


@pytest.fixture(scope="session")
def died(tmp_path_factory):
    """A run that died in its first test."""
    return write(tmp_path_factory.mktemp("died"), list(measurements()), died=True)


@pytest.fixture(scope="session")
def good(tmp_path_factory):
    """A real bench with a calibrated meter, a released plan and an order; the unit passes."""
    error = {"instruments": ("PowerMeter",), "asked": "REL-01", **judged(0.2)}
    return write(
        tmp_path_factory.mktemp("good"),
        [
            point(POWER, "power.error[pf=1]", value=0.25, point={"current_a": 0.05}, **error),
            point(POWER, "power.error[pf=2]", "not_covered", value=0.125, **error | NO_LIMIT | {"judgement": {}}),
            point(POWER, "ambient.temperature", value=23.5, unit="degC", low=15.0, high=30.0, asked="REL-01"),
        ],
        verdict="pass",
        calibration=CALIBRATION,
        simulated=False,
        station="bench-1",
        requirements=(requirement("REL-01", ["power.error[pf=1]"], area="relays"),),
        release={"status": "released", "id": "smart-power-A"},
        order={"customer": "Kunde AG", "contact": "k@example.org", "number": "PO-7", "received": "2026-11-20"},
    )


@pytest.fixture(params=["full", "died", "good"])
def journal(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def told(journal):
    """What the journal says of each attempt, as it stands in the file."""
    return attempts(journal)


@pytest.fixture
def stands():
    """What an attempt stands for, by its name and verdict."""
    return lambda said: STANDS.get(said["name"], said["verdict"])
