"""ATM90E26: frames on its pins (facts 3.1)."""

from __future__ import annotations

import numpy as np
import pytest
from physics_rig import Pins, Rig

from hil.sim.chips.atm90e26 import Atm90e26


@pytest.fixture
def pins() -> Pins:
    chip = Atm90e26(np.random.default_rng(1))
    chip.set_supply(0.0, 3.3)
    return Pins(chip)


@pytest.fixture
def violations() -> tuple[Pins, list[str]]:
    seen: list[str] = []
    chip = Atm90e26(np.random.default_rng(1), violation=seen.append)
    chip.set_supply(0.0, 3.3)
    return Pins(chip), seen


@pytest.mark.parametrize(
    ("frame", "address", "word"),
    [
        (0x005678, 0x00, 0),
        (0x020030, 0x02, 0x0030),
        (0x205678, 0x20, 0x5678),
        (0x208765, 0x20, 0x8765),
        (0x308765, 0x30, 0x8765),
    ],
)
def test_byte_vectors(pins, frame, address, word):
    """The frames of facts 3.1 do what they say."""
    pins.clock(frame)

    assert pins.read(address) == word


@pytest.mark.parametrize(
    ("clocks", "pause_at", "performed"),
    [(24, -1, True), (23, -1, False), (25, -1, False), (24, 12, False), (8, -1, False)],
)
def test_a_write_needs_exactly_24_clocks_in_time(pins, clocks, pause_at, performed):
    """Other lengths and a pause over 6 ms drop it, and LastData stays (DS26 Table 8)."""
    pins.clock(0x020030, clocks=clocks, pause_at=pause_at)

    assert (pins.read(0x06) == 0x0030) is performed
    assert (pins.read(0x02) == 0x0030) is performed


@pytest.mark.parametrize(
    ("clocks", "pause_at", "updated"), [(24, -1, True), (30, -1, True), (24, 12, True), (20, -1, False)]
)
def test_a_read_needs_24_clocks_or_more(pins, clocks, pause_at, updated):
    """The first 24 count; fewer are a partial read that leaves LastData."""
    pins.clock(0x830000, clocks=clocks, pause_at=pause_at)

    assert pins.read(0x06) == (0x1D6A if updated else 0x0000)


def test_a_partial_read_does_not_clear(pins):
    """A clear-on-read register survives a read that was cut short."""
    pins.write(0x20, 0x1111)
    pins.write(0x20, 0x5678)
    pins.chip._status = 0x0020
    pins.clock(0x810000, clocks=16)

    assert pins.read(0x01) == 0x0020
    assert pins.read(0x01) == 0x0000
    assert pins.read(0x06) == 0x0000


def test_sdo_is_driven_in_the_data_phase_of_a_read_only(pins):
    """Eight command clocks and every write leave SDO floating (read as 1)."""
    assert pins.clock(0x830000) == 0xFF1D6A
    assert pins.clock(0x021234) == 0xFFFFFF


def test_an_invalid_address_reads_zero_and_ignores_writes(pins):
    """DS26 4.1.3."""
    pins.write(0x5A, 0x1234)

    assert pins.read(0x5A) == 0


@pytest.mark.parametrize(
    ("timing", "name"),
    [({"high_s": 3.0e-6}, "tCLH"), ({"low_s": 1.9e-6}, "tCLL"), ({"gap_s": 3e-6}, "tCSH")],
)
def test_a_frame_too_fast_is_lost(violations, timing, name):
    """Below the minima of DS26 Table 11 a write is dropped and the violation is told."""
    pins, seen = violations
    pins.read(0x03)
    pins.clock(0x020030, **timing)

    assert pins.read(0x02) == 0x000C
    assert seen == [name]


def test_at_136_khz_all_is_well_and_at_160_khz_it_is_not(violations):
    """Half of 1 / 136.2 kHz is tCLH."""
    pins, seen = violations
    half_s = 0.5 / 136e3
    pins.clock(0x020030, high_s=half_s, low_s=half_s)
    good = pins.read(0x02)
    pins.clock(0x020031, high_s=0.5 / 160e3, low_s=0.5 / 160e3)

    assert good == 0x0030
    assert seen == ["tCLH"]


@pytest.mark.parametrize(("mode", "works"), [(0, True), (3, True), (1, False), (2, False)])
def test_modes_0_and_3_work_and_the_others_fail(mode, works):
    """Sampling on the rising edge is common to modes 0 and 3; the others change data where it is sampled."""
    rig = Rig()
    rig.mains()
    rig.hold()
    rig.world.advance(0.01)
    rig.frame(0, 0x020035, mode=mode)

    assert (rig.read(0, 0x02) == 0x0035) is works
    if works:
        assert rig.frame(0, 0x830000, mode=mode) & 0xFFFF == 0x1D6A
