"""Before mains: interlocks, rails from the DC supply, boot, identity, the meters' bus, and quiet coils."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hil.dut.atm90e26.device import MeterBusFault
from hil.dut.smart_power.board import SmartPower, parse_banner
from hil.dut.smart_power.protection import OVERCURRENT, OVERTEMPERATURE
from hil.errors import SetupError, UnitSilent
from hil.instruments.roles import Accuracy, OverRange
from hil.metrology.budget import Budget, rectangular, resolution
from hil.metrology.propagation import Input, as_read, direct, propagate
from hil.metrology.reading import Reading
from hil.metrology.waveforms import between, edges
from hil.run.measure import Measurer
from hil.run.run import Run
from hil.station.station import Station
from hil.tests.smart_power.relayshot import RAIL_V
from hil.tests.smart_power.scoped import voltage

ISOLATORS = ("spi", "uart", "scope", "dmm")
BOOT_WINDOW_S = 1.6  # application runs after 0.87 s (facts 7.6)
NORMAL_BOOT = (0x8, 0x2B)
POLLED_S = 0.55
RAIL_CHANNEL = 4
SCREEN_V = (-1.0, 7.0)
SENSOR_S = 1.2  # the firmware looks every 0.5 s [A]: it has made up its mind
RELAYS = ("K1", "K2", "K3", "K4")
SOCKETS = (1, 2, 3, 4)
COIL_OHM = 42.0
OPEN_OHM = 120.0  # the meter's 100 ohm range reads to 120 % of itself
COPPER_PER_K = 0.00393


@pytest.mark.requirement("BP-01")
def test_interlocks_allow_power(bench: Station, measure: Measurer) -> None:
    """Lid closed, emergency stop released, isolators declared."""
    measure.check("interlock.lid_closed", bench.fixture.lid_closed())
    measure.check("interlock.emergency_stop_released", bench.fixture.emergency_stop_released())
    for isolator in ISOLATORS:
        measure.check("interlock.isolators_declared", isolator in bench.config.isolators, isolator=isolator)
    bench.check_interlocks()


@pytest.fixture(scope="module")
def ambient(bench: Station) -> Accuracy:
    """The room's temperature beside the unit, in degrees Celsius."""
    with bench.route("dmm.ambient"):
        return bench.dmm.measure_temperature_c()


@pytest.mark.requirement("BP-07")
def test_the_room_is_fit(bench: Station, ambient: Accuracy, measure: Measurer) -> None:
    """A room too cold or too warm is no property of the unit: the run ends before anything is powered."""
    limit = measure.planned("bench.ambient_temperature").limit
    assert limit is not None
    assert limit.low is not None
    assert limit.high is not None
    if not limit.low <= ambient.value <= limit.high:
        raise SetupError(
            f"the room is at {ambient.value:.1f} degrees Celsius",
            f"bring it between {limit.low:g} and {limit.high:g}, or check the PT100",
        )
    measure("bench.ambient_temperature", as_read(bench.traceable("Dmm", ambient, "room")))


@pytest.mark.requirement("REL-12")
@pytest.mark.parametrize("coil", [f"{relay}.{action}" for relay in RELAYS for action in ("SET", "RESET")])
def test_coil_resistance(bench: Station, ambient: Accuracy, measure: Measurer, coil: str) -> None:
    """The coil, unpowered, has its rated resistance, corrected to 20 degrees Celsius."""
    with bench.route(f"dmm.coil.{coil}"):
        try:
            measured = bench.traceable("Dmm", bench.dmm.measure_resistance_ohm(COIL_OHM), "resistance")
        except OverRange as beyond:
            measure.note(f"{coil} is open, or nearly: {beyond}. The value given is a lower bound")
            measured = Input("resistance, top of the range", OPEN_OHM, "ohm", roles=("Dmm",))
    inputs = [
        measured.plus(rectangular("leads and route, two wire [A]", 0.2)),
        bench.traceable("Dmm", ambient, "room").plus(rectangular("coil warmer or colder than the room [A]", 2.0)),
    ]
    budget = propagate(lambda ohm, room_c: ohm / (1.0 + COPPER_PER_K * (room_c - 20.0)), inputs, "ohm")
    measure("relay.coil_resistance", budget, coil=coil)


@pytest.mark.requirement("TH-01")
def test_the_own_sensor_reads_the_room(bench: Station, board: SmartPower, ambient: Accuracy, measure: Measurer) -> None:
    """Just powered, the board is as warm as the room; it is tripped neither by its sensor nor from an earlier run."""
    with bench.rail():
        board.boot()
        bench.clock.sleep(SENSOR_S)
        own_c = board.protection.temperature_c()
        left = {error for socket in SOCKETS for error in board.protection.errors(socket)}
        if left & {OVERTEMPERATURE, OVERCURRENT} and board.protection.rearm():
            measure.note("the unit was tripped since an earlier run; it was re-armed")
    room = bench.traceable("Dmm", ambient, "room")
    inputs = [
        Input("unit", own_c, "degC", (resolution("register, 0.1 K", 0.1),)),
        room.plus(rectangular("beside the unit against at its sensor [A]", 0.5)),
    ]
    measure("thermal.own_sensor", propagate(lambda unit_c, room_c: unit_c - room_c, inputs, "K"))


@pytest.mark.requirement("BP-06")
@pytest.mark.parametrize("relay", RELAYS)
def test_no_coil_is_pulsed_at_power_up(bench: Station, board: SmartPower, measure: Measurer, relay: str) -> None:
    """From power-up until the firmware runs, the collectors follow the rail."""
    coils = {1: f"{relay}.SET", 2: f"{relay}.RESET"}
    ready = [channel for channel, coil in coils.items() if measure.ready("relay.reset_glitch", coil=coil)]
    if not ready:
        return
    bench.fixture.release_reset()
    with bench.route(*(f"scope{channel}.{coil}" for channel, coil in coils.items())):
        bench.scope.set_timebase(BOOT_WINDOW_S, 0.01)
        for channel in (1, 2, RAIL_CHANNEL):
            bench.scope.set_channel(channel, *SCREEN_V)
        bench.scope.arm(RAIL_CHANNEL, RAIL_V / 2, rising=True)
        with bench.rail():
            bench.clock.sleep(BOOT_WINDOW_S)
            waves = {channel: bench.scope.read_waveform(channel) for channel in (1, 2, RAIL_CHANNEL)}
            board.wait_for_boot()
    rail = waves[RAIL_CHANNEL]
    up_s = edges(rail.time_s, rail.voltage_v, 0.9 * RAIL_V, 0.2)[0].time_s + 0.001

    for channel in ready:
        below_v = rail.voltage_v - waves[channel].voltage_v
        dip_v = float(between(rail.time_s, below_v, up_s, BOOT_WINDOW_S).max())
        measure("relay.reset_glitch", dip(bench, dip_v), coil=coils[channel])


def dip(bench: Station, dip_v: float) -> Budget:
    """Return by how much a collector dips below the rail, in volts: the difference of two channels, near the rail."""
    inputs = []
    for name, volts in (("rail", RAIL_V), ("collector", RAIL_V - dip_v)):
        one = voltage(bench, volts, *SCREEN_V, name)
        # two channels, each with a gain of its own: what their specifications have in common is not known
        inputs.append(replace(one, components=tuple(replace(c, shared="") for c in one.components)))
    return propagate(lambda rail_v, collector_v: rail_v - collector_v, inputs, "V")


@pytest.mark.requirement("BP-02")
@pytest.mark.parametrize(("rail", "point", "expected_v"), [("5V", "dmm.rail_5v", 5.0), ("3V3", "dmm.rail_3v3", 3.3)])
def test_rail_voltages(
    bench: Station, rails: None, measure: Measurer, rail: str, point: str, expected_v: float
) -> None:
    """The rails are within tolerance with the firmware running."""
    with bench.route(point):
        shown = bench.dmm.measure_dc_voltage_v(expected_v)
    measure("rail.voltage", as_read(bench.traceable("Dmm", shown, "rail")), rail=rail)


@pytest.mark.requirement("BP-02")
def test_idle_current(bench: Station, rails: None, measure: Measurer) -> None:
    """The board draws what its parts should draw, no more."""
    current_a = bench.dc_supply.measure_current_a(1)
    accuracy = bench.dc_supply.current_accuracy_a(1, current_a)
    measure("rail.idle_current", as_read(bench.traceable("DcSupply", accuracy, "current")))


@pytest.mark.requirement("BP-03")
def test_the_firmware_boots(bench: Station, board: SmartPower, rails: None, measure: Measurer) -> None:
    """From release of EN to the first answer; the ROM says that it booted from flash."""
    heard = len(bench.fixture.console.lines)
    boot = board.restart()
    banner = parse_banner("\n".join(line.text for line in bench.fixture.console.lines[heard:]))
    # it answered between the last question in vain and the answer: the middle of that (GUM, 4.3.8)
    polling = resolution("polling of the console: 0.5 s of waiting and a pause", POLLED_S)
    measure("boot.time", direct(boot.took_s - POLLED_S / 2, "s", [polling]))
    measure.check("boot.from_flash", banner is not None and banner.boot_code in NORMAL_BOOT)


@pytest.mark.requirement("BP-04")
def test_the_unit_says_who_it_is(bench: Station, board: SmartPower, rails: None, run: Run, measure: Measurer) -> None:
    """Serial, board and revision are those that were scanned; console and HTTP agree."""
    identity = board.identity()
    measure.check("identity.matches", identity.serial == run.options.serial, field="serial")
    measure.check("identity.matches", identity.board == run.options.board, field="board")
    measure.check("identity.matches", identity.revision == run.options.revision, field="revision")
    try:
        over_http = bench.http().call("Factory.Identity")["serial"]
    except UnitSilent as error:
        measure.note(str(error))
        over_http = None
    measure.check("identity.matches", over_http == identity.serial, field="console_and_http")


@pytest.mark.requirement("BP-05")
def test_each_meter_answers_on_its_chip_select(board: SmartPower, rails: None, measure: Measurer) -> None:
    """Two complementary words are written to each meter and read back, and LastData agrees."""
    with board.meters() as meters:
        answers = {}
        for number, meter in enumerate(meters, 1):
            try:
                meter.prove_bus()
                answers[number] = True
            except MeterBusFault as fault:
                measure.note(str(fault))
                answers[number] = False
    for number, answered in answers.items():
        measure("spi.meter_answers", Reading(float(answered), "yes", 0.0), meter=f"U{number}")
