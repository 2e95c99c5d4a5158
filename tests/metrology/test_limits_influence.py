"""Permitted changes of error, the other rules of meters, and the composite error: each figure with its source."""

import pytest

from hil.errors import OutOfRange, SetupError
from hil.metrology.composite import composite_error, largest_change, mid_limits
from hil.metrology.influence import (
    current_ratios,
    influence_limit,
    limit_by_name,
    quantities,
    reference_conditions,
)
from hil.metrology.limits import lookup
from hil.metrology.metering import (
    constant_energy_kwh,
    initial_startup_limit,
    pulse_interval_s,
    register_change_limit,
    repeatability_limit,
    repeatability_readings,
)
from hil.metrology.no_load import no_load_test
from hil.metrology.sources import in_words, unverified

IB, IN = {"Ib": 6.0, "Imax": 60.0}, {"In": 5.0, "Imax": 6.0}
MID = {"Ist": 0.02, "Imin": 0.25, "Itr": 0.5, "Imax": 60.0}


def change(file_name, quantity, accuracy_class, connection, current_a, references_a, **angle):
    point = {
        "accuracy_class": accuracy_class,
        "connection": connection,
        "current_a": current_a,
        "references_a": references_a,
        **(angle or {"power_factor": "1"}),
    }
    found = influence_limit(file_name, quantity, **point)
    assert limit_by_name(f"{file_name}.influence.{quantity}", **point) == found
    return None if found is None else found.high


@pytest.mark.parametrize(
    ("quantity", "current_a", "pf", "class_1", "class_2"),
    [  # IEC 62053-21:2003, direct, Ib 6 A, Imax 60 A; facts 1.3
        ("temperature_coefficient", 0.1 * 6.0, "1", 0.05, 0.10),
        ("temperature_coefficient", 0.1 * 6.0, "0.5i", None, None),
        ("temperature_coefficient", 0.2 * 6.0, "0.5i", 0.07, 0.15),
        ("voltage", 0.05 * 6.0, "1", 0.7, 1.0),
        ("voltage", 60.0, "0.5i", 1.0, 1.5),
        ("voltage_extended", 6.0, "1", 2.1, 3.0),
        ("frequency", 6.0, "1", 0.5, 0.8),
        ("frequency", 6.0, "0.5i", 0.7, 1.0),
        ("frequency", 0.04 * 6.0, "1", None, None),  # no current is given: it holds where the error has a limit
        ("reversed_phase_sequence", 0.1 * 6.0, "1", 1.5, 1.5),
        ("reversed_phase_sequence", 6.0, "1", None, None),
        ("voltage_unbalance", 6.0, "1", 2.0, 4.0),
        ("harmonics", 30.0, "1", 0.8, 1.0),
        ("dc_and_even_harmonics", 0.7071 * 60.0, "1", 3.0, 6.0),
        ("odd_harmonics", 3.0, "1", 3.0, 6.0),
        ("sub_harmonics", 3.0, "1", 3.0, 6.0),
        ("dc_magnetic_induction", 6.0, "1", 2.0, 3.0),
        ("ac_magnetic_induction", 6.0, "1", 2.0, 3.0),
        ("rf_field", 6.0, "1", 2.0, 3.0),
        ("conducted_rf", 6.0, "1", 2.0, 3.0),
        ("fast_transient_burst", 6.0, "1", 4.0, 6.0),
        ("accessories", 0.05 * 6.0, "1", 0.5, 1.0),
        ("self_heating", 60.0, "1", 0.7, 1.0),
        ("self_heating", 60.0, "0.5i", 1.0, 1.5),
    ],
)
def test_influence_limits_of_the_first_edition(quantity, current_a, pf, class_1, class_2):
    """Every quantity of the facts, classes 1 and 2."""
    found = [
        change("iec62053_21_2003", quantity, name, "direct", current_a, IB, power_factor=pf) for name in ("1", "2")
    ]

    assert found == [class_1, class_2]


@pytest.mark.parametrize(
    ("file_name", "quantity", "accuracy_class", "connection", "current_a", "references_a", "angle", "expected"),
    [
        # IEC 62053-22:2003, facts 1.3: voltage begins at 0.05 In there, at 0.02 In in part 21
        ("iec62053_22_2003", "voltage", "0.2S", "ct", 0.05 * 5.0, IN, {"power_factor": "1"}, 0.1),
        ("iec62053_22_2003", "voltage", "0.2S", "ct", 0.04 * 5.0, IN, {"power_factor": "1"}, None),
        ("iec62053_21_2003", "voltage", "1", "ct", 0.02 * 5.0, IN, {"power_factor": "1"}, 0.7),
        ("iec62053_22_2003", "temperature_coefficient", "0.5S", "ct", 0.1 * 5.0, IN, {"power_factor": "0.5i"}, 0.05),
        ("iec62053_22_2003", "accessories", "0.5S", "ct", 0.01 * 5.0, IN, {"power_factor": "1"}, 0.1),
        ("iec62053_22_2003", "reversed_phase_sequence", "0.2S", "ct", 0.5, IN, {"power_factor": "1"}, 0.05),
        ("iec62053_22_2003", "self_heating", "0.5S", "ct", 6.0, IN, {"power_factor": "0.5i"}, 0.2),
        ("iec62053_23_2003", "temperature_coefficient", "3", "direct", 6.0, IB, {"sin_phi": 0.5}, 0.25),
        ("iec62053_23_2003", "frequency", "2", "ct", 5.0, IN, {"sin_phi": 1.0}, 2.5),
        # EN 50470-3:2006 and MID Annex V, Table 3, facts 1.5
        ("en50470_3_2006", "temperature_coefficient", "C", "direct", 0.5, MID, {"power_factor": "0.5i"}, 0.05),
        ("en50470_3_2006", "frequency", "A", "direct", 0.5, MID, {"power_factor": "1"}, 0.8),
        ("mid_2014_32_annex_v", "reversed_phase_sequence", "C", "direct", 5.0, MID, {"power_factor": "1"}, 0.3),
        ("mid_2014_32_annex_v", "dc_and_even_harmonics", "B", "direct", 5.0, MID, {"power_factor": "1"}, 3.0),
        ("mid_2014_32_annex_v", "oscillatory_waves", "A", "ct", 5.0, MID, {"power_factor": "1"}, 3.0),
        ("mid_2014_32_annex_v", "oscillatory_waves", "A", "ct", 61.0, MID, {"power_factor": "1"}, None),
    ],
)
def test_influence_limits_of_the_others(
    file_name, quantity, accuracy_class, connection, current_a, references_a, angle, expected
):
    """Picked by hand from the facts."""
    assert change(file_name, quantity, accuracy_class, connection, current_a, references_a, **angle) == expected


def test_far_below_the_nominal_voltage_the_error_itself_is_bounded():
    """Facts 1.3: below 0.8 Un the error lies between +10 % and -100 %."""
    found = influence_limit(
        "iec62053_21_2003",
        "voltage_low",
        accuracy_class="1",
        connection="direct",
        current_a=6.0,
        references_a=IB,
        power_factor="1",
    )

    assert found is not None
    assert (found.low, found.high, found.unit) == (-100.0, 10.0, "%")


def test_an_unknown_quantity_is_named():
    """The second editions' influence limits are not known to us: refused, never taken from the first."""
    assert quantities("iec62053_21_2020") == {}
    with pytest.raises(SetupError, match="has no influence"):
        change("iec62053_21_2020", "voltage", "1", "direct", 5.0, {"In": 5.0, "Imax": 60.0})
    with pytest.raises(SetupError, match="knows no influence quantity 'tilt'; it knows temperature_coefficient"):
        change("iec62053_21_2003", "tilt", "1", "direct", 6.0, IB)


@pytest.mark.parametrize(
    ("file_name", "accuracy_class", "given", "minutes", "voltage_v"),
    [  # the worked examples of facts 1.8
        ("iec62053_21_2003", "1", (1000.0, 230.0, 1, {"maximum_current_a": 100.0}), 26.087, 264.5),
        ("iec62053_21_2003", "2", (500.0, 230.0, 3, {"maximum_current_a": 100.0}), 13.913, 264.5),
        ("iec62053_22_2003", "0.2S", (10000.0, 57.7, 3, {"maximum_current_a": 10.0}), 51.993, 66.355),
        ("iec62053_21_2020", "1", (1000.0, 230.0, 1, {"starting_current_a": 0.04}), 23.715, 253.0),
        ("iec62053_22_2020", "0.5S", (1000.0, 230.0, 1, {"starting_current_a": 0.04}), 23.715, 253.0),
        ("iec62053_23_2020", "3", (1000.0, 230.0, 1, {"starting_current_a": 0.04}), 23.715, 253.0),
        ("en50470_3_2006", "B", (1000.0, 230.0, 1, {"starting_current_a": 0.04}), 22.684, 264.5),
        # by the formulas of the table: 600e6, 480e6 and 300e6 / (1000 x 230 x 100); 100e3 h / (1.5 x 1000 x 230 x 0.25)
        ("iec62053_22_2003", "0.5S", (1000.0, 230.0, 1, {"maximum_current_a": 100.0}), 26.087, 264.5),
        ("iec62053_23_2003", "2", (1000.0, 230.0, 1, {"maximum_current_a": 100.0}), 20.870, 264.5),
        ("iec62053_23_2003", "3", (1000.0, 230.0, 1, {"maximum_current_a": 100.0}), 13.043, 264.5),
        ("oiml_r46_2012", "B", (1000.0, 230.0, 1, {"minimum_current_a": 0.25}), 69.565, None),
    ],
)
def test_no_load_times_of_every_regime(file_name, accuracy_class, given, minutes, voltage_v):
    """By Imax in 2003, by Ist in 2020 and EN 50470-3, by Imin in OIML R 46; one pulse at most."""
    pulses_per_kwh, nominal_voltage_v, elements, currents = given
    test = no_load_test(
        file_name,
        accuracy_class=accuracy_class,
        pulses_per_kwh=pulses_per_kwh,
        nominal_voltage_v=nominal_voltage_v,
        elements=elements,
        **currents,
    )

    assert test.seconds / 60.0 == pytest.approx(minutes, abs=5e-4)
    assert test.voltage_v == (None if voltage_v is None else pytest.approx(voltage_v))
    assert (test.limit.high, test.limit.unit, test.limit.source_mark) == (1.0, "pulses", "nrc")


def test_the_no_load_test_asks_for_its_own_current():
    """The formula of one edition is never fed with the current of another."""
    with pytest.raises(SetupError, match="goes by Ist"):
        no_load_test(
            "iec62053_21_2020",
            accuracy_class="1",
            pulses_per_kwh=1000.0,
            nominal_voltage_v=230.0,
            maximum_current_a=60.0,
        )
    with pytest.raises(SetupError, match="has no no_load"):
        no_load_test("mid_2014_32_annex_v", accuracy_class="B", pulses_per_kwh=1000.0, nominal_voltage_v=230.0)


def test_the_small_formulas_give_the_worked_examples():
    """Facts 1.8: tau 782.6 s at 20 mA, E_min 10 kWh for 0.01 kWh and 1 %; facts 1.5: x = m Un Imax 1e-6 kWh."""
    tau_s = pulse_interval_s(pulses_per_kwh=1000.0, nominal_voltage_v=230.0, current_a=0.020)
    energy_kwh = constant_energy_kwh("iec62053_21_2003", resolution_kwh=0.01, limit_pct=1.0)
    register = register_change_limit(
        "mid_2014_32_annex_v", nominal_voltage_v=230.0, maximum_current_a=100.0, elements=3
    )

    assert tau_s == pytest.approx(782.6, abs=0.05)
    assert energy_kwh == pytest.approx(10.0)
    assert (register.low, register.high, register.unit) == (pytest.approx(-0.069), pytest.approx(0.069), "kWh")
    assert initial_startup_limit("iec62053_21_2003").high == 5.0
    with pytest.raises(OutOfRange):
        pulse_interval_s(pulses_per_kwh=0.0, nominal_voltage_v=230.0, current_a=0.02)


def test_readings_of_one_point_may_spread_by_a_tenth_of_its_limit():
    """Facts 1.8, low confidence: the second editions and OIML R 46, three readings or more."""
    limit = lookup(
        "oiml_r46_2012.base_mpe",
        accuracy_class="B",
        connection="direct",
        current_a=5.0,
        references_a=MID,
        power_factor="1",
    )
    spread = repeatability_limit("oiml_r46_2012", limit)

    assert spread is not None
    assert (spread.low, spread.high, spread.source_mark) == (None, pytest.approx(0.1), "nrc?")
    assert repeatability_readings("oiml_r46_2012") == 3
    assert repeatability_limit("oiml_r46_2012", None) is None
    with pytest.raises(SetupError, match="has no repeatability"):
        repeatability_limit("iec62053_21_2003", limit)


def test_declared_currents_are_compared_with_their_ratios():
    """MID Table 1, facts 1.5; OIML R 46, facts 1.6, low confidence."""
    mid = current_ratios("mid_2014_32_annex_v", accuracy_class="C", connection="direct", references_a=MID)
    ct = {"Ist": 0.004, "Imin": 0.04, "Itr": 0.2, "In": 5.0, "Imax": 6.0}
    wrong = current_ratios("mid_2014_32_annex_v", accuracy_class="B", connection="ct", references_a=ct)
    r46 = current_ratios("oiml_r46_2012", accuracy_class="C", connection="direct", references_a=MID)

    assert {one.text: one.met for one in mid} == {
        "Ist/Itr <= 0.04": True,  # 0.02 / 0.5 exactly
        "Imin/Itr <= 0.3": False,
        "Imax/Itr >= 50": True,
    }
    assert {one.text: one.met for one in wrong} == {
        "Ist/Itr <= 0.04": True,
        "Imin/Itr <= 0.2": True,
        "In/Itr = 20": False,
        "Imax/In >= 1.2": True,
    }
    assert [one.met for one in r46] == [True, False, True]
    assert r46[0].limit.source_mark == "nrc?"


def test_reference_conditions_by_class():
    """Facts 1.4: 23 +/- 2 C, Un +/- 1 %, fn +/- 0.3 % for class 1 and 0.5 % for class 2."""
    one, two = ({c.what: (c.low, c.high) for c in reference_conditions("iec62053_21_2003", name)} for name in "12")

    assert one["ambient temperature"] == (21.0, 25.0)
    assert one["voltage from reference"] == (-1.0, 1.0)
    assert (one["frequency from reference"], two["frequency from reference"]) == ((-0.3, 0.3), (-0.5, 0.5))
    assert one["distortion of voltage and current"] == (None, 2.0)


def test_the_composite_error_is_a_root_sum_of_squares():
    """EN 50470-3, facts 1.5: sqrt(0.3^2 + 0.4^2 + 1.2^2) = 1.3; the changes taken are the largest ones."""
    assert composite_error(0.3, -0.4, 1.2) == pytest.approx(1.3)
    assert composite_error(0.0, 0.0) == 0.0
    assert largest_change(0.1, [0.3, -0.4, 0.2]) == pytest.approx(-0.5)
    for wrong in ([], [float("nan")]):
        with pytest.raises(SetupError):
            largest_change(0.1, wrong)


def test_the_composite_error_carries_its_uncertainty():
    """First order by hand: u(e_c) = sqrt(sum (x u)^2) / e_c; at exactly zero it is zero, and no division fails."""
    from GTC import ureal

    found = composite_error(ureal(0.3, 0.05), ureal(0.4, 0.02))

    assert found.x == pytest.approx(0.5)
    assert found.u == pytest.approx(((0.3 * 0.05) ** 2 + (0.4 * 0.02) ** 2) ** 0.5 / 0.5)
    assert composite_error(ureal(0.0, 0.05), ureal(0.0, 0.02)).x == 0.0


def test_a_point_under_the_mid_has_two_limits():
    """Class B at Itr: 1 % at reference conditions, and 3.5 % of composite error in the band up to 55 C."""
    point = {
        "accuracy_class": "B",
        "connection": "direct",
        "power_factor": "0.5i",
        "references_a": MID,
        "temperature_c": 55.0,
    }
    both = mid_limits(**point, current_a=0.5)
    only_composite = mid_limits(**point, current_a=0.25)  # EN 50470-3 has no limit below Itr but at PF 1

    assert both.reference is not None
    assert both.composite is not None
    assert (both.reference.standard, both.reference.high) == ("EN 50470-3", 1.0)
    assert (both.composite.low, both.composite.high) == (None, 3.5)
    assert only_composite.reference is None
    assert only_composite.composite is not None


class Judged:
    def __init__(self, limit):
        self.limit = limit


def test_a_run_that_used_unverified_rows_says_which():
    """By row, with how often; a checked row and a point without limit are not among them."""

    def judged(current_a):
        limit = lookup(
            "iec62053_21_2003.balanced",
            accuracy_class="1",
            connection="direct",
            current_a=current_a,
            references_a=IB,
            power_factor="1",
        )
        return Judged(limit and limit.source())

    run = [judged(6.0), judged(0.3), judged(60.0), judged(0.1), Judged({"standard": "X", "source_mark": "checked"})]
    found = unverified(run)

    assert [(one.row, one.used) for one in found] == [
        ("0.1 Ib <= I <= Imax, PF 1, class 1", 2),
        ("0.05 Ib <= I < 0.1 Ib, PF 1, class 1", 1),
    ]
    assert str(found[1]) == (
        "IEC 62053-21:2003, 8.1, Table 6, percentage error limits, single-phase and balanced load, "
        "0.05 Ib <= I < 0.1 Ib, PF 1, class 1 (nrc; 1 measurement)"
    )
    assert in_words(found).startswith("3 measurements were judged by 2 rows")
    assert in_words(unverified(run, verified={"checked", "nrc"})) == ""
