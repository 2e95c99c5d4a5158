"""The accuracy specifications of instruments: what the files say is what a reading gets, and nothing else is."""

from pathlib import Path

import pytest

from hil.errors import OutOfRange, SetupError
from hil.instruments.accuracy import NotSpecified, load, specified
from hil.metrology.calibration import UNITS
from hil.station.drivers import read_drivers

FILES = sorted(Path("hil/instruments/accuracy").glob("*.toml"))
ROW = """
model = "Maker 1"
valid_months = 12
temperature_c = [18.0, 28.0]
[[ac_voltage]]
unit = "V"
ranges.V = [15.0, 30.0]
frequency_hz = [45.0, 66.0]
of_reading = 0.001
of_range = 0.0005
absolute = 0.002
manual = "manual 7"
page = "p. 3"
mark = "unverified"
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a specification for the driver `maker_1`, and load it from there."""

    def write(text):
        load.cache_clear()
        (tmp_path / "maker_1.toml").write_text(text)
        return load("maker_1", tmp_path)

    monkeypatch.setattr("hil.instruments.accuracy._FOLDER", tmp_path)
    yield write
    load.cache_clear()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_belongs_to_a_driver_and_is_in_order(path):
    """Quantities and units are those a calibration knows; each row says its manual and how far it is trusted."""
    specification = load(path.stem)

    assert path.stem in read_drivers()
    assert all(row.unit == UNITS[quantity] for quantity, rows in specification.rows.items() for row in rows)
    assert specification.valid_months == 12


@pytest.mark.parametrize(
    ("driver", "quantity", "value", "at", "conditions", "half_width"),
    [
        ("yokogawa_wt310e", "ac_voltage", 230.0, {"V": 300.0}, {"frequency_hz": 50.0}, 0.230 + 0.150),
        ("yokogawa_wt310e", "frequency", 50.0, {}, {}, 0.030),
        ("keysight_34465a", "dc_voltage", -5.0, {"V": 10.0}, {}, 35e-6 * 5.0 + 5e-6 * 10.0),
        ("keysight_34465a", "resistance", 42.0, {"ohm": 100.0}, {"two_wire": 1.0}, 0.0042 + 0.004 + 0.2),
        ("keysight_e36312a", "dc_current", 1.0, {"output": 3}, {}, 0.0005 + 0.003),
        ("keysight_dsox", "time_interval", 0.02, {}, {}, 1e-6),
        ("keysight_dsox", "dc_voltage", 0.3, {}, {"full_scale_v": 8.0}, 0.24),
        ("meatest_m632", "resistance", 100e3, {}, {}, 20.01),
        ("emc_partner_tra3000", "peak_voltage", -1000.0, {}, {}, 100.0),
        ("operator_surge", "peak_voltage", 1000.0, {}, {}, 100.0),
    ],
)
def test_half_widths(driver, quantity, value, at, conditions, half_width):
    """Worked by hand from what the manuals, or our marks, say."""
    accuracy = specified(driver, quantity, value, at, **conditions)

    assert accuracy.half_width == pytest.approx(half_width)
    assert (accuracy.value, accuracy.quantity, accuracy.unit) == (value, quantity, UNITS[quantity])


def test_a_reading_knows_its_range_and_its_source():
    """As a calibration and a budget need them; what nobody has checked says so."""
    power = specified(
        "yokogawa_wt310e",
        "active_power",
        230.0,
        {"V": 300.0, "A": 1.0},
        frequency_hz=50.0,
        power_factor=1.0,
        sin_phi=0.0,
        apparent_va=230.0,
        voltage_v=230.0,
        current_a=1.0,
    )
    current = specified("yokogawa_wt310e", "ac_current", 1.0, {"A": 1.0}, frequency_hz=50.0)
    peak = specified("operator_surge", "peak_voltage", 1.0)

    assert power.range_ == "300 V, 1 A"
    assert power.source == "IM WT310E-02EN, 7.3.2, p. 7-7 and 7-8, 12 months, 300 V, 1 A"
    assert current.source.endswith("1 A (unverified)")
    assert peak.source.endswith("[A]")


def test_what_is_not_covered_is_refused(write):
    """No range, no band, no span is stretched; nothing is taken for zero."""
    write(
        ROW + '[[dc_voltage]]\nunit = "V"\nspan = [0.0, 10.0]\ninfluences = [{ what = "w", factor = 0.1, of = '
        '{ full_scale_v = 1 } }]\nmanual = "m"\npage = ""\nmark = "checked"\n'
    )

    assert specified("maker_1", "ac_voltage", 10.0, {"V": 15.0}, frequency_hz=66.0).half_width == pytest.approx(0.0195)
    with pytest.raises(NotSpecified, match="no accuracy of ac_voltage in the range 20 V; it is known for 15 V, 30 V"):
        specified("maker_1", "ac_voltage", 10.0, {"V": 20.0}, frequency_hz=50.0)
    with pytest.raises(NotSpecified, match="no accuracy of resistance"):
        specified("maker_1", "resistance", 10.0)
    with pytest.raises(OutOfRange, match="frequency_hz"):
        specified("maker_1", "ac_voltage", 10.0, {"V": 15.0}, frequency_hz=66.1)
    with pytest.raises(OutOfRange, match="frequency_hz"):
        specified("maker_1", "ac_voltage", 10.0, {"V": 15.0})
    with pytest.raises(OutOfRange, match="dc_voltage"):
        specified("maker_1", "dc_voltage", 10.1, full_scale_v=1.0)
    with pytest.raises(NotSpecified, match="give full_scale_v"):
        specified("maker_1", "dc_voltage", 1.0)
    with pytest.raises(NotSpecified, match="maker_2 has no accuracy specification"):
        specified("maker_2", "dc_voltage", 1.0)


def test_every_mistake_in_a_file_is_named(write):
    """Each by its key, all at once."""
    with pytest.raises(SetupError) as raised:
        write(ROW.replace("0.0005", "1.5").replace('"unverified"', '"sure"').replace("absolute", "absolut"))
    told = str(raised.value)
    assert all(key in told for key in ("of_range", "mark", "absolut"))

    with pytest.raises(SetupError) as raised:
        write(
            ROW.replace('"V"', '"mV"').replace("[45.0, 66.0]", "[66.0, 45.0]").replace("ranges.V = [15.0, 30.0]\n", "")
        )
    told = str(raised.value)
    assert all(key in told for key in ("unit: 'mV'", "frequency_hz: not in rising order", "ranges: needed"))
