"""DC supply, multimeter, switch and scope: what their manuals say, on one circuit."""

from __future__ import annotations

import numpy as np
import pytest
from desk import Desk

# -- E36312A ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def supplied(desk) -> Desk:
    desk.tell("DcSupply", "VOLT 5,(@1);:CURR 1,(@1);:OUTP ON,(@1)")
    return desk


def test_a_channel_list_answers_a_list(supplied):
    """(@1:3) answers three values with commas."""
    volts = supplied.numbers("DcSupply", "MEAS:VOLT? (@1:3)")

    assert volts == pytest.approx([5.0, 0.0, 0.0], abs=0.01)
    assert supplied.ask("DcSupply", "OUTP? (@1,2)") == "1,0"


def test_without_a_list_the_selected_output_is_meant(supplied):
    """INST:NSEL chooses it."""
    assert supplied.ask("DcSupply", "INST:NSEL 2;:VOLT 12;:VOLT?;:VOLT? (@2)") == "+1.20000000E+01;+1.20000000E+01"


@pytest.mark.parametrize("message", ["VOLT 7,(@1)", "CURR 2,(@2)", "VOLT -1,(@3)"])
def test_each_output_has_its_own_range(desk, message):
    """6 V 5 A on output 1, 25 V 1 A on 2 and 3."""
    assert desk.ask("DcSupply", f"{message};:SYST:ERR?") == '-222,"Data out of range"'


def test_constant_current_shows_in_the_condition_register(supplied):
    """The limit below the unit's demand makes it CC (1); above it CV (2); off is 0."""
    supplied.pause(1.0)
    regulated = supplied.ask("DcSupply", "STAT:QUES:INST:ISUM1:COND?")
    supplied.tell("DcSupply", "CURR 0.02,(@1)")
    limited = supplied.ask("DcSupply", "STAT:QUES:INST:ISUM1:COND?")
    supplied.tell("DcSupply", "OUTP OFF,(@1)")

    assert (regulated, limited) == ("+2", "+1")
    assert supplied.ask("DcSupply", "STAT:QUES:INST:ISUM1:COND?") == "+0"


def test_over_current_protection_switches_off(supplied):
    """With CURR:PROT:STAT on, CC trips the output; it must be cleared."""
    supplied.pause(1.0)
    supplied.tell("DcSupply", "CURR:PROT:STAT ON,(@1);:CURR 0.02,(@1)")

    assert supplied.ask("DcSupply", "CURR:PROT:TRIP? (@1)") == "1"
    assert supplied.ask("DcSupply", "OUTP? (@1)") == "0"


def test_over_voltage_protection_switches_off(supplied):
    """A level above VOLT:PROT trips the output."""
    supplied.tell("DcSupply", "VOLT:PROT 4.5,(@1)")

    assert supplied.ask("DcSupply", "VOLT:PROT:TRIP? (@1);:OUTP? (@1)") == "1;0"


# -- 34465A -----------------------------------------------------------------------------------------------------------


def route(desk: Desk, *channels: int) -> None:
    desk.tell("Switch", f"*RST;:ROUT:CLOS (@{','.join(map(str, channels))})")


def test_a_rail_is_measured_within_the_specification(supplied):
    """5 V in the 10 V range: 30 ppm of reading and 4 ppm of range."""
    supplied.pause(1.0)
    route(supplied, 205)
    measured = float(supplied.ask("Dmm", "MEAS:VOLT:DC? 10"))
    truth = supplied.bench.dmm_voltage_v()

    assert measured == pytest.approx(truth, abs=3e-5 * truth + 4e-5)


def test_a_voltage_beyond_the_range_is_the_overload_value(supplied):
    """9.9E+37, and a bit of the questionable register."""
    supplied.pause(1.0)
    route(supplied, 205)

    assert supplied.ask("Dmm", "CONF:VOLT:DC 1;:READ?") == "+9.90000000E+37"
    assert supplied.ask("Dmm", "STAT:QUES:COND?") == "+1"


def test_an_open_circuit_has_no_resistance(desk):
    """Nothing routed: overload, in any range and automatically."""
    assert desk.ask("Dmm", "MEAS:RES?") == "+9.90000000E+37"
    assert desk.ask("Dmm", "FRES:RANG 100;:FUNC 'FRES';:READ?") == "+9.90000000E+37"


def test_a_two_wire_reading_includes_the_leads(desk):
    """A coil in two wires reads higher than it is, by a tenth of an ohm or so."""
    route(desk, 207)
    truth = desk.bench.dmm_resistance_ohm()
    measured = float(desk.ask("Dmm", "MEAS:RES?"))

    assert 0.05 < measured - truth < 0.2


def test_a_reading_takes_its_aperture(desk):
    """10 power line cycles with auto-zero are 0.4 s, 100 are 4 s, 0.02 less than 10 ms."""
    lasted_s = {}
    for nplc in (0.02, 10, 100):
        desk.tell("Dmm", f"CONF:VOLT:DC 10;:VOLT:DC:NPLC {nplc}")
        before_s = desk.world.now_s
        desk.ask("Dmm", "READ?")
        lasted_s[nplc] = desk.world.now_s - before_s

    assert lasted_s == pytest.approx({0.02: 1.4e-3, 10: 0.401, 100: 4.001})


def test_configuring_forgets_range_and_aperture(desk):
    """CONFigure brings automatic ranging and 10 cycles back."""
    desk.tell("Dmm", "VOLT:DC:RANG 1;:VOLT:DC:NPLC 100;:CONF:VOLT:DC")

    assert desk.ask("Dmm", "VOLT:DC:RANG:AUTO?;:VOLT:DC:NPLC?") == "1;+1.00000000E+01"


def test_the_ambient_is_read_with_a_four_wire_pt100(desk):
    """Within 0.05 K; without the route it is an overload."""
    away = desk.ask("Dmm", "MEAS:TEMP? FRTD")
    route(desk, 219)

    assert away == "+9.90000000E+37"
    assert float(desk.ask("Dmm", "MEAS:TEMP? FRTD")) == pytest.approx(desk.bench.dmm_temperature_c(), abs=0.05)


def test_several_samples_come_as_a_list(desk):
    """SAMP:COUN 5 answers five readings; FETC? answers them again; a new configuration forgets them."""
    desk.tell("Dmm", "CONF:VOLT:DC 10;:VOLT:DC:NPLC 1;:SAMP:COUN 5;:INIT")
    readings = desk.ask("Dmm", "FETC?")

    assert readings.count(",") == 4
    assert desk.ask("Dmm", "FETC?") == readings
    assert desk.ask("Dmm", "CONF:VOLT:DC;:FETC?;:SYST:ERR?") == '-230,"Data corrupt or stale"'


def test_a_bus_trigger_starts_an_armed_meter(desk):
    """INIT arms, *TRG measures; *TRG without INIT is ignored with an error."""
    desk.tell("Dmm", "CONF:VOLT:DC 10;:TRIG:SOUR BUS;:INIT;*TRG")

    assert desk.ask("Dmm", "FETC?")
    assert desk.ask("Dmm", "*TRG;:SYST:ERR?") == '-211,"Trigger ignored"'


# -- DAQ970A ----------------------------------------------------------------------------------------------------------


def test_a_relay_takes_three_milliseconds(desk):
    """Four channels close one after the other."""
    before_s = desk.world.now_s
    desk.tell("Switch", "ROUT:CLOS (@101,201:203)")

    assert desk.world.now_s - before_s == pytest.approx(0.012)
    assert desk.bench.routes == {101, 201, 202, 203}


def test_each_channel_says_whether_it_is_closed(desk):
    """CLOS? and OPEN? are each other's opposites, in the order asked."""
    desk.tell("Switch", "ROUT:CLOS (@101,305)")

    assert desk.ask("Switch", "ROUT:CLOS? (@305,102,101)") == "1,0,1"
    assert desk.ask("Switch", "ROUT:OPEN? (@305,102,101)") == "0,1,0"


def test_reset_opens_everything(desk):
    """*RST leaves no route."""
    desk.tell("Switch", "ROUT:CLOS (@101:108);*RST")

    assert desk.bench.routes == frozenset()


@pytest.mark.parametrize(("channel", "error"), [(121, "+112"), (401, "+111"), (100, "+112")])
def test_a_channel_that_no_module_has_is_refused(desk, channel, error):
    """And nothing moves."""
    assert desk.ask("Switch", f"ROUT:CLOS (@101,{channel});:SYST:ERR?").startswith(error)
    assert desk.bench.routes == frozenset()


def test_the_slots_name_their_modules(desk):
    """Two multiplexers and an actuator."""
    models = [desk.ask("Switch", f"SYST:CTYP? {slot}").split(",")[1] for slot in (1, 2, 3)]

    assert models == ["DAQM901A", "DAQM901A", "DAQM903A"]


# -- DSO-X ------------------------------------------------------------------------------------------------------------

SETUP = ":CHAN4:RANG 8;OFFS 3;:TIM:REF LEFT;RANG 0.01;POS 0;:TRIG:SOUR CHAN4;:TRIG:LEV 2.5;SLOP POS;:TRIG:SWE NORM"


@pytest.fixture
def armed(desk) -> Desk:
    desk.tell("Scope", SETUP)
    desk.tell("Scope", ":SING")
    desk.pause(0.1)
    return desk


def supply_on(desk: Desk) -> None:
    desk.tell("DcSupply", "VOLT 5,(@1);:CURR 3,(@1);:OUTP ON,(@1)")
    desk.pause(0.1)


def test_armed_is_not_triggered(armed):
    """Run and wait-for-trigger are bits 3 and 5; both fall when the edge came and the record is full."""
    before = int(armed.ask("Scope", ":OPER:COND?"))
    supply_on(armed)

    assert before & 0x28 == 0x28
    assert int(armed.ask("Scope", ":OPER:COND?")) & 0x28 == 0
    assert armed.ask("Scope", ":TER?;:TER?;:AER?") == "+1;+0;+1"


def test_the_pre_trigger_part_must_fill_first(desk):
    """Right after :SING it runs but does not yet wait."""
    desk.tell("Scope", f"{SETUP};:TIM:REF CENT;:TIM:RANG 1")
    desk.tell("Scope", ":SING")

    assert int(desk.ask("Scope", ":OPER:COND?")) & 0x28 == 0x08


def test_a_wrong_slope_never_triggers(desk):
    """Nothing is acquired, and asking for data is an error, not old data."""
    desk.tell("Scope", f"{SETUP};:TRIG:SLOP NEG")
    desk.tell("Scope", ":SING")
    desk.pause(0.1)
    supply_on(desk)

    assert int(desk.ask("Scope", ":OPER:COND?")) & 0x20
    assert desk.ask("Scope", ":WAV:SOUR CHAN4;:WAV:DATA?;:SYST:ERR?") == '-230,"Data corrupt or stale"'
    assert desk.ask("Scope", ":MEAS:VPP? CHAN4") == "+9.9E+37"


def test_sweep_auto_triggers_by_itself(desk):
    """The trap of a scope that is not set to NORMal."""
    desk.tell("Scope", f"{SETUP};:TRIG:SWE AUTO")
    desk.tell("Scope", ":SING")
    desk.pause(0.2)

    assert desk.ask("Scope", ":OPER:COND?") == "+0"


def waveform(desk: Desk, form: str) -> tuple[np.ndarray, np.ndarray]:
    desk.tell("Scope", f":WAV:SOUR CHAN4;FORM {form};BYT LSBF;UNS ON;POIN:MODE RAW;:WAV:POIN 10000")
    pre = desk.numbers("Scope", ":WAV:PRE?")
    assert len(pre) == 10
    payload = desk.block("Scope", ":WAV:DATA?")
    codes = np.frombuffer(payload, dtype="<u2" if form == "WORD" else "u1")
    assert len(codes) == pre[2]
    return np.arange(len(codes)) * pre[4] + pre[5], (codes - pre[9]) * pre[7] + pre[8]


@pytest.mark.parametrize("form", ["BYTE", "WORD"])
def test_the_waveform_is_what_happened(armed, form):
    """Zero before the trigger, the rail after it, the level at time zero, within 2 % of full scale."""
    supply_on(armed)
    time_s, volts = waveform(armed, form)
    truth_v = float(armed.bench.scope_voltage_v(4, np.array([armed.world.now_s]))[0])

    assert time_s[0] == pytest.approx(-1e-3)
    assert abs(volts[time_s < -1e-5]).max() < 0.25
    assert np.median(volts[time_s > 5e-3]) == pytest.approx(truth_v, abs=0.2)


def test_what_is_out_of_the_range_clips(armed):
    """Beyond the converter the codes are 1 and 255, and voltage measurements are invalid."""
    armed.tell("Scope", ":CHAN4:RANG 4;OFFS 0;:TRIG:LEV 1")
    armed.pause(0.1)
    supply_on(armed)
    armed.tell("Scope", ":WAV:SOUR CHAN4;FORM BYTE")

    assert max(armed.block("Scope", ":WAV:DATA?")) == 255
    assert armed.ask("Scope", ":MEAS:VMAX? CHAN4") == "+9.9E+37"


def test_reading_twice_gives_the_same_record(armed):
    """A stopped scope keeps its record, whatever passes."""
    supply_on(armed)
    first = waveform(armed, "WORD")
    armed.pause(50.0)
    armed.tell("DcSupply", "OUTP OFF,(@1)")

    assert np.array_equal(waveform(armed, "WORD")[1], first[1])


def test_a_record_nobody_read_for_hours_is_still_there(armed):
    """The bench forgets after a minute; the scope has sampled before that."""
    supply_on(armed)
    armed.ask("Scope", ":OPER:COND?")
    armed.pause(7200.0)
    armed.tell("Scope", ":WAV:SOUR CHAN4;FORM BYTE")

    assert armed.block("Scope", ":WAV:DATA?")[-1] > 128


def test_measurements_of_a_square_edge(armed):
    """Rise time, amplitude and extremes of the rail that switches on."""
    supply_on(armed)
    top_v = float(armed.ask("Scope", ":MEAS:VTOP? CHAN4"))

    assert top_v == pytest.approx(5.0, abs=0.25)
    assert float(armed.ask("Scope", ":MEAS:RIS? CHAN4")) < 1e-4
    assert armed.ask("Scope", ":MEAS:FREQ? CHAN4") == "+9.9E+37"


def test_digitize_holds_every_later_command_until_it_is_done(desk):
    """*OPC? after :DIG answers when the record is complete: here by the automatic trigger."""
    desk.tell("Scope", f"{SETUP};:TRIG:SWE AUTO")
    before_s = desk.world.now_s
    answer = desk.ask("Scope", ":DIG CHAN4;*OPC?")

    assert answer == "1"
    assert desk.world.now_s - before_s > 0.01
    assert desk.ask("Scope", ":CHAN1:DISP?;:CHAN4:DISP?") == "0;1"


def test_the_probe_factor_scales_range_and_answer(armed):
    """PROB 10 makes the same signal ten times as large: the wires are 1:1."""
    supply_on(armed)
    armed.tell("Scope", ":WAV:SOUR CHAN4")
    plain = armed.numbers("Scope", ":WAV:PRE?")[7]
    armed.tell("Scope", ":CHAN4:PROB 10")

    assert armed.numbers("Scope", ":WAV:PRE?")[7] == pytest.approx(10 * plain)
    assert float(armed.ask("Scope", ":CHAN4:RANG?")) == 80.0


# -- all of them ------------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_instruments():
    """Own errors and noise come from seed and serial number, not from chance."""

    def once(seed: int) -> list[str]:
        desk = Desk(seed=seed)
        desk.mains()
        return [
            desk.ask("Dmm", "MEAS:VOLT?"),
            desk.ask("AcSource", "MEAS:VOLT:ACDC?"),
            desk.ask("PowerMeter", ":NUM:VAL?"),
        ]

    assert once(1) == once(1)
    assert once(1) != once(2)
