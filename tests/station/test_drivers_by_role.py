"""Whose driver a test asked for: what its record says that it spoke to."""

from __future__ import annotations

from typing import Any, cast

import pytest

from hil.station.drivers_by_role import DriversByRole

DRIVERS: dict[str, Any] = {role: object() for role in ("AcSource", "DcSupply", "Dmm")}


def test_each_test_has_its_own() -> None:
    """What was asked for before is not told again; the order is the station's."""
    roles = DriversByRole(cast(Any, DRIVERS))
    assert roles["Dmm"] is DRIVERS["Dmm"]
    assert roles["AcSource"] is DRIVERS["AcSource"]

    assert roles.used() == ("AcSource", "Dmm")
    assert roles.used() == ()


def test_what_feeds_the_unit_is_part_of_every_test_meanwhile() -> None:
    """A fixture of many tests switched it on; the test in which it goes off has used it, too."""
    roles = DriversByRole(cast(Any, DRIVERS))
    told = []
    with roles.on("DcSupply"):
        told.append(roles.used())
        with roles.on("DcSupply"):
            told.append(roles.used())
        told.append(roles.used())
    told.append(roles.used())
    told.append(roles.used())

    assert told == [("DcSupply",)] * 4 + [()]


def test_a_role_that_the_station_lacks_is_not_used() -> None:
    """Asked for and not there: nobody was spoken to."""
    roles = DriversByRole(cast(Any, DRIVERS))
    with pytest.raises(KeyError):
        roles["Scope"]

    assert roles.used() == ()
    assert "Scope" not in roles
