"""Words of the ATM90E26: every vector of the facts, and round trips."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil.dut.atm90e26 import codecs, registers
from hil.dut.atm90e26.codecs import Codec, Sign
from hil.errors import OutOfRange

VECTORS = [  # facts 3.6
    (codecs.VOLTAGE, 230.15, 0x59E7),
    (codecs.VOLTAGE, 230.00, 0x59D8),
    (codecs.VOLTAGE, 207.00, 0x50DC),
    (codecs.VOLTAGE, 253.00, 0x62D4),
    (codecs.CURRENT, 5.000, 0x1388),
    (codecs.CURRENT, 3.000, 0x0BB8),
    (codecs.CURRENT, 0.150, 0x0096),
    (codecs.FREQUENCY, 50.00, 0x1388),
    (codecs.FREQUENCY, 49.98, 0x1386),
    (codecs.ACTIVE_POWER, 1150.0, 0x047E),
    (codecs.ACTIVE_POWER, 690.0, 0x02B2),
    (codecs.ACTIVE_POWER, -1150.0, 0xFB82),
    (codecs.APPARENT_POWER, 1150.0, 0x047E),
    (codecs.POWER_FACTOR, 1.000, 0x03E8),
    (codecs.POWER_FACTOR, -1.000, 0x83E8),
    (codecs.POWER_FACTOR, 0.500, 0x01F4),
    (codecs.POWER_FACTOR, -0.500, 0x81F4),
    (codecs.ANGLE, 60.0, 0x0258),
    (codecs.ANGLE, -60.0, 0x8258),
]
EVERY_CODEC = sorted({register.codec for register in registers.ALL}, key=repr)


@pytest.mark.parametrize(("codec", "value", "word"), VECTORS)
def test_words_of_the_facts_decode_and_encode(codec: Codec, value: float, word: int) -> None:
    """Each word of facts 3.6 decodes to its value, and the value encodes to the word."""
    assert codec.decode(word) == pytest.approx(value, abs=1e-9)
    assert codec.encode(value) == word


@pytest.mark.parametrize(
    ("codec", "value", "word", "lsb_word"),
    [(codecs.VOLTAGE, 230.1537, 0x59E7, 0x5E00), (codecs.ACTIVE_POWER, 1150.4375, 0x047E, 0x7000)],
)
def test_the_lsb_register_refines_a_word(codec: Codec, value: float, word: int, lsb_word: int) -> None:
    """Word and LSB together are word + LSB/65536 counts (facts 3.5)."""
    assert codec.decode(word, lsb_word) == pytest.approx(value, abs=codec.lsb / 256)
    assert codec.encode_fine(value) == (word, lsb_word)


@given(st.sampled_from(EVERY_CODEC), st.integers(0, 0xFFFF))
def test_a_word_survives_the_round_trip(codec: Codec, word: int) -> None:
    """Decoding a word and encoding the value gives the word back; minus zero of sign-magnitude is zero."""
    expected = 0 if codec.sign is Sign.SIGN_MAGNITUDE and word == 0x8000 else word
    assert codec.encode(codec.decode(word)) == expected


@given(st.sampled_from([codec for codec in EVERY_CODEC if codec.fine]), st.integers(0, 0xFFFF), st.integers(0, 0xFF))
def test_a_fine_word_survives_the_round_trip(codec: Codec, word: int, fraction: int) -> None:
    """Word and LSB word come back from the value that they made."""
    assert codec.encode_fine(codec.decode(word, fraction << 8)) == (word, fraction << 8)


@given(st.sampled_from(EVERY_CODEC), st.floats(allow_nan=False, allow_infinity=False))
def test_a_value_is_encoded_to_half_a_count_or_refused(codec: Codec, value: float) -> None:
    """What a word cannot hold is OutOfRange; what it can comes back to half a count."""
    if codec.low <= value <= codec.high:
        assert codec.decode(codec.encode(value)) == pytest.approx(value, abs=codec.lsb * 0.5001)
    elif value > codec.high + codec.lsb or value < codec.low - codec.lsb:
        with pytest.raises(OutOfRange):
            codec.encode(value)


def test_the_register_map_is_the_data_sheets() -> None:
    """Addresses are unique, and the resets that the checksums depend on are the data sheet's."""
    assert len(registers.BY_ADDRESS) == len(registers.ALL) == 53
    assert [register.address for register in registers.METERING] == list(range(0x21, 0x2C))
    assert [register.address for register in registers.MEASUREMENT] == list(range(0x31, 0x3B))
    assert registers.U_GAIN.reset == 26400
    assert registers.I_GAIN_L.reset == 31251
    assert registers.I_GAIN_N.reset == 30000


@pytest.mark.parametrize(
    ("name", "command"),
    [("Urms", 0xC9), ("Irms", 0xC8), ("Pmean", 0xCA), ("LastData", 0x86), ("SysStatus", 0x81), ("APenergy", 0xC0)],
)
def test_read_commands_of_the_facts(name: str, command: int) -> None:
    """Bit 7 is set to read (facts 3.1)."""
    assert registers.BY_NAME[name].read_command == bytes([command])


@pytest.mark.parametrize(
    ("name", "word", "frame"),
    [
        ("SoftReset", 0x789A, "00 78 9A"),
        ("CalStart", 0x5678, "20 56 78"),
        ("CalStart", 0x8765, "20 87 65"),
        ("AdjStart", 0x8765, "30 87 65"),
        ("FuncEn", 0x0030, "02 00 30"),
    ],
)
def test_write_frames_of_the_facts(name: str, word: int, frame: str) -> None:
    """Bit 7 is clear to write, the word follows MSB first (facts 3.1)."""
    assert registers.BY_NAME[name].write_frame(word) == bytes.fromhex(frame)
