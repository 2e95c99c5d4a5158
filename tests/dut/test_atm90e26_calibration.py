"""Calibration arithmetic and checksums: every vector of the facts 3.3, 3.4, 3.5 and 3.6."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.dut.atm90e26 import Calibration, CalibrationIncomplete, CalibrationOutOfRange
from hil.dut.atm90e26 import calibration as an26
from hil.dut.atm90e26.checksums import checksum
from hil.dut.atm90e26.codecs import signed
from hil.errors import Blame

DEFAULTS = Calibration()


@pytest.mark.parametrize(
    ("calibration", "cs1", "cs2"),
    [
        (DEFAULTS, 0x55CB, 0x6BB9),
        (replace(DEFAULTS, l_gain=0x1D39).with_pl_constant(0x00B9C1F3), 0x4A34, 0x6BB9),  # whatnick; its Ugain is below
        (replace(DEFAULTS, l_gain=0x1D39), 0x7121, 0x6BB9),  # ESPHome
        (
            replace(DEFAULTS, l_gain=0x1475, l_phi=0x0024, m_mode=0x7C22, u_gain=0x5C3B, i_gain_l=0x5AA7),
            0xF860,
            0xDF3D,
        ),  # the worked example of AN26
        (
            replace(
                DEFAULTS, p_nol_th=0x8100, q_nol_th=0x8100, u_gain=0x6C50, i_gain_l=0x7C2A, i_offset_l=0xF711
            ).with_pl_constant(0x00B9C1F3),
            0x6EE0,
            0xC90F,
        ),  # ksstech
        (replace(DEFAULTS, p_start_th=0x05BC).with_pl_constant(0x0016D478), 0x53CF, 0x6BB9),  # planning set
    ],
)
def test_checksums_of_the_facts(calibration: Calibration, cs1: int, cs2: int) -> None:
    """CS1 and CS2 of six sets of registers, one of them confirmed by a driver's constants (facts 3.3)."""
    assert (calibration.cs1, calibration.cs2) == (cs1, cs2)


def test_the_checksum_confirmed_by_a_public_driver() -> None:
    """CS2 of Ugain D464, IgainL 6E49 is D294; the set itself is refused, because bit 15 of Ugain must be 0."""
    words = [0xD464, 0x6E49, 0x7530, 0, 0, 0, 0, 0, 0, 0]

    assert checksum(words) == 0xD294
    with pytest.raises(CalibrationOutOfRange, match="Ugain"):
        replace(DEFAULTS, u_gain=0xD464, i_gain_l=0x6E49)


def test_pl_constants_of_the_facts() -> None:
    """24 x, 1 mV, 250 mV, 3200, 220 V, 5 A gives 15D174; the planning set gives 16D478, a multiple of 4 (facts 3.4)."""
    assert an26.pl_constant(24, 1, 250, 3200, 220, 5) == 0x15D174
    assert round(an26.pl_constant(1, 14.4, 230e3 / 841, 3200, 230, 3) / 4) * 4 == 0x16D478
    assert DEFAULTS.pl_constant == 1429876


@pytest.mark.parametrize(("error", "word"), [(-0.1378, 0x1475), (0.02, 0xFD7D), (-0.01, 0x014B)])
def test_gain_words_of_the_facts(error: float, word: int) -> None:
    """Lgain = -e/(1+e), rounded to nearest (facts 3.4; -1 % is 330.99: the 014A printed there is truncated)."""
    assert an26.gain_word(error) == word


def test_phase_word_of_the_facts() -> None:
    """0.95 % at 0.5 inductive is 35.76, so 24H; the other sign sets bit 15."""
    assert an26.phi_word(0.0095) == 0x0024
    assert an26.phi_word(-0.0095) == 0x8024


def test_threshold_words_of_the_facts() -> None:
    """0.4 % is 08BD and 0.5 % is 0AEC with the inputs of AN26; 0.4 % of the planning set is 05BC."""
    assert an26.threshold_word(24, 1, 250, 0.004) == 0x08BD
    assert an26.threshold_word(24, 1, 250, 0.005) == 0x0AEC
    assert an26.threshold_word(1, 14.4, 230e3 / 841, 0.004) == 0x05BC


def test_measurement_gains_of_the_facts() -> None:
    """Ugain 5C3B and IgainL 5AA7 of the worked example: truncation would miss the second by one."""
    assert an26.u_gain_word(220.024, 246.01) == 0x5C3B
    assert an26.i_gain_word(5.008, 6.744) == 0x5AA7


def test_offsets_and_small_power_of_the_facts() -> None:
    """A mean small-power word FFCB needs 0035; one count is 1.967 mW at default gains."""
    assert an26.p_offset_word(0xFFCB) == 0x0035
    assert an26.small_power_w(1) == pytest.approx(1.967e-3, rel=1e-3)
    assert signed(an26.i_offset_word(10, 31251)) == round(-10 * 31251 / 256)


def test_sag_thresholds_of_the_facts() -> None:
    """220 V, 78 % is 1D6A by default; 230 V rounds to 1EC1, and 85 % of it to 2183H; Ugain 5C3B makes it 2263H."""
    assert an26.sag_threshold_word(220, 0.78) == 0x1D6A
    assert an26.sag_threshold_word(230, 0.78) == 0x1EC1
    assert an26.sag_threshold_word(230, 0.85) == 0x2183
    assert an26.sag_threshold_word(230, 0.78, 0x5C3B) == 0x2263


@pytest.mark.parametrize(
    ("imp_per_kwh", "power_w", "time_s", "counts", "period_s"),
    [(3200, 1150, 60, 613, 0.9783), (3200, 690, 60, 368, 1.630), (1000, 1150, 3600, 11500, 3.130)],
)
def test_energy_counts_of_the_facts(
    imp_per_kwh: float, power_w: float, time_s: float, counts: int, period_s: float
) -> None:
    """Counts of 0.1 pulse and CF periods of facts 3.6; the remainder stays in the chip."""
    energy_wh = power_w * time_s / 3600

    assert int(energy_wh / an26.energy_lsb_wh(imp_per_kwh) + 1e-9) == counts
    assert an26.cf_period_s(power_w, imp_per_kwh) == pytest.approx(period_s, rel=1e-3)


def test_the_energy_register_wraps() -> None:
    """3600 W at 3200 imp/kWh fills the register in 2048 s."""
    assert 3600 * 2048 / 3600 / an26.energy_lsb_wh(3200) == pytest.approx(65536)


@pytest.mark.parametrize(
    "attempt",
    [
        lambda: an26.gain_word(1.5),  # needs -60 %
        lambda: an26.gain_word(-0.4),  # needs +67 %
        lambda: an26.gain_word(-1.0),  # a dead meter
        lambda: an26.gain_word(-2.0),  # a reversed current transformer
        lambda: an26.phi_word(0.28),
        lambda: an26.phi_word(-0.28),
        lambda: an26.u_gain_word(230, 180),
        lambda: an26.u_gain_word(230, 0.0),
        lambda: an26.i_gain_word(1.0, 0.4),
        lambda: an26.pl_constant(24, 100, 250, 100, 1, 0.1),
        lambda: an26.threshold_word(24, 1, 250, 0.2),
    ],
)
def test_what_the_chip_cannot_correct_is_the_units_fault(attempt: object) -> None:
    """A correction beyond the register raises CalibrationOutOfRange, with blame unit."""
    with pytest.raises(CalibrationOutOfRange) as refused:
        attempt()  # type: ignore[operator]

    assert refused.value.blame is Blame.UNIT


@given(st.floats(-0.3, 0.9), st.floats(-0.1, 0.1))
def test_two_passes_of_gain_are_as_good_as_one(first: float, second: float) -> None:
    """Correcting what a first correction left takes the whole error out."""
    total = (1 + first) * (1 + second) - 1
    if not -0.32 <= total <= 0.95:
        return
    once, twice = signed(an26.gain_word(total)), signed(an26.gain_word(second, an26.gain_word(first)))

    assert abs(once - twice) <= 2


@given(st.integers(-0x3FF, 0x3FF))
def test_phase_words_survive_the_round_trip(counts: int) -> None:
    """Sign in bit 15, magnitude in bits 9-0."""
    assert an26.phi_counts(an26.phi_word(counts / 3763.74)) == counts


@given(st.lists(st.integers(0, 0xFFFF), min_size=21, max_size=21))
def test_a_calibration_survives_the_store(words: list[int]) -> None:
    """What Factory.CalStore is given makes the same calibration again."""
    words[11] &= 0x7FFF
    calibration = Calibration(*words)

    assert Calibration.from_registers(calibration.to_registers()) == calibration


def test_a_calibration_with_a_register_missing_is_refused() -> None:
    """The error names the register."""
    registers = DEFAULTS.to_registers()
    del registers["2B"]

    with pytest.raises(CalibrationIncomplete, match="2B"):
        Calibration.from_registers(registers)
