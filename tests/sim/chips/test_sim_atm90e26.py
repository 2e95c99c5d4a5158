"""ATM90E26: register vectors of the facts (section 3), through the pins of the chip."""

from __future__ import annotations

import math

import numpy as np
import pytest
from physics_rig import Pins

from hil.sim.chips.atm90e26 import AMPS_PER_MV, VOLTS_PER_MV, Atm90e26, Noise
from hil.sim.chips.atm90e26_metering import Inputs

QUIET = Noise(0.0, 0.0, 0.0, 0.0, 0.0)
PLANNING = {0x21: 0x0016, 0x22: 0xD478}


def make(quiet: bool = True) -> tuple[Atm90e26, Pins]:
    chip = Atm90e26(np.random.default_rng(1), QUIET if quiet else None)
    chip.set_supply(0.0, 3.3)
    return chip, Pins(chip)


def signal(volts: float, amps: float, angle_deg: float = 0.0, hertz: float = 50.0) -> Inputs:
    """What the pins see of a voltage and a current through the nominal front end."""
    u, i, turn = volts / VOLTS_PER_MV, amps / AMPS_PER_MV, math.radians(angle_deg)
    return Inputs(u * u, i * i, u * i * math.cos(turn), u * i * math.sin(turn), hertz)


def start(pins: Pins, **registers: int) -> None:
    words = PLANNING | {int(key[1:], 16): word for key, word in registers.items()}
    pins.write(0x20, 0x5678)
    pins.write(0x30, 0x5678)
    for address, word in words.items():
        pins.write(address, word)


RESET_VALUES = {
    0x01: 0x0000, 0x02: 0x000C, 0x03: 0x1D6A, 0x04: 0x0000, 0x06: 0x0000, 0x08: 0x0000, 0x20: 0x6886, 0x21: 0x0015,
    0x22: 0xD174, 0x23: 0x0000, 0x27: 0x08BD, 0x29: 0x0AEC, 0x2B: 0x9422, 0x30: 0x6886, 0x31: 0x6720, 0x32: 0x7A13,
    0x33: 0x7530, 0x34: 0x0000, 0x40: 0x0000, 0x46: 0xC800, 0x48: 0x0000, 0x49: 0x0000, 0x4A: 0x0000,
}  # fmt: skip


@pytest.mark.parametrize("address", RESET_VALUES)
def test_reset_values(address):
    """Each register holds its default after power-on."""
    _, pins = make()

    assert pins.read(address) == RESET_VALUES[address]


CHECKSUMS = [
    ({}, 0x55CB, 0x6BB9),
    ({0x21: 0x00B9, 0x22: 0xC1F3, 0x23: 0x1D39, 0x31: 0xD464, 0x32: 0x6E49}, 0x4A34, 0xD294),
    ({0x23: 0x1D39}, 0x7121, 0x6BB9),
    ({0x23: 0x1475, 0x24: 0x0024, 0x2B: 0x7C22, 0x31: 0x5C3B, 0x32: 0x5AA7}, 0xF860, 0xDF3D),
    (
        {0x21: 0x00B9, 0x22: 0xC1F3, 0x28: 0x8100, 0x2A: 0x8100, 0x31: 0x6C50, 0x32: 0x7C2A, 0x35: 0xF711},
        0x6EE0,
        0xC90F,
    ),
    ({0x21: 0x0016, 0x22: 0xD478, 0x27: 0x05BC}, 0x53CF, 0x6BB9),
]


@pytest.mark.parametrize(("words", "cs1", "cs2"), CHECKSUMS)
def test_the_chip_computes_its_own_checksums(words, cs1, cs2):
    """CS1 and CS2 read as what the chip computes (facts 3.3), and written back they are accepted."""
    _, pins = make()
    start(pins)
    for address in (0x21, 0x22):
        pins.write(address, {0x21: 0x0015, 0x22: 0xD174}[address])
    for address, word in words.items():
        pins.write(address, word)

    assert (pins.read(0x2C), pins.read(0x3B)) == (cs1, cs2)

    for address, word in ((0x2C, cs1), (0x3B, cs2), (0x20, 0x8765), (0x30, 0x8765)):
        pins.write(address, word)

    assert pins.read(0x01) == 0


def test_a_wrong_cs1_stops_metering_and_alarms():
    """CalErr stands and no energy is counted until the checksum is right again."""
    chip, pins = make()
    start(pins)
    pins.write(0x2C, 0x1234)
    pins.write(0x20, 0x8765)
    chip.set_inputs(pins.t_s, signal(230, 3))
    pins.t_s += 60

    assert pins.read(0x01) & 0xF000 == 0xC000
    assert pins.read(0x40) == 0

    pins.write(0x2C, pins.read(0x2C))

    assert pins.read(0x01) & 0xF000 == 0


def test_a_wrong_cs2_freezes_the_measurement_registers():
    """AdjErr stands and registers 48H-4FH keep what they held."""
    chip, pins = make()
    start(pins)
    chip.set_inputs(pins.t_s, signal(230, 3))
    pins.t_s += 1
    before = pins.read(0x49)
    pins.write(0x3B, 0x0000)
    pins.write(0x30, 0x8765)
    chip.set_inputs(pins.t_s, signal(207, 3))
    pins.t_s += 1

    assert pins.read(0x01) & 0xF000 == 0x3000
    assert pins.read(0x49) == before


@pytest.mark.parametrize(("register", "name"), [(0x20, "CalErr"), (0x30, "AdjErr")])
def test_an_unknown_start_word_is_an_error(register, name):
    """Any other word than 6886, 5678 and 8765 stops the block."""
    _, pins = make()
    pins.write(register, 0x1111)

    assert pins.read(0x01) == {"CalErr": 0xC000, "AdjErr": 0x3000}[name]


VECTORS = [
    (230.15, 3.0, 0.0, {0x49: 0x59E7, 0x48: 0x0BB8}),
    (230.0, 5.0, 0.0, {0x49: 0x59D8, 0x48: 0x1388, 0x4A: 0x047E, 0x4F: 0x047E, 0x4D: 0x03E8}),
    (207.0, 0.15, 0.0, {0x49: 0x50DC, 0x48: 0x0096}),
    (253.0, 3.0, 0.0, {0x49: 0x62D4}),
    (230.0, 3.0, 0.0, {0x4A: 0x02B2}),
    (230.0, 5.0, 180.0, {0x4A: 0xFB82, 0x4D: 0x83E8}),
    (230.0, 5.0, 60.0, {0x4D: 0x01F4, 0x4E: 0x0258}),
    (230.0, 5.0, -60.0, {0x4D: 0x01F4, 0x4E: 0x8258}),
    (230.0, 5.0, 120.0, {0x4D: 0x81F4}),
]


@pytest.mark.parametrize(("volts", "amps", "angle_deg", "words"), VECTORS)
def test_register_words(volts, amps, angle_deg, words):
    """Measurements appear as the words of facts 3.6: two's complement power, sign-magnitude factor and angle."""
    chip, pins = make()
    start(pins)
    nudge = -1e-6 if angle_deg == 180.0 else 1e-6  # a word is cut towards minus infinity, not rounded
    chip.set_inputs(pins.t_s, signal(volts + nudge, amps + nudge, angle_deg))
    pins.t_s += 1

    assert {address: pins.read(address) for address in words} == words


@pytest.mark.parametrize(("hertz", "word"), [(50.0, 0x1388), (49.98, 0x1386), (44.0, 4500)])
def test_frequency(hertz, word):
    """0.01 Hz, from 45 Hz on."""
    chip, pins = make()
    start(pins)
    chip.set_inputs(pins.t_s, signal(230, 1, 0, hertz))
    pins.t_s += 1

    assert pins.read(0x4C) == word


@pytest.mark.parametrize(
    ("volts", "amps", "address", "word", "lsb"),
    [(230.1537, 1.0, 0x49, 0x59E7, 0x5E00), (230.0875, 5.0, 0x4A, 0x047E, 0x7000)],
)
def test_the_lsb_register_extends_the_last_read(volts, amps, address, word, lsb):
    """230.1537 V is 59E7 and 5E00, 1150.4375 W is 047E and 7000; a read without fraction leaves it alone."""
    chip, pins = make()
    start(pins)
    chip.set_inputs(pins.t_s, signal(volts + 1e-9, amps))
    pins.t_s += 1

    assert (pins.read(address), pins.read(0x08)) == (word, lsb)

    pins.read(0x4C)

    assert pins.read(0x08) == lsb


ENERGIES = [
    (0x0016D478, 5.0, 60.0, 613),
    (0x0016D478, 3.0, 60.0, 368),
    (round(1496184 * 3.2), 5.0, 3600.0, 11500),
    (0x0016D478, 15.6522, 2048.0, 0),
]


@pytest.mark.parametrize(("constant", "amps", "duration_s", "count"), ENERGIES)
def test_energy_counts(constant, amps, duration_s, count):
    """Tenths of a pulse at MC 3200 and 1000; after 6553.5 the register wraps (facts 3.6)."""
    chip, pins = make()
    start(pins, r21=constant >> 16, r22=constant & 0xFFFF)
    begin_s = pins.t_s
    chip.set_inputs(begin_s, signal(230, amps))
    pins.t_s = begin_s + duration_s

    assert abs(pins.read(0x40) - count) <= 1


def test_reading_energy_keeps_the_remainder():
    """A thousand reads lose nothing: below 0.1 pulse stays inside."""
    chip, pins = make()
    start(pins)
    begin_s = pins.t_s
    chip.set_inputs(begin_s, signal(230, 3))
    total = 0
    for _ in range(1000):
        pins.t_s += 0.3
        total += pins.read(0x40)

    expected = 690 * 3200 / 3.6e6 * 10 * (pins.t_s - begin_s)
    assert total == pytest.approx(expected, abs=1.0)
    assert pins.read(0x42) in (round(total) & 0xFFFF, (round(total) + 1) & 0xFFFF)


def test_reverse_energy_has_its_own_register():
    """Exported energy counts in 41H and 42H, sets RevP at a whole pulse and RevPchg when enabled."""
    chip, pins = make()
    start(pins)
    chip.set_inputs(pins.t_s, signal(230, 3, 180))
    pins.t_s += 60

    assert [pins.read(address) for address in (0x40, 0x41, 0x42)] == [0, 368, 368]
    assert pins.read(0x46) & 0x1000
    assert pins.read(0x01) & 0x20
    assert pins.read(0x01) == 0, "cleared by the read before"


@pytest.mark.parametrize(("amps", "starts"), [(0.0175, False), (0.0192, True)])
def test_start_up_threshold(amps, starts):
    """The default PStartTh is 18.3 mA on this front end (facts 3.4): below it nothing is counted."""
    chip, pins = make()
    start(pins)
    chip.set_inputs(pins.t_s, signal(230, amps))
    pins.t_s += 600

    assert bool(pins.read(0x40)) is starts
    assert bool(pins.read(0x46) & 0x4000) is not starts


def test_gain_and_phase_correct_power():
    """Lgain 1475 takes out -13.78 %; Lphi 0024 takes out +0.95 % at 0.5L, 50 Hz (AN26 examples)."""
    chip, pins = make()
    start(pins, r23=0x1475)
    chip.set_inputs(pins.t_s, signal(230, 5 * (1 - 0.1378)))
    pins.t_s += 1

    assert pins.read(0x4A) + pins.read(0x08) / 65536 == pytest.approx(1150, rel=1e-4)

    chip, pins = make()
    start(pins, r24=0x0024)
    angle_deg = 60 - math.degrees(0.0095 / math.sqrt(3))
    chip.set_inputs(pins.t_s, signal(230, 5, angle_deg))
    pins.t_s += 1

    assert pins.read(0x4A) + pins.read(0x08) / 65536 == pytest.approx(575, rel=1e-4)


def test_ugain_and_igain_scale_the_rms_values():
    """AN26: 246.01 V read with 26400 becomes 220.02 V with 5C3B, 6.744 A becomes 5.008 A with 5AA7."""
    chip, pins = make()
    start(pins, r31=0x5C3B, r32=0x5AA7)
    chip.set_inputs(pins.t_s, signal(246.01, 6.744))
    pins.t_s += 1

    assert pins.read(0x49) / 100 == pytest.approx(220.024, abs=0.02)
    assert pins.read(0x48) / 1000 == pytest.approx(5.008, abs=0.002)


def test_current_offset_takes_out_the_zero_reading():
    """AN26: minus the reading, times Igain / 2^16 x 2^8."""
    chip, pins = make()
    offset = round(-7 * 0x7A13 / 2**16 * 2**8) & 0xFFFF
    start(pins, r35=offset)
    chip.set_inputs(pins.t_s, signal(230, 0.107))
    pins.t_s += 1

    assert pins.read(0x48) in (99, 100)


def test_small_power_mode():
    """A987 shows power in units of Ugain Igain / (100000 x 2^22): 1.967 mW."""
    chip, pins = make()
    start(pins)
    pins.write(0x04, 0xA987)
    chip.set_inputs(pins.t_s, signal(230, 0.01))
    pins.t_s += 1

    assert pins.read(0x4A) * 26400 * 31251 / (100000 * 2**22) == pytest.approx(2.3, abs=0.004)


def test_sag_is_seen_when_enabled():
    """A cycle below SagTh (78 % of 220 V by default) is SagWarn, if FuncEn asks for it; half a cycle is none."""
    chip, pins = make()
    start(pins)
    pins.write(0x02, 0x0030)
    chip.set_inputs(pins.t_s, signal(230, 1))
    pins.read(0x01)
    seen = []
    for low_s in (0.010, 0.020):
        chip.set_inputs(pins.t_s, signal(150, 1))
        pins.t_s += low_s
        chip.set_inputs(pins.t_s, signal(230, 1))
        seen.append(pins.read(0x01) & 0x0002)

    assert seen == [0, 2]


def test_losing_power_loses_the_registers():
    """Below 2.3 V everything is at its defaults again; it listens 5 ms after 2.5 V."""
    chip, pins = make()
    pins.write(0x02, 0x0030)
    chip.set_supply(pins.t_s, 2.2)

    assert not chip.ready(pins.t_s + 1)

    chip.set_supply(pins.t_s + 1, 3.3)

    assert not chip.ready(pins.t_s + 1.004)

    pins.t_s += 1.01

    assert pins.read(0x02) == 0x000C


def test_soft_reset_takes_only_its_word():
    """789A resets, anything else does not."""
    _, pins = make()
    pins.write(0x02, 0x0030)
    pins.write(0x00, 0x789B)
    after_wrong = pins.read(0x02)
    pins.write(0x00, 0x789A)

    assert (after_wrong, pins.read(0x02)) == (0x0030, 0x000C)


def test_the_pl_constant_changes_with_its_low_word():
    """21H takes effect when 22H is written [DS26 21H]."""
    _, pins = make()
    pins.write(0x21, 0x0016)
    before = pins.read(0x21)
    pins.write(0x22, 0xD478)

    assert (before, pins.read(0x21)) == (0x0015, 0x0016)


def test_values_update_every_interval_only():
    """Between two updates a register does not move, however often it is read; then it has the new average."""
    chip, pins = make(quiet=False)
    start(pins)
    chip.set_inputs(pins.t_s, signal(230, 1))
    pins.t_s = 3.2001
    first = [pins.read(0x49), pins.read(0x08)]
    pins.t_s = 3.4
    again = [pins.read(0x49), pins.read(0x08)]
    pins.t_s = 3.6
    later = [pins.read(0x49), pins.read(0x08)]

    assert first == again
    assert later != first
