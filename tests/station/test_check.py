"""`hil station safe` goes through the instruments one after another; what it may not do when one does not obey."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest

from hil.station import check
from hil.station.config import load_stations

BENCH = load_stations(Path(__file__).parents[2] / "stations.toml")["bench-1"]


@pytest.mark.parametrize("state", ["off", "ON", ""])
def test_the_relay_box_opens_only_behind_a_tester_that_is_off(monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    """An open one would bring source and probes to what is charged; every other instrument is switched off."""
    config = replace(BENCH, safe_state=("AcSource", "HipotTester", "Switch", "Fixture"))
    switched_off = {}

    def answer(one: object, resource: str, clock: object, *, safe: bool, switch_off: bool) -> check.Answer:
        role = one.role  # type: ignore[attr-defined]
        switched_off[role] = switch_off
        return check.Answer(role, "", "", "", state if role == "HipotTester" else "off")

    monkeypatch.setattr(check, "lock_station", lambda *_, **__: Mock(unsafe="", died=None))
    monkeypatch.setattr(check, "_answer", answer)
    checked = check.check_station(config, switch_off=True)

    assert switched_off["Switch"] == checked.safe == (state == "off")
    assert all(switched_off[role] for role in ("AcSource", "HipotTester", "Fixture"))
