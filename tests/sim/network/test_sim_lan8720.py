"""The registers of the LAN8720A, as facts smart-power 4.1 lists them."""

from __future__ import annotations

import pytest
from link_rig import STRAIGHT, Rig

from hil.sim.network.lan8720 import Lan8720


@pytest.fixture
def rig() -> Rig:
    return Rig()


def registers(rig: Rig) -> Lan8720:
    found = rig.unit.ethernet.registers
    assert found is not None
    return found


def test_it_says_who_it_is(rig):
    """PHY ID 0007h, C0Fxh: OUI 0x1F0, model 0x0F; what does not exist reads FFFFh."""
    read = registers(rig).read

    assert read(2) == 0x0007
    assert read(3) & 0xFFF0 == 0xC0F0
    assert all(read(number) == 0xFFFF for number in range(7, 16))
    assert read(18) == 0x40E0


def test_status_when_linked_with_the_switch(rig):
    """7809h without a link, 782Dh negotiated and linked, the link bit latches low."""
    read = registers(rig).read
    assert read(1) == 0x7809
    assert read(4) == 0x01E1
    assert read(31) == 0

    rig.linked()
    read(1)

    assert read(1) == 0x782D
    assert read(5) == 0x45E1
    assert read(6) & 0x0003 == 0x0003
    assert read(6) & 0x0003 == 0x0001  # page received clears on read
    assert read(31) == 0x1018

    rig.port.enable(False)
    rig.world.advance(0.1)
    rig.port.enable(True)
    rig.world.advance(5.0)

    assert read(1) == 0x7829
    assert read(1) == 0x782D


def test_energy_on_the_line(rig):
    """ENERGYON follows the line, 256 ms late when it falls silent."""
    read = registers(rig).read
    assert not read(17) & 0x0002

    rig.linked()
    assert read(17) & 0x0002
    rig.port.enable(False)
    rig.world.advance(0.1)
    assert read(17) & 0x0002
    rig.world.advance(0.2)

    assert not read(17) & 0x0002


def test_interrupts_latch_until_read(rig):
    """Link down 4, negotiated 6, energy 7."""
    read = registers(rig).read
    rig.linked()
    assert read(29) == 0x00C0
    assert read(29) == 0

    rig.cable()
    rig.world.advance(0.1)

    assert read(29) == 0x0010


@pytest.mark.parametrize(("word", "mode"), [(0x2100, "100FD"), (0x2000, "100HD"), (0x0100, "10FD"), (0x0000, "10HD")])
def test_forced_by_its_control_register(rig, word, mode):
    """Without auto-negotiation speed and duplex are those of register 0; the switch finds it in parallel."""
    registers(rig).write(0, word)
    rig.linked()

    assert rig.unit.ethernet.phy.mode == mode
    assert rig.port.mode == f"{mode[:-2]}HD"
    assert registers(rig).read(0) == word


def test_abilities_can_be_chosen(rig):
    """Register 4 counts from the next negotiation on; a soft reset brings the straps back."""
    registers(rig).write(4, 0x0061)
    registers(rig).write(0, 0x1200)
    rig.linked()
    assert rig.port.mode == "10FD"

    registers(rig).write(0, 0x8000)
    rig.world.advance(5.0)

    assert rig.port.mode == "100FD"
    assert registers(rig).read(4) == 0x01E1


def test_power_down(rig):
    """Register 0 bit 11 silences it."""
    rig.linked()
    registers(rig).write(0, 0x1800)
    rig.world.advance(0.1)

    assert not rig.port.mode
    assert registers(rig).read(0) & 0x0800
    registers(rig).write(0, 0x1000)
    rig.world.advance(5.0)
    assert rig.port.mode == "100FD"


def test_a_slipping_clock_is_counted(rig):
    """Register 26 counts symbol errors and is not cleared by reading."""
    slipping = Rig("A", "phy-crystal-off")
    slipping.linked(20.0)
    count = registers(slipping).read(26)

    assert count > 20
    assert registers(slipping).read(26) == count
    assert registers(rig.linked()).read(26) == 0
    assert STRAIGHT in slipping.bench.routes
