"""An ATM90E26 behind its SPI frames; frames and words from the data sheet by way of facts 3.1, 3.3, 3.5 and 3.6.1."""

import pytest

from hil.dut.atm90e26 import Atm90e26, Calibration, MeterBusFault, MeterRejectedCalibration, registers, snapshot_all
from hil.errors import Blame

U_SNAPSHOT = (  # 230.1537 V, 5 A, 1150.4375 W, -60 deg
    ("C9", "59E7"), ("88", "5E00"), ("C8", "1388"), ("88", "0000"), ("CA", "047E"), ("88", "7000"),
    ("CB", "FB82"), ("88", "8000"), ("CF", "047E"), ("88", "0000"), ("CC", "1386"), ("CD", "81F4"),
    ("CE", "8258"), ("C6", "C801"),
)  # fmt: skip


def test_a_read_is_checked_against_last_data(spi):
    """Urms, then LastData, in one batch."""
    wire = spi((2, "C9", "59E7"), (2, "86", "59E7"))

    assert Atm90e26(wire, 2).read(registers.U_RMS) == (0x59E7,)
    assert wire.batches == 1


def test_several_registers_are_one_batch(spi):
    """The bus is paid for once."""
    wire = spi((0, "C9", "59E7"), (0, "C8", "1388"))

    assert Atm90e26(wire, 0).read(registers.U_RMS, registers.I_RMS, verify=False) == (0x59E7, 0x1388)
    assert wire.batches == 1


def checked(codes, words):
    """Frames of verified reads: the register, then LastData."""
    pairs = zip(codes, words, strict=True)
    return [frame for code, word in pairs for frame in ((0, code, word), (0, "86", word))]


@pytest.mark.parametrize(("word", "last"), [("0265", "0264"), ("0065", "0265")])
def test_a_clear_on_read_word_is_recovered_from_last_data(spi, word, last):
    """Two of three reads agree: the energy is not lost to one disturbed frame."""
    wire = spi((1, "C0", word), (1, "86", last), (1, "86", "0265"))

    assert Atm90e26(wire, 1).read(registers.AP_ENERGY) == (0x0265,)
    wire.assert_all_sent()


def test_three_different_words_are_a_fault_of_the_unit(spi):
    """Nothing can be recovered when no two agree."""
    wire = spi((1, "C0", "0001"), (1, "86", "0002"), (1, "86", "0003"))

    with pytest.raises(MeterBusFault, match="APenergy") as fault:
        Atm90e26(wire, 1, "U2").read(registers.AP_ENERGY)
    assert fault.value.blame is Blame.UNIT


def test_all_energies_are_taken_in_one_batch(spi):
    """Six counts of 0.1 pulse."""
    codes = ("C0", "C1", "C2", "C3", "C4", "C5")
    words = ("0265", "0000", "0265", "0001", "0002", "0003")
    wire = spi(*checked(codes, words))

    energy = Atm90e26(wire, 0).take_energy()
    assert (energy.forward, energy.reverse, energy.absolute) == (613, 0, 613)
    assert (energy.inductive, energy.capacitive, energy.absolute_reactive) == (1, 2, 3)


def test_a_snapshot_reads_the_lsb_behind_each_word_that_latches_it(spi):
    """Sub-watt resolution, and the three kinds of sign."""
    wire = spi(*((3, sent, answered) for sent, answered in U_SNAPSHOT))

    shot = Atm90e26(wire, 3).snapshot()
    assert shot.voltage_v == pytest.approx(230.1537, abs=1e-4)
    assert shot.current_a == pytest.approx(5.0)
    assert shot.power_w == 1150.4375
    assert shot.reactive_var == -1149.5
    assert shot.apparent_va == 1150.0
    assert shot.frequency_hz == pytest.approx(49.98)
    assert shot.power_factor == -0.5
    assert shot.angle_deg == -60.0
    assert shot.no_load


def test_four_meters_are_one_batch(spi):
    """One transfer for all, so that they saw the same mains."""
    wire = spi(*((cs, sent, answered) for cs in range(4) for sent, answered in U_SNAPSHOT))

    shots = snapshot_all([Atm90e26(wire, cs) for cs in range(4)])
    assert len(set(shots)) == 1
    assert len(shots) == 4
    assert wire.batches == 1
    assert snapshot_all([]) == ()


def test_one_value_comes_with_its_lsb(spi):
    """Power with its fraction; frequency has none."""
    assert Atm90e26(spi((0, "CA", "047E"), (0, "88", "7000")), 0).read_value(registers.P_MEAN) == 1150.4375
    assert Atm90e26(spi((0, "CC", "1388")), 0).read_value(registers.FREQ) == pytest.approx(50.0)


def test_a_write_is_checked_against_last_data(spi):
    """FuncEn 0030, then LastData."""
    wire = spi((0, "02 00 30", ""), (0, "86", "0030"))

    Atm90e26(wire, 0).write(registers.FUNC_EN, 0x0030)
    wire.assert_all_sent()


def test_a_dropped_write_is_a_fault(spi):
    """A frame of other than 24 clocks is dropped, and LastData stays."""
    wire = spi((0, "02 00 30", ""), (0, "86", "0000"))

    with pytest.raises(MeterBusFault, match="expected 0030, got 0000"):
        Atm90e26(wire, 0).write(registers.FUNC_EN, 0x0030)


def test_the_bus_is_proved_with_two_complementary_words(spi):
    """SagTh is written, read back and restored."""
    frames = [("83", "1D6A"), ("86", "1D6A")]
    for word in ("5AA5", "A55A"):
        frames += [(f"03 {word[:2]} {word[2:]}", ""), ("86", word), ("83", word), ("86", word)]
    frames += [("03 1D 6A", ""), ("86", "1D6A")]
    wire = spi(*((0, sent, answered) for sent, answered in frames))

    Atm90e26(wire, 0).prove_bus()
    wire.assert_all_sent()


def test_a_stuck_miso_does_not_pass_the_proof(spi):
    """LastData and the register agree on 0000, but nothing that was written comes back."""
    wire = spi((0, "83", "0000"), (0, "86", "0000"), (0, "03 5A A5", ""), (0, "86", "0000"))

    with pytest.raises(MeterBusFault, match="MISO"):
        Atm90e26(wire, 0).prove_bus()


def written(*words: tuple[str, str]) -> list[tuple[str, str]]:
    """Frames of verified writes: address and word, then LastData."""
    return [frame for at, word in words for frame in ((f"{at} {word[:2]} {word[2:]}", ""), ("86", word))]


def start_up(status: str) -> list[tuple[str, str]]:
    """The start-up sequence of facts 3.6.1 with the chip's own defaults."""
    metering = ("0015", "D174", "0000", "0000", "0000", "0000", "08BD", "0000", "0AEC", "0000", "9422")
    measuring = ("6720", "7A13", "7530", "0000", "0000", "0000", "0000", "0000", "0000", "0000")
    return [
        ("00 78 9A", ""),
        *written(("02", "000C"), ("03", "1D6A"), ("20", "5678")),
        *written(*((f"{0x21 + index:02X}", word) for index, word in enumerate(metering))),
        *written(("2C", "55CB"), ("30", "5678")),
        *written(*((f"{0x31 + index:02X}", word) for index, word in enumerate(measuring))),
        *written(("3B", "6BB9"), ("20", "8765"), ("30", "8765")),
        ("81", status),
        ("86", status),
    ]


def test_the_start_up_sequence(spi, clock):
    """Reset, configuration, both blocks with their checksums, 8765, SysStatus."""
    wire = spi(*((1, sent, answered) for sent, answered in start_up("0000")))

    Atm90e26(wire, 1).start(Calibration(), clock)
    wire.assert_all_sent()
    assert clock.now_s() >= 0.005


@pytest.mark.parametrize(("status", "block"), [("C000", "CS1"), ("3000", "CS2")])
def test_a_rejected_checksum_is_an_error(spi, clock, status, block):
    """The chip stops metering or measuring, and says so."""
    wire = spi(*((1, sent, answered) for sent, answered in start_up(status)))

    with pytest.raises(MeterRejectedCalibration, match=block):
        Atm90e26(wire, 1).start(Calibration(), clock)


def test_the_calibration_in_the_chip_can_be_read(spi):
    """All 21 words of both blocks."""
    words = [f"{word:04X}" for word in Calibration().words().values()]
    codes = [f"{0x80 | register.address:02X}" for register in Calibration().words()]
    wire = spi(*checked(codes, words))

    assert Atm90e26(wire, 0).read_calibration() == Calibration()
