"""Propagation: the worked examples of the GUM, plain formulas, correlation, and what the lines must add up to."""

import math
from dataclasses import replace

import pytest
from gum_examples import end_gauge, length_nm
from hypothesis import given, settings
from hypothesis import strategies as st

from hil.errors import OutOfRange
from hil.metrology.budget import Component, normal, rectangular, resolution
from hil.metrology.functions import absolute, cos, exp, log, sin, sqrt, tan
from hil.metrology.propagation import Input, as_read, direct, observed, propagate, repeated, simultaneous
from hil.metrology.reading import NotANumber

VOLTAGE_V = (5.007, 4.994, 5.005, 4.990, 4.999)
CURRENT_A = (19.663e-3, 19.639e-3, 19.640e-3, 19.685e-3, 19.678e-3)
PHASE_RAD = (1.0456, 1.0438, 1.0468, 1.0428, 1.0433)


def quadrature(components):
    return math.sqrt(math.fsum(c.contribution**2 for c in components))


def test_the_end_gauge_of_gum_h1_comes_out_as_published():
    """GUM H.1 (facts, A1): 50 000 838 nm, u = 31.66 nm, 16.75 degrees of freedom, k99 = 2.9035, U99 = 91.9 nm."""
    from scipy.special import stdtrit

    found = propagate(length_nm, end_gauge(), "nm")
    k99 = stdtrit(found.reading.dof, 0.995)

    assert found.reading.value == pytest.approx(50_000_838.0, abs=0.5)
    assert found.reading.u == pytest.approx(31.66, abs=0.01)
    assert found.reading.dof == pytest.approx(16.75, abs=0.01)
    assert k99 == pytest.approx(2.9035, abs=5e-4)
    assert k99 * found.reading.u == pytest.approx(91.9, abs=0.05)


def test_the_lines_of_the_end_gauge_are_those_of_the_gum():
    """GUM, table H.1: 25 nm, 9.7 nm of the comparator, 2.9 nm and 16.6 nm; the rest has no effect to first order."""
    lines = propagate(length_nm, end_gauge(), "nm").components
    contributions = {one.name: one.contribution for one in lines}

    assert contributions["l_s: certificate"] == pytest.approx(25.0)
    assert quadrature(one for one in lines if one.name.startswith("d: ")) == pytest.approx(9.7, abs=0.05)
    assert contributions["d_alpha: limits"] == pytest.approx(2.9, abs=0.05)
    assert contributions["d_theta: limits"] == pytest.approx(16.6, abs=0.05)
    assert contributions["alpha_s: limits"] == contributions["theta: mean"] == contributions["theta: cyclic"] == 0.0


def test_the_second_order_of_gum_h1_comes_out_as_published():
    """GUM H.1.7: with the second-order terms u is 34 nm instead of 32 nm."""
    found = propagate(length_nm, end_gauge(), "nm", second_order=True)

    assert found.reading.u == pytest.approx(34.0, abs=0.5)
    assert quadrature(found.components) == pytest.approx(found.reading.u)


def test_resistance_reactance_and_impedance_of_gum_h2_come_out_as_published():
    """GUM H.2 (facts, A2): five simultaneous readings; u and 4 degrees of freedom, which Welch-Satterthwaite misses."""
    readings = (("V", VOLTAGE_V, "V"), ("I", CURRENT_A, "A"), ("phi", PHASE_RAD, "rad"))
    inputs = simultaneous(*(observed(*one) for one in readings))
    published = {
        "R": (lambda v, i, phi: v * cos(phi) / i, 127.732, 0.071),
        "X": (lambda v, i, phi: v * sin(phi) / i, 219.847, 0.2956),
        "Z": (lambda v, i, phi: v / i, 254.260, 0.236),
    }
    for model, value, u in published.values():
        found = propagate(model, inputs, "ohm")

        assert found.reading.value == pytest.approx(value, abs=5e-4)
        assert found.reading.u == pytest.approx(u, abs=5e-4)
        assert found.reading.dof == pytest.approx(4.0)
        assert quadrature(found.components) == pytest.approx(found.reading.u, rel=1e-9)


def test_readings_taken_together_agree_with_gtcs_ensembles():
    """R of GUM H.2 with other components beside the scatter: u and dof are those of GTC's multi_estimate_real."""
    import GTC

    readings = (("V", VOLTAGE_V, "V", 0.004), ("I", CURRENT_A, "A", 2e-5), ("phi", PHASE_RAD, "rad", 1e-3))
    inputs = simultaneous(*(observed(name, seen, unit, [rectangular("x", h)]) for name, seen, unit, h in readings))
    ensemble = GTC.type_a.multi_estimate_real([seen for _, seen, _, _ in readings])
    v, i, phi = (x + GTC.ureal(0.0, h / math.sqrt(3.0)) for x, (*_, h) in zip(ensemble, readings, strict=True))
    oracle = v * GTC.cos(phi) / i

    found = propagate(lambda v, i, phi: v * cos(phi) / i, inputs, "ohm")

    assert found.reading.u == pytest.approx(oracle.u, rel=1e-9)
    assert found.reading.dof == pytest.approx(oracle.df, rel=1e-6)


def test_fully_correlated_readings_are_no_error():
    """Where all that is read moves together, rounding makes correlations above 1 and variances below 0 of it."""
    source = (99.3817, 100.1113, 101.0719)
    inputs = simultaneous(*(observed(str(f), [f * w for w in source], "W") for f in (1.0, 1.1, 0.37)))

    found = propagate(lambda a, b, c: a / b + c / b, inputs, "1")

    assert found.reading.u == pytest.approx(0.0, abs=1e-12)


def test_degrees_of_freedom_of_a_sum_come_out_as_published():
    """Facts, A4: 0.57 with 9 and 0.25 with infinitely many make 12.8."""
    parts = [Component("a", "A", "normal", 0.57, 1.0, 9), Component("b", "B", "normal", 0.25)]

    assert direct(0.0, "V", parts).reading.dof == pytest.approx(12.8, abs=0.05)


def test_an_arc_minute_of_phase_is_a_twentieth_of_a_percent_at_half_a_power_factor():
    """Facts, 6.1: 100 tan(phi) 0.000291 = 0.0504 % per minute at PF 0.5."""
    minute = normal("phase between the current and the voltage circuit", math.radians(1.0 / 60.0), 1.0)
    inputs = [Input("phi", math.acos(0.5), "rad", (minute,))]

    found = propagate(lambda phi: 100.0 * (cos(phi) / 0.5 - 1.0), inputs, "%")

    assert found.reading.u == pytest.approx(0.0504, abs=5e-5)


def test_the_share_of_pulse_timing_is_that_of_the_facts():
    """Facts, 1.8: u_rel = sqrt(2) t_res / (sqrt(12) N T) for N periods T timed with a resolution t_res."""
    step_s, n, period_s = 1e-3, 10, 0.5
    stamps = [Input(name, at_s, "s", (resolution("clock", step_s),)) for name, at_s in (("first", 2.0), ("last", 7.0))]

    found = propagate(lambda first_s, last_s: n * period_s / (last_s - first_s), stamps, "1")

    assert found.reading.u == pytest.approx(math.sqrt(2.0) * step_s / (math.sqrt(12.0) * n * period_s))


component = st.builds(
    Component,
    name=st.just("x"),
    kind=st.just("B"),
    distribution=st.just("normal"),
    value=st.floats(1e-6, 1e3),
    sensitivity=st.floats(-1e3, 1e3).filter(lambda c: abs(c) > 1e-3),
    dof=st.one_of(st.integers(1, 200).map(float), st.just(math.inf)),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(component, st.sampled_from([-7.0, -1.0, -0.01, 0.0, 0.5, 3.0])), min_size=1, max_size=5))
def test_a_linear_model_of_independent_inputs_is_the_plain_formula(parts):
    """u, effective degrees of freedom and every line are those of GUM 5.1.2 and G.4.1, worked out by hand."""
    inputs = [Input(str(n), 1.0, "V", (one,)) for n, (one, _) in enumerate(parts)]
    found = propagate(lambda *x: sum(factor * v for (_, factor), v in zip(parts, x, strict=True)), inputs, "V")
    shares = [abs(factor * one.sensitivity) * one.value for one, factor in parts]
    u = math.hypot(*shares)

    assert [c.contribution for c in found.components] == pytest.approx(shares, rel=1e-9)
    assert found.reading.u == pytest.approx(u, rel=1e-9)
    freedom = math.fsum(
        (share / u) ** 4 / one.dof for share, (one, _) in zip(shares, parts, strict=True) if u and share
    )
    if freedom > 1e-4:  # GTC calls everything above 100 000 infinite
        assert found.reading.dof == pytest.approx(1.0 / freedom, rel=1e-6)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(component, min_size=1, max_size=3),
    st.lists(component, min_size=1, max_size=3),
    st.lists(st.tuples(st.floats(9.0, 11.0), st.floats(4.0, 6.0)), min_size=3, max_size=8),
)
def test_the_lines_of_any_budget_add_up_to_gtcs_uncertainty(first, second, pairs):
    """Shared influences and readings taken together are one line each, so the squares of all lines are u squared."""
    one, other = (tuple(replace(c, value=c.value * 1e-3) for c in parts) for parts in (first, second))
    gain = [rectangular("gain", half) for half in (0.01, 0.02)]
    one, other = ((*parts, replace(g, shared="gain")) for parts, g in zip((one, other), gain, strict=True))
    readings = list(zip(*pairs, strict=True))
    inputs = simultaneous(observed("a", readings[0], "V", one), observed("b", readings[1], "V", other))

    found = propagate(lambda a, b: a / b - b / a, inputs, "1")

    assert quadrature(found.components) == pytest.approx(found.reading.u, rel=1e-6)


def test_two_readings_of_one_instrument_have_one_gain():
    """In a difference an error that both share cancels; in a sum it counts twice, not sqrt(2) times."""
    shared = (replace(rectangular("gain", 0.3), shared="Dmm dc voltage 1 V gain"),)
    inputs = [Input("drop", 1.0, "V", shared), Input("offset", 0.2, "V", shared)]
    u = shared[0].value

    assert propagate(lambda a, b: a - b, inputs, "V").reading.u == pytest.approx(0.0, abs=1e-12)
    assert propagate(lambda a, b: a + b, inputs, "V").reading.u == pytest.approx(2.0 * u)
    (line,) = propagate(lambda a, b: a + b, inputs, "V").components
    assert (line.name, line.shared) == ("drop and offset: gain", "Dmm dc voltage 1 V gain")


def test_what_only_one_input_has_is_not_called_shared():
    """A name of a shared influence means something only where two inputs have it."""
    (line,) = as_read(Input("a", 1.0, "V", (replace(rectangular("gain", 0.3), shared="gain"),))).components

    assert line.shared == ""


def test_what_moves_both_sides_alike_is_not_scatter_of_the_error():
    """A source that wanders shows in both readings; the error of a pair does not move, and has no scatter."""
    source = (100.0, 101.0, 99.0, 100.5)
    inputs = simultaneous(observed("unit", [1.01 * w for w in source], "W"), observed("reference", source, "W"))

    found = propagate(lambda unit, reference: 100.0 * (unit / reference - 1.0), inputs, "%")

    assert found.reading.value == pytest.approx(1.0)
    assert found.reading.u == pytest.approx(0.0, abs=1e-9)


def test_corrections_and_the_raw_value_come_out_beside_the_result():
    """The result is of corrected inputs; raw is the model of what the instruments showed."""
    record = {"role": "PowerMeter", "quantity": "active_power", "certificate": "K-1", "raw": 100.0, "correction": 1.0}
    corrected = Input("reference", 101.0, "W", (normal("calibration", 0.2),), raw=100.0, corrections=(record,))
    inputs = simultaneous(observed("unit", [101.0, 101.2], "W"), repeated(corrected, [99.9, 100.1]))

    found = propagate(lambda unit, reference: unit - reference, inputs, "W")

    assert found.reading.value == pytest.approx(0.1)
    assert found.raw == pytest.approx(1.1)
    assert found.corrections == (record,)


def test_without_a_correction_there_is_no_raw_value():
    """A value that nothing corrected is its own raw value; the journal does not say it twice."""
    assert direct(1.0, "V", [rectangular("x", 0.1)]).raw is None


def test_an_exact_input_has_a_line_with_its_sensitivity():
    """A component of zero is on the list all the same: the reader sees that it was thought of."""
    (line,) = propagate(lambda x: 3.0 * x, [Input("x", 2.0, "V", (rectangular("nothing", 0.0),))], "V").components

    assert (line.contribution, line.sensitivity) == (0.0, pytest.approx(3.0))


def test_readings_taken_together_are_equal_in_number():
    """Three of one and two of the other were not taken together."""
    with pytest.raises(OutOfRange):
        simultaneous(observed("a", [1.0, 2.0, 3.0], "V"), observed("b", [1.0, 2.0], "V"))


def test_one_reading_says_nothing_about_its_scatter():
    """A single reading has no type A component, and the budget does not pretend to know one."""
    inputs = simultaneous(observed("a", [1.0], "V", [rectangular("x", 0.1)]), observed("b", [1.0], "V"))

    assert [c.name for c in propagate(lambda a, b: a - b, inputs, "V").components] == ["a: x"]


def test_a_model_without_a_value_is_an_error_of_the_bench():
    """A dead reference gives no percentage, and never an infinite one."""
    with pytest.raises(NotANumber, match="the model"):
        propagate(lambda a, b: a / b, [Input("a", 1.0, "W"), Input("b", 0.0, "W")], "1")


@pytest.mark.parametrize("function", [cos, sin, tan, exp, log, sqrt, absolute])
def test_functions_hold_for_numbers_uncertain_numbers_and_arrays(function):
    """A model is written once, and used by the first order and by Monte Carlo alike."""
    import GTC
    import numpy as np

    plain = function(0.7)

    assert function(GTC.ureal(0.7, 0.01)).x == pytest.approx(plain)
    assert list(function(np.array([0.7, 0.7]))) == pytest.approx([plain, plain])


def test_the_magnitude_of_an_uncertain_number_keeps_its_uncertainty():
    """Python's abs() of it is a plain number; ours is not."""
    found = propagate(absolute, [Input("x", -2.0, "V", (normal("x", 0.1, 1.0),))], "V")

    assert (found.reading.value, found.reading.u) == (2.0, pytest.approx(0.1))


def test_a_budget_names_the_instruments_whose_readings_its_inputs_are():
    """Each once, in the order of the inputs; what no instrument read names none."""
    meter, source = (Input(role, 2.0, "V", roles=(role,)) for role in ("PowerMeter", "AcSource"))
    unit = Input("unit", 1.0, "V")

    assert propagate(lambda u, a, b, c: u / a + b - c, [unit, meter, source, meter], "1").instruments == (
        "PowerMeter",
        "AcSource",
    )
    assert as_read(repeated(meter.plus(rectangular("x", 0.1)), [1.9, 2.1])).instruments == ("PowerMeter",)
    assert direct(1.0, "V", [rectangular("x", 0.1)], ["Scope"]).instruments == ("Scope",)
    assert as_read(unit).instruments == ()
