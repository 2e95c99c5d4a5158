"""Calibration of U1-U4 by the maker's application note (AN26, chapter 3), each against the reference meter."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hil.dut.atm90e26 import Calibration
from hil.dut.atm90e26.calibration import gain_word, i_gain_word, phi_word, u_gain_word
from hil.dut.atm90e26.device import Atm90e26
from hil.dut.smart_power.board import SmartPower
from hil.metrology.budget import resolution
from hil.metrology.decision import ACCEPTED, Verdict
from hil.metrology.propagation import Input, propagate
from hil.metrology.statistics import mean
from hil.plans.plan import Plan
from hil.run.measure import Measurer
from hil.tests.smart_power.comparison import POWER, Pair, both
from hil.tests.smart_power.loadpoint import LOAD_SETTLE_S, METER_UPDATE_S, SocketUnderLoad

READINGS = 6  # per step: calibration should be quieter than what it is judged by
PHI_PER_ERROR = 3763.74  # AN26 chapter 3, at PF 0.5 inductive and 50 Hz


@pytest.mark.requirement("MET-01")
def test_each_chip_select_belongs_to_its_socket(
    socket: SocketUnderLoad, board: SmartPower, plan: Plan, measure: Measurer
) -> None:
    """With a load on one socket only, its own meter sees the current and the others do not."""
    if not measure.ready("metering.share_on_own_meter", socket=socket.number):
        return
    socket.set_point(plan.nominal["ib_a"], "1")
    currents_a = {s.number: _current_a(socket, s.chip_select) for s in board.revision.sockets}
    own_a = currents_a.pop(socket.number)
    shown = [Input("own", own_a, "A"), *(Input(f"U{n}", others_a, "A") for n, others_a in currents_a.items())]
    inputs = [one.plus(resolution("1 mA, uncalibrated", 0.001)) for one in shown]
    if own_a + sum(currents_a.values()) > 0.0:
        budget = propagate(lambda own, *others: 100.0 * own / (own + sum(others)), inputs, "%")
    else:
        budget = propagate(lambda own, *_: 100.0 * own / 0.001, inputs, "%")  # nobody sees anything
    measure("metering.share_on_own_meter", budget, socket=socket.number)


@pytest.mark.requirement("MET-02")
def test_import_is_metered_as_import(socket: SocketUnderLoad, plan: Plan, measure: Measurer) -> None:
    """A resistive load gives positive power and a positive power factor."""
    if not measure.ready("metering.import_sign", socket=socket.number):
        return
    socket.set_point(plan.nominal["ib_a"], "1")
    seen = socket.pair().unit
    measure.check("metering.import_sign", seen.power_w > 0.0 and seen.power_factor > 0.0, socket=socket.number)


@pytest.mark.requirement("MET-03")
def test_the_meter_can_be_calibrated(
    socket: SocketUnderLoad, plan: Plan, measure: Measurer, calibrations: dict[int, Calibration]
) -> None:
    """Gain at Ib and PF 1, phase at PF 0.5 inductive, voltage and current gain: all within the chip's registers."""
    if not measure.ready("calibration.gain_correction", socket=socket.number):
        measure.ready("calibration.phase_correction", socket=socket.number)
        return
    nominal = socket.sense.nominal_calibration()
    _load(socket, nominal)
    socket.set_point(plan.nominal["ib_a"], "1")
    pairs = [socket.pair() for _ in range(READINGS)]
    error = mean([p.unit.power_w / p.reference.power_w - 1 for p in pairs])
    verdict = _measure_gain(measure, socket, pairs)
    if verdict not in ACCEPTED:
        measure.ready("calibration.phase_correction", socket=socket.number)
        return
    gained = replace(
        nominal,
        l_gain=gain_word(error),
        u_gain=u_gain_word(*_true_and_read(pairs, lambda p: (p.reference.voltage_v, p.unit.voltage_v))),
        i_gain_l=i_gain_word(*_true_and_read(pairs, lambda p: (p.reference.current_a, p.unit.current_a))),
    )
    _load(socket, gained)
    socket.set_point(plan.nominal["ib_a"], "0.5i")
    pairs = [socket.pair() for _ in range(READINGS)]
    error = mean([p.unit.power_w / p.reference.power_w - 1 for p in pairs])
    if _measure_phase(measure, socket, pairs) not in ACCEPTED:
        return
    found = replace(gained, l_phi=phi_word(error))
    _load(socket, found)
    calibrations[socket.number] = found


def _current_a(socket: SocketUnderLoad, chip_select: int) -> float:
    """Read the current a meter shows, on the bus of the socket under load."""
    socket.bench.clock.sleep(METER_UPDATE_S)
    return Atm90e26(socket.meter.bus, chip_select).snapshot().current_a


def _load(socket: SocketUnderLoad, calibration: Calibration) -> None:
    socket.meter.start(calibration, socket.bench.clock)
    socket.bench.clock.sleep(LOAD_SETTLE_S)


def _true_and_read(pairs: list[Pair], both: object) -> tuple[float, float]:
    assert callable(both)
    values = [both(p) for p in pairs]
    return mean([true for true, _ in values]), mean([read for _, read in values])


def _measure_gain(measure: Measurer, socket: SocketUnderLoad, pairs: list[Pair]) -> Verdict:
    """Journal the correction L = -e / (1 + e), in percent; e is the error before it."""
    inputs = both(socket.bench, POWER, pairs)
    budget = propagate(lambda unit, reference: 100.0 * (reference / unit - 1.0), inputs, "%")
    return measure("calibration.gain_correction", budget, socket=socket.number)


def _measure_phase(measure: Measurer, socket: SocketUnderLoad, pairs: list[Pair]) -> Verdict:
    """Journal the phase correction in counts of Lphi."""
    unit, reference = both(socket.bench, POWER, pairs)
    count = Input("Lphi", 0.0, "1", (resolution("one count", 1.0),))
    inputs = [unit, reference, count]
    budget = propagate(lambda u, r, n: PHI_PER_ERROR * (u / r - 1.0) + n, inputs, "1")
    return measure("calibration.phase_correction", budget, socket=socket.number)
