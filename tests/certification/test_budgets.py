"""Budgets of the certification tests, held against what an assessor would add up by hand."""

from __future__ import annotations

import datetime
import math
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest

from hil.dut.smart_power.fuse import Fuse
from hil.instruments.probe import Probed
from hil.instruments.roles import Accuracy, EnergyReading, PowerReading
from hil.metrology.budget import normal, rectangular
from hil.metrology.calibration import Certificate, Point, Table
from hil.metrology.propagation import Input
from hil.plans.plan import load_plan
from hil.station.traceable import traceable
from hil.tests.smart_power.contact import contact_resistance
from hil.tests.smart_power.dipshot import Applied
from hil.tests.smart_power.energywindow import energy_error
from hil.tests.smart_power.referencepoint import ReferencePoint, drift
from hil.tests.smart_power.test_electrical_safety import voltage_to_set
from hil.tests.smart_power.test_over_current import fuse_crossing

PLANNED = load_plan("smart-power").resolve("A")
DAY = datetime.date(2026, 3, 2)


def bench_with(calibration: Certificate | None = None, **instruments: object) -> SimpleNamespace:
    """Return a bench that has these instruments, and their one calibration."""
    return SimpleNamespace(
        traceable=lambda role, accuracy, name="": traceable(role, calibration, accuracy, name), **instruments
    )


def test_an_integrated_energy_is_no_better_than_the_reference_says_of_integration():
    """Accuracy of power 0.2 %, integrated 0.1 % of reading more: a half-width of 0.3 %, added as the makers add it."""
    reading = PowerReading(230.0, 1.0, 230.0, 230.0, 0.0, 1.0, 50.0)
    meter = SimpleNamespace(
        power_accuracy_w=lambda r: Accuracy(r.power_w, 0.002 * r.power_w, "manual", "active_power", "300 V, 2 A", "W")
    )
    unit, integrated = Input("unit", 230.0, "Wh"), EnergyReading(230.0, 3600.0)

    budget = energy_error(bench_with(power_meter=meter), unit, reading, integrated)

    of_reference = [line for line in budget.components if line.name.startswith("reference")]
    assert [line.contribution for line in of_reference] == pytest.approx([0.3 / math.sqrt(3.0)])
    assert "integrated" in of_reference[0].name


def test_the_offset_of_a_contact_does_not_take_the_multimeter_out_of_its_budget():
    """7 uV of a range of 1 V, twice, are 7 uV sqrt(2 / 3) of 1 A, though both are readings of one range."""
    shown = iter([0.012, 0.0])
    dmm = SimpleNamespace(
        measure_dc_voltage_v=lambda expected_v: Accuracy(next(shown), 7e-6, "manual", "dc_voltage", "1 V", "V")
    )
    supply = SimpleNamespace(
        set_output=lambda *_: None,
        on=lambda _: None,
        output_off=lambda _: None,
        measure_current_a=lambda _: 1.0,
        current_accuracy_a=lambda _, current_a: Accuracy(current_a, 0.0, "manual", "dc_current", "", "A"),
    )
    bench = bench_with(
        dmm=dmm, dc_supply=supply, clock=SimpleNamespace(sleep=lambda _: None), route=lambda *_: nullcontext()
    )

    budget = contact_resistance(bench, "K1")

    assert budget.reading.value == pytest.approx(0.012)
    assert budget.reading.u == pytest.approx(7e-6 * math.sqrt(2.0 / 3.0))


@pytest.mark.parametrize(("correction_v", "set_v"), [(None, 2030.0), (-20.0, 2050.0), (20.0, 2030.0)])
def test_no_error_of_the_hipot_tester_spares_the_unit(correction_v, set_v):
    """2 kV are asked for, 25 V is its accuracy, steps of 10 V; and its certificate says that it shows 20 V too much."""
    points = (Point(1000.0, correction_v or 0.0, 5.0), Point(3000.0, correction_v or 0.0, 5.0))
    known = Certificate("C-2", "lab", DAY, DAY, (Table("ac_voltage", "", "V", points),))
    hipot = SimpleNamespace(voltage_accuracy_v=lambda v: Accuracy(v, 25.0, "manual", "ac_voltage", "", "V"))

    assert voltage_to_set(bench_with(known if correction_v else None, hipot=hipot), 2000.0) == (25.0, set_v)


def test_the_reference_is_compared_with_two_read_backs():
    """The volt-amperes of the source are a product: what each of its two read-backs drifts is in the budget."""
    quotient = Input("reference", 1.0, "1")
    point = ReferencePoint(quotient, quotient, 230.0)

    assert drift(point, point).reading.u == pytest.approx(100.0 * math.hypot(2e-4, 2e-4) / math.sqrt(3.0))


@pytest.mark.parametrize(("temperature_c", "mpe_pct", "span"), [(5, 2.0, "from_c=5,to_c=23"), (40, 2.5, "to_c=40")])
def test_each_band_of_temperature_has_its_own_mpe(temperature_c, mpe_pct, span):
    """Directive 2014/32/EU, Annex V, Table 2, class B, above Itr: 2 % from 5 to 30 C, 2.5 % from 30 to 40 C."""
    planned = PLANNED[f"mid.composite_error[socket=1,i=Ib,pf=0.5i,temperature_c={temperature_c}]"]

    assert planned.limit is not None
    assert (planned.limit.low, planned.limit.high) == (None, mpe_pct)  # it has no sign: no width, and no TUR
    assert any(span in name for name in planned.after)


def test_the_fuse_is_judged_with_what_is_uncertain_about_the_time():
    """A curve t = 1 s (2 A / I)^2: a time known to 2 % moves the current by 1 %, beside the curve's own 10 %."""
    fuse = Fuse(1.0, ((1.0, 4.0), (2.0, 1.0), (4.0, 0.25)))
    lasted = Input("", 0.5, "s", (normal("time base", 0.01, k=1.0),))

    budget = fuse_crossing(fuse, lasted)

    current_a = 2.0 * math.sqrt(2.0)
    assert budget.reading.value == pytest.approx(current_a)
    found = sorted(line.contribution for line in budget.components)
    assert found == pytest.approx([0.01 * current_a, rectangular("", 0.1 * current_a).value], rel=1e-3)


def test_a_dip_is_timed_with_the_calibration_of_the_oscilloscope():
    """A time base that shows 1 % too much, and is known for it, does not make the dip longer."""
    certificate = Certificate(
        "C-1", "lab", DAY, DAY, (Table("time_interval", "", "s", (Point(0.1, -0.001, 1e-5), Point(1.0, -0.01, 1e-5))),)
    )
    scope = SimpleNamespace(time_accuracy_s=lambda s: Accuracy(s, 1e-5, "manual", "time_interval", "", "s"))
    nothing = np.zeros(2)
    dip = Applied(Probed(nothing, nothing, "V"), 0.0, 0.505, 0.7, 1e-5, 3.5)

    budget = dip.duration(bench_with(certificate, scope=scope))

    assert budget.reading.value == pytest.approx(0.505 / 1.01, rel=1e-3)
    assert budget.raw == pytest.approx(0.505)
    assert [one["certificate"] for one in budget.corrections] == ["C-1"]
