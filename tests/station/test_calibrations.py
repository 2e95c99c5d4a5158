"""The calibrations folder: what is read from it, every mistake in it, and what a run makes of the dates."""

from __future__ import annotations

import datetime
import math
import os
import re
from pathlib import Path

import pytest

from hil.errors import Blame, SetupError
from hil.instruments.roles import Accuracy
from hil.metrology.calibration import Certificate
from hil.metrology.propagation import propagate
from hil.plans.calibration import CalibrationRules
from hil.run import calibrations as of_run
from hil.station import calibrations
from hil.station.calibration_file import check, to_toml
from hil.station.calibrations import check_calibrated
from hil.station.config import InstrumentConfig, StationsInvalid, load_stations
from hil.station.traceable import traceable

ROOT = Path(__file__).parents[2]
GOOD = """certificate = "EX-1"
laboratory = "Example"
date = 2026-03-02
due = 2027-03-02
serial = "C3UB12345E"

[[corrections.ac_voltage]]
range = "300 V"
unit = "V"
points = [
  { value = 200.0, correction = 0.4, expanded_u = 0.02 },
  { value = 260.0, correction = 0.52, expanded_u = 0.03, k = 2.0 },
]
"""


@pytest.fixture
def bench(tmp_path):
    """Write calibrations of bench-1 beside a copy of the shipped stations, and load them."""
    text = re.sub(r"(?m)^calibration = .*\n", "", (ROOT / "stations.toml").read_text(encoding="utf-8"))

    def write(stations: str = text, **files: str):
        (tmp_path / "stations.toml").write_text(stations, encoding="utf-8")
        for name, content in files.items():
            path = tmp_path / "calibrations" / name.replace("__", "/").replace("_toml", ".toml").replace("_xml", ".xml")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        return load_stations(tmp_path / "stations.toml")

    return write


def said(bench, **files: str) -> str:
    with pytest.raises(StationsInvalid) as caught:
        bench(**files)
    return str(caught.value)


def test_what_is_shipped_is_right():
    """bench-1 shows how; sim has none, for a program has none to show."""
    stations = load_stations(ROOT / "stations.toml")
    meter = stations["bench-1"].instruments["PowerMeter"].calibration

    assert meter is not None
    assert meter.source == "toml"
    assert meter.at("ac_voltage", "300 V", 230.0).k == 2.0
    assert not any(one.calibration for one in stations["sim"].instruments.values())


def test_a_file_becomes_the_calibration_of_its_role(bench):
    """Numbers, dates, where it came from, and the digest of what was read."""
    certificate = bench(**{"bench-1__PowerMeter_toml": GOOD})["bench-1"].instruments["PowerMeter"].calibration

    assert certificate.to_dict()["source"] == "toml"
    assert len(certificate.sha256) == 64
    assert certificate.at("ac_voltage", "300 V", 230.0).correction == pytest.approx(0.46)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("certificate =", "certificat =", "1: certificat: there is no such key; did you mean 'certificate'?"),
        ("2026-03-02", '"2026-03-02"', "3: date: a bare date is wanted here"),
        ("due = 2027", "due = 2025", "4: due: 2025-03-02 is not after the calibration of 2026-03-02"),
        ("C3UB12345E", "C3UB99999E", "5: serial: this is a calibration of C3UB99999E; stations.toml wants serial C3UB"),
        ("ac_voltage", "ac_voltag", "corrections.ac_voltag: yokogawa_wt310e measures no 'ac_voltag'; did you mean"),
        (
            '"300 V"',
            '"310 V"',
            "8: corrections.ac_voltage[0].range: yokogawa_wt310e has no range '310 V'; it has 15 V, 30 V",
        ),
        ('range = "300 V"\n', "", "7: corrections.ac_voltage[0].range: the range is missing"),
        ('unit = "V"', 'unit = "mV"', "9: corrections.ac_voltage[0].unit: ac_voltage is in V, not in mV; convert it"),
        ("value = 260.0", "value = 200.0", "10: corrections.ac_voltage[0].points: the points are not in rising order"),
        ("expanded_u = 0.02 ", "expanded_u = 0.0 ", "points[0].expanded_u: this must be more than 0, not 0.0"),
        ("k = 2.0", "k = 0.5", "points[1].k: this must be 1 or more, not 0.5"),
        ("correction = 0.4,", "correction = nan,", "points[0].correction: a finite number is wanted here"),
        ("points = [", "points = [[", "points"),
    ],
)
def test_each_mistake_names_file_line_and_key(old, new, says):
    """As mistakes in stations.toml do."""
    assert old in GOOD
    none, mistakes = check(GOOD.replace(old, new, 1), "PowerMeter.toml", "yokogawa_wt310e", "C3UB12345E")

    assert none is None
    assert any(says in str(one) for one in mistakes), mistakes
    assert all(str(one).startswith("PowerMeter.toml:") for one in mistakes)


def test_all_mistakes_are_told_at_once(bench):
    """Over all files: an unknown station, an unknown role, two forms of one, and one beside the inline form."""
    inline = (ROOT / "stations.toml").read_text(encoding="utf-8")
    files = {
        "bench-2__PowerMeter_toml": GOOD,
        "bench-1__PowerMetre_toml": GOOD,
        "bench-1__PowerMeter_toml": GOOD,
        "bench-1__PowerMeter_xml": "<dcc/>",
        "bench-1__Scope_toml": GOOD,
        "bench-1__Scope.pdf": "a scan",
    }
    told = said(bench, stations=inline, **files)

    assert "bench-2:1: there is no such station; did you mean 'bench-1'?" in told
    assert "the station has no 'PowerMetre'; did you mean 'PowerMeter'?" in told
    assert "PowerMeter.toml stands beside it; keep one of the two" in told
    assert "Scope.toml:1: stations.toml has a calibration of Scope too" in told


def test_what_lies_in_the_folder_cannot_keep_or_fill_the_computer(bench, tmp_path, monkeypatch):
    """A pipe, a link to nothing, a file without end, a folder that may not be read; each is one line."""
    folder = tmp_path / "calibrations" / "bench-1"
    folder.mkdir(parents=True)
    os.mkfifo(folder / "Dmm.toml")
    (folder / "Scope.toml").symlink_to("nowhere.toml")
    (folder / "AcLoad.toml").symlink_to("/dev/zero")
    (folder / "DcSupply.toml").write_text("# " + 100 * "long", encoding="utf-8")
    monkeypatch.setattr(calibrations, "MOST_BYTES", 100)
    told = said(bench)

    assert told.count("no regular file") == 3
    assert "DcSupply.toml:1: it is larger than" in told
    assert len(told.splitlines()) == 4

    def forbidden(self: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", forbidden)
    assert said(bench).endswith("calibrations:1: it cannot be read: Permission denied")


def test_a_calibration_is_not_passed_over_for_the_case_of_its_name(bench):
    """It would be missed in silence, and readings stay raw; hidden files are nobody's business."""
    files = {"bench-1__PowerMeter.TOML": GOOD, "bench-1__.PowerMeter_toml": GOOD, ".cache__x": ""}

    assert said(bench, **files).endswith("PowerMeter.TOML:1: nobody reads it; name it PowerMeter.toml")


def test_what_is_written_is_read_again():
    """The TOML form loses nothing of a certificate but where it came from."""
    first, none = check(GOOD, "f", "yokogawa_wt310e", "")
    again, none_either = check(to_toml(first, ("a note",)), "f", "yokogawa_wt310e", "")

    assert none == none_either == []
    assert (again.tables, again.certificate, again.due, again.serial) == (
        first.tables,
        first.certificate,
        first.due,
        first.serial,
    )


def test_a_calibration_of_another_instrument_is_the_set_ups_fault():
    """Unless the instrument names no serial number at all."""
    certificate, _ = check(GOOD, "f", "yokogawa_wt310e", "")
    meter = InstrumentConfig("PowerMeter", "yokogawa_wt310e", calibration=certificate)

    check_calibrated(meter, "C3UB12345E")
    check_calibrated(meter, "")
    with pytest.raises(SetupError, match="calibration EX-1 is of serial C3UB12345E, but serial C3 answers") as caught:
        check_calibrated(meter, "C3")
    assert caught.value.blame is Blame.SETUP


def test_a_traceable_reading_is_corrected_and_keeps_its_raw_value():
    """230 V gets its +0.46 V; specification and calibration are lines of their own, each shared by its range."""
    certificate, _ = check(GOOD, "f", "yokogawa_wt310e", "")
    reading = Accuracy(230.0, 0.38, "manual", "ac_voltage", "300 V", "V")
    one = traceable("PowerMeter", certificate, reading)

    assert (one.value, one.raw, one.unit) == (pytest.approx(230.46), 230.0, "V")
    assert one.corrections == (
        {
            "role": "PowerMeter",
            "quantity": "ac_voltage",
            "certificate": "EX-1",
            "raw": 230.0,
            "correction": pytest.approx(0.46),
            "u": 0.015,
            "unit": "V",
        },
    )
    specification, calibration = one.components
    assert specification.value == pytest.approx(0.38 / 3**0.5)
    assert (calibration.value, calibration.distribution) == (0.015, "normal")
    assert specification.shared == "PowerMeter ac voltage 300 V gain"
    assert calibration.shared == "PowerMeter ac voltage 300 V calibration"


def test_readings_of_opposite_signs_do_not_cancel():
    """One gain moves +10 V and -10 V apart: their difference is not exact, whatever the specification has in common."""
    readings = [Accuracy(value, 0.1, "manual", "dc_voltage", "10 V", "V") for value in (10.0, -10.0)]
    budget = propagate(lambda a, b: a - b, [traceable("Dmm", None, one) for one in readings], "V")

    assert budget.reading.u == pytest.approx(math.hypot(0.1, 0.1) / math.sqrt(3.0))


def test_without_a_calibration_of_it_a_reading_stays_raw_and_says_so():
    """No certificate, and one that does not reach so far."""
    certificate, _ = check(GOOD, "f", "yokogawa_wt310e", "")
    reading = Accuracy(100.0, 0.25, "manual", "ac_voltage", "300 V", "V")
    plain, beyond = (traceable("PowerMeter", one, reading) for one in (None, certificate))

    assert (plain.value, plain.raw, plain.corrections) == (beyond.value, beyond.raw, beyond.corrections)
    assert (plain.value, plain.raw, plain.corrections) == (100.0, None, ())
    assert [one.value for one in plain.components] == [one.value for one in beyond.components]
    assert "calibration EX-1: calibrated from 200 to 260 V only" in beyond.components[0].name


@pytest.mark.parametrize(
    ("stage", "today", "refused"),
    [
        ("type", (2027, 3, 2), ""),
        ("type", (2027, 3, 3), r"calibration EX-1 of PowerMeter was due on 2027-03-02, 1 days ago"),
        ("production", (2027, 3, 3), ""),
        ("release", (2027, 3, 3), ""),
    ],
)
def test_an_overdue_calibration_is_refused_in_type_and_marked_elsewhere(bench, stage, today, refused):
    """The plan decides; the line names instrument, certificate and due date. What the record says is on every stage."""
    stations = bench(**{"sim__PowerMeter_toml": GOOD})
    rules, day = CalibrationRules(), datetime.date(*today)
    if refused:
        with pytest.raises(of_run.NotTraceable, match=refused) as caught:
            of_run.check(stations["sim"], rules, stage, day)
        assert caught.value.blame is Blame.SETUP
    else:
        of_run.check(stations["sim"], rules, stage, day)
    on_record = of_run.on_record(stations["sim"].instruments["PowerMeter"].calibration, rules, day)
    late = day > datetime.date(2027, 3, 2)
    assert (on_record["status"], on_record["days_left"]) == (("overdue", -1) if late else ("due soon", 0))
    assert len(list(of_run.troubles(stations["sim"], rules, day))) == 1


def test_a_calibration_longer_than_the_makers_accuracy_is_remarked(bench):
    """The laboratory says two years, the manual twelve months: the budgets rest on the manual."""
    stations = bench(**{"sim__PowerMeter_toml": GOOD.replace("due = 2027", "due = 2028")})

    def told(*day: int):
        return [what for _, what in of_run.troubles(stations["sim"], CalibrationRules(), datetime.date(*day))]

    assert told(2027, 3, 2) == []
    assert len(told(2027, 3, 3)) == 1
    assert "the maker states no accuracy for so long: that of 2027-03-02 is in the budgets" in told(2027, 3, 3)[0]


@pytest.mark.parametrize("stage", ["production", "release", "type"])
def test_a_calibration_from_the_future_is_refused_at_every_stage(bench, stage):
    """A clock that was set back makes every calibration hold for ever."""
    stations = bench(**{"sim__PowerMeter_toml": GOOD})

    of_run.check(stations["sim"], CalibrationRules(), stage, datetime.date(2026, 3, 2))
    with pytest.raises(of_run.NotTraceable, match="2026-03-01, before the calibration EX-1 of PowerMeter, 2026-03-02"):
        of_run.check(stations["sim"], CalibrationRules(), stage, datetime.date(2026, 3, 1))


def test_a_bench_without_calibrations_is_refused_in_type_with_every_instrument(bench):
    """Those that measure; the launched station is a simulation, and says so instead."""
    stations, day = bench(), datetime.date(2026, 6, 1)
    with pytest.raises(of_run.NotTraceable) as caught:
        of_run.check(stations["bench-1"], CalibrationRules(), "type", day)
    told = str(caught.value)

    assert all(f"{role} has no calibration" in told for role in ("PowerMeter", "Scope", "Dmm", "DcSupply"))
    assert "Switch" not in told
    of_run.check(stations["bench-1"], CalibrationRules(), "production", day)
    of_run.check(stations["sim"], CalibrationRules(), "type", day)


def test_a_plan_may_decide_otherwise():
    """A stage it does not name keeps the answer it has by default."""
    rules = CalibrationRules.of({"overdue": {"production": "refuse"}, "warn_days": 60})

    assert rules.overdue == {"production": "refuse", "release": "mark", "type": "refuse"}
    assert rules.missing["type"] == "refuse"
    assert rules.warn_days == 60


def test_no_calibration_is_none_on_record():
    """As journals before them had it."""
    assert of_run.on_record(None, CalibrationRules(), datetime.date(2026, 1, 1)) is None
    inline = Certificate("C", "L", datetime.date(2026, 1, 1), datetime.date(2027, 1, 1))
    assert of_run.on_record(inline, CalibrationRules(), datetime.date(2026, 1, 1))["source"] == "stations.toml"
