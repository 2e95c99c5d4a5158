"""AC source, power analyser and AC load: what their manuals say, on one circuit."""

from __future__ import annotations

import math
import struct

import pytest
from desk import Desk

# -- Chroma 61502 -----------------------------------------------------------------------------------------------------


def test_vendor_and_model_share_a_field(desk):
    """The identification has four fields after `Chroma ATE 61502`, not before it."""
    assert desk.ask("AcSource", "*IDN?").split(",")[0] == "Chroma ATE 61502"


def test_the_level_does_not_fit_the_low_range(desk):
    """230 V alone is out of range and leaves the old level; with the range in one message it is taken."""
    alone = desk.ask("AcSource", "VOLT:AC 230;:SYST:ERR?")
    level_v = desk.ask("AcSource", "VOLT:AC?")
    together = desk.ask("AcSource", "VOLT:RANG HIGH;:VOLT:AC 230;:SYST:ERR?")

    assert (alone, level_v, together) == ('-222,"Data out of range"', "0.0", '0,"No error"')


def test_the_order_of_range_and_level_does_not_matter_in_one_message(desk):
    """They are judged together at the end of the message."""
    assert desk.ask("AcSource", "VOLT:AC 230;:VOLT:RANG HIGH;:SYST:ERR?;:VOLT:AC?").endswith("230.0")


def test_the_range_cannot_fall_below_the_level(desk):
    """Back to the low range at 230 V is out of range, and the range stays."""
    desk.tell("AcSource", "VOLT:RANG HIGH;:VOLT:AC 230")

    assert desk.ask("AcSource", "VOLT:RANG LOW;:SYST:ERR?;:VOLT:RANG?") == '-222,"Data out of range";HIGH'


def test_a_level_above_the_limit_is_refused(desk):
    """VOLT:LIM:AC holds for later levels."""
    desk.tell("AcSource", "VOLT:RANG HIGH;:VOLT:LIM:AC 200")

    assert desk.ask("AcSource", "VOLT:RANG HIGH;:VOLT:AC 230;:SYST:ERR?").startswith("-222")


def test_reset_takes_seven_seconds_and_opens_the_output(desk):
    """*RST needs 7 s of bench time (61500)."""
    desk.mains()
    before_s = desk.world.now_s
    desk.silent("AcSource", "*RST")

    assert desk.world.now_s - before_s == pytest.approx(7.0)
    assert (desk.bench.ac.on, desk.ask("AcSource", "OUTP?")) == (False, "0")


def test_it_has_no_operation_complete(desk):
    """The manual's command list has no *OPC."""
    assert desk.ask("AcSource", "*OPC?;:SYST:ERR?") == '-113,"Undefined header"'


def test_fetch_is_old_and_measure_is_new(desk):
    """FETCh answers the last buffer at once; MEASure waits for the next one."""
    desk.tell("AcSource", "VOLT:RANG HIGH;:VOLT:AC 230;:FREQ 50;:OUTP ON")
    before_s = desk.world.now_s
    fetched = float(desk.ask("AcSource", "FETC:VOLT:ACDC?"))
    fetched_s = desk.world.now_s
    measured = float(desk.ask("AcSource", "MEAS:VOLT:ACDC?"))

    assert (fetched < 1.0, fetched_s == before_s) == (True, True)
    assert measured > 100.0


def test_the_source_measures_what_it_gives(desk):
    """Voltage, current and power agree with the circuit within the specification."""
    desk.mains()
    desk.load(2.0)
    truth = desk.bench.ac_window("source", desk.world.now_s - 0.25, desk.world.now_s)

    assert float(desk.ask("AcSource", "MEAS:VOLT:ACDC?")) == pytest.approx(truth.u_rms_v, rel=0.005)
    assert float(desk.ask("AcSource", "MEAS:CURR:AC?")) == pytest.approx(truth.i_rms_a, abs=0.02)
    assert float(desk.ask("AcSource", "FETC:POW:AC:REAL?")) == pytest.approx(truth.p_w, abs=5.0)
    assert float(desk.ask("AcSource", "FETC:FREQ?")) == pytest.approx(50.0, abs=0.075)


def test_over_current_opens_the_output_and_says_so(desk):
    """A current above CURR:LIM for CURR:DEL trips; it must be cleared before the output closes again."""
    desk.tell("AcSource", "CURR:LIM 1;:CURR:DEL 0.2")
    desk.mains()
    desk.load(2.0)
    desk.pause(2.0)

    assert (desk.ask("AcSource", "OUTP?"), desk.bench.ac.on) == ("0", False)
    assert desk.ask("AcSource", "STAT:QUES:COND?") != "0"
    assert desk.ask("AcSource", "OUTP ON;:SYST:ERR?").startswith("-221")
    assert desk.ask("AcSource", "OUTP:PROT:CLE;:OUTP ON;:SYST:ERR?") == '0,"No error"'


# -- Yokogawa WT310E --------------------------------------------------------------------------------------------------

ITEMS = (
    ":NUM:NORM:NUM 9;ITEM1 U,1;ITEM2 I,1;ITEM3 P,1;ITEM4 S,1;ITEM5 Q,1;ITEM6 LAMB,1;ITEM7 FU,1;ITEM8 WH,1;ITEM9 TIME,1"
)


@pytest.fixture
def meter(desk) -> Desk:
    desk.mains()
    desk.load(2.0, 0.5)
    desk.tell("PowerMeter", f":COMM:HEAD OFF;:COMM:VERB OFF;{ITEMS}")
    desk.tell("PowerMeter", ":INP:VOLT:RANG 300;:INP:CURR:RANG 5;:STAT:FILT1 FALL")
    return desk


def fresh(desk: Desk, updates: int = 1) -> list[float]:
    for _ in range(updates):
        desk.ask("PowerMeter", ":STAT:EESR?")
        desk.tell("PowerMeter", ":COMM:WAIT 1")
    return desk.numbers("PowerMeter", ":NUM:NORM:VAL?")


def test_the_reference_agrees_with_the_circuit_within_its_specification(meter):
    """0.1 % of reading and 0.05 % of range, at power factor 0.5."""
    values = fresh(meter, 2)
    truth = meter.bench.ac_window("reference", meter.world.now_s - 0.25, meter.world.now_s)

    assert values[0] == pytest.approx(truth.u_rms_v, abs=0.001 * truth.u_rms_v + 0.15)
    assert values[1] == pytest.approx(truth.i_rms_a, abs=0.001 * truth.i_rms_a + 0.0025)
    assert values[2] == pytest.approx(truth.p_w, abs=0.001 * truth.s_va + 0.75)
    assert values[3] == pytest.approx(values[0] * values[1], rel=1e-4)
    assert values[4] == pytest.approx(math.sqrt(values[3] ** 2 - values[2] ** 2), rel=1e-3)
    assert values[5] == pytest.approx(values[2] / values[3], rel=1e-4)
    assert values[6] == pytest.approx(50.0, abs=0.05)


def test_values_change_only_with_an_update(meter):
    """Between two updates the same numbers come again; after one, new ones."""
    first = fresh(meter)
    meter.pause(0.1)
    again = meter.numbers("PowerMeter", ":NUM:NORM:VAL?")
    later = fresh(meter)

    assert again[:3] == first[:3]
    assert later[:3] != first[:3]


def test_the_update_bit_rises_with_the_update_and_falls_with_the_reading(meter):
    """:STAT:EESR? bit 0, once the transition filter of bit 1 is FALL."""
    meter.ask("PowerMeter", ":STAT:EESR?")
    early = meter.ask("PowerMeter", ":STAT:EESR?")
    meter.pause(0.25)

    assert (early, meter.ask("PowerMeter", ":STAT:EESR?"), meter.ask("PowerMeter", ":STAT:EESR?")) == ("0", "1", "0")


def test_a_window_before_the_change_is_not_a_window_after_it(meter):
    """The first update after a change of current still contains the old one: a fresh value needs two."""
    fresh(meter)
    meter.pause(0.05)
    meter.tell("AcLoad", "CURR 1")
    straddling, clean = fresh(meter)[1], fresh(meter)[1]

    assert straddling > 1.05
    assert clean == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(("range_a", "expected"), [("2", "2.0"), ("1", "INF")])
def test_a_current_above_140_per_cent_of_range_is_infinite(meter, range_a, expected):
    """Over-range is the text INF, for current, power and all that follows from them; the voltage stays."""
    meter.tell("PowerMeter", f":INP:CURR:RANG {range_a}")
    fresh(meter, 2)
    texts = meter.ask("PowerMeter", ":NUM:NORM:VAL?").split(",")

    assert (texts[1] == "INF") == (expected == "INF")
    assert (texts[2] == "INF", texts[0] == "INF") == (expected == "INF", False)
    assert meter.ask("PowerMeter", ":INP:CRAN?") == str(int(expected == "INF"))


def test_automatic_ranging_follows_the_current(meter):
    """From the 20 A range it comes down to 2 A, one update a step."""
    meter.tell("PowerMeter", ":INP:CURR:RANG 20;:INP:CURR:AUTO ON")
    fresh(meter, 6)

    assert float(meter.ask("PowerMeter", ":INP:CURR:RANG?")) == 5.0


def test_an_item_that_is_none_has_no_data(meter):
    """NONE and an integration that never began answer NAN."""
    meter.tell("PowerMeter", ":NUM:NORM:ITEM3 NONE")

    assert meter.ask("PowerMeter", ":NUM:NORM:VAL? 3;VAL? 8") == "NAN;NAN"


def test_watt_hours_are_exact_over_a_long_window(meter):
    """One hour of integration agrees with the circuit's own energy within the gain error, and takes no real time."""
    meter.tell("PowerMeter", ":INTEG:MODE NORM;TIM 1,0,0;STAR")
    start_s = meter.world.now_s
    running = meter.ask("PowerMeter", ":INTEG:STAT?")
    meter.pause(3600.5)
    values = fresh(meter)
    used_ws = meter.bench.ac_energy_ws("reference", start_s + 3600.0) - meter.bench.ac_energy_ws("reference", start_s)

    assert (running, meter.ask("PowerMeter", ":INTEG:STAT?")) == ("STAR", "TIM")
    assert values[8] == 3600.0
    assert values[7] == pytest.approx(used_ws / 3600.0, rel=0.003)


def test_integration_refuses_what_the_manual_forbids(meter):
    """Start twice 842, stop when stopped 844, reset while running 845, a range while running 813."""
    meter.tell("PowerMeter", ":INTEG:RES;STAR")
    errors = [
        meter.ask("PowerMeter", f"{message};:STAT:ERR?").split(",")[0]
        for message in (":INTEG:STAR", ":INTEG:RES", ":INP:CURR:RANG 1", ":INTEG:STOP", ":INTEG:STOP")
    ]

    assert errors == ["842", "845", "813", "0", "844"]


def test_headers_and_words_in_full_are_on_until_they_are_switched_off(desk):
    """A query of a setting answers with its header; values never do."""
    assert desk.ask("PowerMeter", ":RATE?") == ":RATE 250.0E-03"
    assert desk.ask("PowerMeter", ":NUM:NORM:ITEM6?") == ":NUMERIC:NORMAL:ITEM6 LAMBDA,1"
    assert desk.ask("PowerMeter", ":COMM:VERB OFF;:NUM:NORM:ITEM6?") == ":NUM:NORM:ITEM6 LAMB,1"
    assert desk.ask("PowerMeter", ":COMM:HEAD OFF;:NUM:NORM:ITEM6?") == "LAMB,1"
    assert desk.ask("PowerMeter", ":SYST:ERR?;:STAT:ERR?") == '113,"Undefined header"'


def test_binary_values_are_the_texts(meter):
    """FLOat answers big-endian single precision in a block, with the not-a-number and infinity of IEEE 754."""
    fresh(meter)
    texts = meter.numbers("PowerMeter", ":NUM:NORM:VAL?")
    floats = struct.unpack(">9f", meter.block("PowerMeter", ":NUM:FORM FLO;:NUM:NORM:VAL?"))

    assert floats[:3] == pytest.approx(texts[:3], rel=1e-4)
    assert math.isnan(floats[7])


def test_a_small_current_is_measured_in_a_small_range(desk):
    """4 mA in the 5 mA range is a value; in the 5 A range it is shown as zero."""
    desk.mains()
    desk.load(0.004)
    desk.tell("PowerMeter", f":COMM:HEAD OFF;{ITEMS};:INP:VOLT:RANG 300;:INP:CURR:RANG 0.01;:STAT:FILT1 FALL")
    fine = fresh(desk, 2)[1]
    desk.tell("PowerMeter", ":INP:CURR:RANG 5")
    coarse = fresh(desk, 2)[1]

    assert fine == pytest.approx(desk.bench.ac_window("reference", 0.0, desk.world.now_s).i_rms_a, abs=0.004)
    assert (fine > 1e-3, coarse) == (True, 0.0)


# -- ITECH IT8615 -----------------------------------------------------------------------------------------------------


def test_settings_need_remote_mode(desk):
    """Questions are answered in local mode, settings are refused until SYST:REM."""
    assert desk.ask("AcLoad", "CURR 1;:SYST:ERR?") == '-203,"Command protected"'
    assert desk.ask("AcLoad", "SYST:REM;:CURR 1;:SYST:ERR?;:CURR?") == '0,"No error";1.0000'


def test_everything_ends_with_a_comma(desk):
    """MEAS? answers 19 values, each followed by a comma."""
    desk.mains()
    desk.load(1.0)
    answer = desk.ask("AcLoad", "MEAS?")

    assert answer.endswith(",")
    assert answer.count(",") == 19
    assert float(answer.split(",")[1]) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(("power_factor", "sign"), [(0.5, 1.0), (-0.8, -1.0), (1.0, 0.0)])
def test_the_load_draws_at_the_power_factor_it_is_set_to(desk, power_factor, sign):
    """Positive lags (inductive), negative leads (capacitive)."""
    desk.mains()
    desk.load(2.0, power_factor)
    truth = desk.bench.ac_window("load", desk.world.now_s - 0.2, desk.world.now_s)

    assert truth.i_rms_a == pytest.approx(2.0, abs=0.01)
    assert abs(truth.power_factor) == pytest.approx(abs(power_factor), abs=0.01)
    assert sign == 0.0 or math.copysign(1.0, truth.q_var) == sign
    assert float(desk.ask("AcLoad", "MEAS:POW:PFAC?")) == pytest.approx(truth.power_factor, abs=0.01)


def test_input_off_is_open_at_once(desk):
    """INP OFF leaves no current behind."""
    desk.mains()
    desk.load(2.0)
    desk.tell("AcLoad", "INP OFF")
    desk.pause(0.3)

    assert float(desk.ask("AcLoad", "MEAS:CURR:RMS?")) < 0.02
    assert desk.ask("AcLoad", "INP:STAT?") == "0"
