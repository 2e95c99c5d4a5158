"""stations.toml: what is shipped is right, and every mistake is reported, each with its line."""

from __future__ import annotations

import datetime
import pickle
from pathlib import Path

import pytest

from hil.errors import Blame, SetupError
from hil.instruments import roles
from hil.station.config import StationsInvalid, load_stations, pick_station
from hil.station.drivers import read_drivers, read_roles
from hil.station.stations_file import OPTIONAL_ROLES, REQUIRED_ROLES

SIM_SOURCE = "stations.sim.instruments.AcSource.driver"
BENCH = "stations.bench-1.instruments"
HV = 'stations.sim.probes."scope2.hv"'
SHIPPED = Path(__file__).parents[2] / "stations.toml"


def mistakes(tmp_path: Path, *changes: tuple[str, str]) -> list[str]:
    """Return what is said of the shipped file after some changes, without the folder's name."""
    text = SHIPPED.read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "stations.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StationsInvalid) as caught:
        load_stations(path)
    return [line.removeprefix(f"{tmp_path}/") for line in str(caught.value).splitlines()]


def line_of(text: str) -> int:
    """Return the line of the shipped file on which a text first stands."""
    return SHIPPED.read_text(encoding="utf-8").partition(text)[0].count("\n") + 1


def test_the_shipped_stations_are_right():
    """`sim` is launched and `bench-1` is real, for the same roles and the same points of the board."""
    stations = load_stations(SHIPPED)
    sim, bench = stations["sim"], stations["bench-1"]

    assert (sim.launch, bench.launch) == ("hil.sim", "")
    assert tuple(sim.instruments) == tuple(bench.instruments) == REQUIRED_ROLES + OPTIONAL_ROLES
    assert dict(sim.wiring) == dict(bench.wiring)
    assert dict(sim.probes) == dict(bench.probes)
    assert not any(one.resource for one in sim.instruments.values())
    assert bench.safe_state[0] == "AcSource"


def test_the_relay_box_opens_behind_the_hipot_tester(tmp_path: Path):
    """The other way round the source and the probes would meet what the tester has charged."""
    changes = ('"Switch", "Fixture"]', '"Fixture"]'), ('"AcLoad", "Hi', '"AcLoad", "Switch", "Hi')

    (said,) = mistakes(tmp_path, *changes)
    assert "stations.sim.safe_state[2]: Switch comes before HipotTester; put it behind 'HipotTester'" in said


def test_a_calibration_arrives_as_dates():
    """Dates are dates in the configuration, and ISO 8601 in the journal."""
    calibration = load_stations(SHIPPED)["bench-1"].instruments["Dmm"].calibration

    assert calibration is not None
    assert calibration.due == datetime.date(2027, 3, 2)
    assert calibration.to_dict()["date"] == "2026-03-02"
    assert calibration.overdue(datetime.date(2027, 3, 3))
    assert not calibration.overdue(datetime.date(2027, 3, 2))


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        ("slots = 1", "slots = x1", "stations.sim.slots", "this is no value"),
        ('launch = "hil.sim"  #', 'launch = "hil.sim  #', "stations.sim.launch", "the string is not closed"),
        ("slots = 1", "slotz = 1", "stations.sim.slotz", "did you mean 'slots'?"),
        ("slots = 1", 'slots = "1"', "stations.sim.slots", "a whole number is wanted here, not '1'"),
        ("slots = 1", "slots = 0", "stations.sim.slots", "this must be 1 or more, not 0"),
        ("slots = 1", "slots = true", "stations.sim.slots", "a whole number is wanted here"),
        ('["spi",', '["spj",', "stations.sim.isolators[0]", "did you mean 'spi'?"),
        ('"uart", "scope"', '"uart", "uart"', "stations.sim.isolators[2]", "stands here twice"),
        ('"Switch", "Fixture"]', '"Switch"]', "stations.sim.safe_state", "Fixture is not in it"),
        ('safe_state = ["AcSource"', 'safe_state = ["AcSourc"', "stations.sim.safe_state[0]", "mean 'AcSource'?"),
        ('"chroma_61500"', '"chroma_6150"', SIM_SOURCE, "did you mean 'chroma_61500'?"),
        ('"chroma_61500"', '"keysight_dsox"', SIM_SOURCE, "for Scope, not for AcSource"),
        (
            '{ driver = "keysight_dsox" }',
            '{ driver = "keysight_dsox", resource = "TCPIP::192.0.2.1::inst0::INSTR" }',
            "stations.sim.instruments.Scope.resource",
            "remove this key",
        ),
        ("192.0.2.16::hislip0", "192.0.2.15::HISLIP0", BENCH + ".Dmm.resource", "DcSupply has this"),
        ("TCPIP::192.0.2.16", "TCPIP0::192.0.2.15", BENCH + ".Dmm.resource", "DcSupply has this"),
        ('"TCPIP::192.0.2.16::hislip0::INSTR"', '"dmm"', BENCH + ".Dmm.resource", "no VISA resource"),
        ("4232h:HILFIX01", "4232h/1", BENCH + ".Fixture.resource", "by its serial"),
        ("due = 2027-03-02", "due = 2025-03-02", BENCH + ".Dmm.calibration.due", "not after"),
        ("date = 2026-03-02", 'date = "x"', BENCH + ".Dmm.calibration.date", "a bare date"),
        ("date = 2026-03-02", "date = 2026-02-30", BENCH + ".Dmm.calibration", "invalid date"),
        ('"dmm.rail_3v3" = 206', '"dmm.rail_3v3" = 205', 'stations.sim.wiring."dmm.rail_3v3"', "'dmm.rail_5v' already"),
        ('"dmm.rail_3v3" = 206', '"dmm.rail_3v3" = 2.5', 'stations.sim.wiring."dmm.rail_3v3"', "a whole number"),
        ('"SurgeGenerator", "DcSupply"', '"DcSupply"', "stations.sim.safe_state", "SurgeGenerator is not in it"),
        (":161/1?write=private", ":161", BENCH + ".LinkPartner.resource", "names no port of a switch"),
        ('"ASRL/dev/ttyUSB0::INSTR"', '"operator://a/b"', BENCH + ".SurgeGenerator.resource", "names no operator"),
        ('"http://192.0.2.51"', '"192.0.2.51"', "stations.bench-1.unit_ethernet", "as in http://192.0.2.51"),
        ('"192.0.2.51:7"', '"http://192.0.2.51"', "stations.bench-1.unit_echo", "as in 192.0.2.51:7"),
        ("unit_echo =", "unit_ecko =", "stations.bench-1.unit_ecko", "did you mean 'unit_echo'?"),
        ("slots = 1", 'unit_echo = "192.0.2.51:7"\nslots = 1', "stations.sim.unit_echo", "remove this key"),
        ('"scope2.hv" = {', '"scope2.hw" = {', 'stations.sim.probes."scope2.hw"', "did you mean 'scope2.hv'?"),
        ('unit = "V"', 'unit = "kV"', HV + ".unit", "did you mean 'V'?"),
        ("factor = 500.0", "factor = 0.0", HV + ".factor", "this must not be 0"),
        ("factor = 500.0", 'factor = "500"', HV + ".factor", "a number is wanted here, not '500'"),
        ("factor = 500.0", "factor = inf", HV + ".factor", "a finite number is wanted here"),
        ("factor = 500.0", "faktor = 500.0", HV + ".faktor", "did you mean 'factor'?"),
        ("bandwidth_hz = 25e6", "bandwidth_hz = -1", HV + ".bandwidth_hz", "this must be more than 0, not -1"),
        ("accuracy = 0.02", "accuracy = 2", HV + ".accuracy", "this must be less than 1, not 2"),
        ('launch = "hil.sim"', 'launch = "hil.simm"', "stations.sim.launch", "did you mean 'hil.sim'?"),
    ],
)
def test_one_mistake_is_one_line_that_names_it(tmp_path: Path, old: str, new: str, key: str, says: str):
    """A mistake is reported once, with file, line, key path and what to do."""
    (said,) = mistakes(tmp_path, (old, new))

    assert said.startswith(f"stations.toml:{line_of(old)}: {key}: ")
    assert says in said


def test_a_missing_role_is_named(tmp_path: Path):
    """A station without one of the roles is reported at the table where it should stand."""
    (said,) = mistakes(tmp_path, ('Dmm = { driver = "keysight_34465a" }\n', ""))

    assert said.startswith(f"stations.toml:{line_of('[stations.sim.instruments]')}: stations.sim.instruments.Dmm: ")
    assert "the role Dmm is missing" in said


def test_a_station_may_have_no_surge_generator(tmp_path: Path):
    """Nor a resistor, nor a link partner: what needs them is not covered, which the certificate says."""
    text = SHIPPED.read_text(encoding="utf-8")
    for role, driver in (("ProgrammableResistor", "meatest_m632"), ("SurgeGenerator", "emc_partner_tra3000")):
        text = text.replace(f'{role} = {{ driver = "{driver}" }}\n', "").replace(f'"{role}", ', "", 1)
    path = tmp_path / "stations.toml"
    path.write_text(text, encoding="utf-8")
    sim = load_stations(path)["sim"]

    assert "SurgeGenerator" not in sim.instruments
    assert "SurgeGenerator" not in sim.safe_state


def test_a_misspelt_role_is_one_mistake(tmp_path: Path):
    """The closest role is offered, and not reported missing as well."""
    (said,) = mistakes(tmp_path, ("Dmm = {", "Dnm = {"))

    assert "there is no such role; did you mean 'Dmm'?" in said


def test_a_real_instrument_needs_an_address(tmp_path: Path):
    """Without launch, each instrument says where it is."""
    (said,) = mistakes(tmp_path, ('resource = "TCPIP::192.0.2.17::hislip0::INSTR"\n', ""))

    assert said.startswith(f"stations.toml:{line_of('[stations.bench-1.instruments.Switch]')}: ")
    assert "this key is missing" in said


def test_every_mistake_is_reported_in_one_go(tmp_path: Path):
    """Syntax, unknown key, wrong type, unknown driver, a shared address and a missing role: all at once, by line."""
    said = mistakes(
        tmp_path,
        ("slots = 1", "slots = one"),
        ('Dmm = { driver = "keysight_34465a" }\n', ""),
        ('{ driver = "keysight_dsox" }', '{ driver = "keysight_dsox", color = "red" }'),
        ('"dmm.rail_5v" = 205', '"dmm.rail_5v" = "205"'),
        ('driver = "itech_it8615"\nresource', 'driver = "itech_it8651"\nresource'),
        ("TCPIP::192.0.2.16", "TCPIP::192.0.2.14"),
        ("[stations.bench-1.instruments.Fixture]", "[stations.bench-1.instruments.Fixture"),
    )
    lines = [int(line.split(":")[1]) for line in said]

    assert lines == sorted(lines)
    assert len(said) == 7


def test_a_file_of_another_kind_is_reported_too(tmp_path: Path):
    """No station at all, a top-level stranger, and a value where a table belongs."""
    path = tmp_path / "stations.toml"
    for text, says in (
        ("", "stations.toml:1: stations: this key is missing"),
        ("stations = 3", "stations.toml:1: stations: a table is wanted here, not 3"),
        ("[stations]", "stations.toml:1: stations: at least one is needed"),
        ("[stations.x]\ninstruments = 3", "stations.toml:2: stations.x.instruments: a table is wanted here"),
        ("[station.x]", "stations.toml:1: station: there is no such key; did you mean 'stations'?"),
        ("[stations.x]\nsafe_state = 'AcSource'", "stations.toml:2: stations.x.safe_state: a list in square brackets"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(StationsInvalid) as caught:
            load_stations(path)
        assert says in str(caught.value)


def test_text_that_is_no_text_has_a_line_too(tmp_path: Path):
    """A file in another encoding says where."""
    path = tmp_path / "stations.toml"
    path.write_bytes(b"# \xc3\xa9\n# \xe9\n")
    with pytest.raises(StationsInvalid, match=r"stations\.toml:2: this is not UTF-8"):
        load_stations(path)


def test_a_missing_file_blames_the_setup(tmp_path: Path):
    """No such file: one sentence, exit code 4."""
    with pytest.raises(SetupError, match="cannot be read") as caught:
        load_stations(tmp_path / "nowhere.toml")

    assert caught.value.blame is Blame.SETUP


def test_the_error_survives_pickling(tmp_path: Path):
    """As all errors of hil do."""
    path = tmp_path / "stations.toml"
    path.write_text("x = y", encoding="utf-8")
    with pytest.raises(StationsInvalid) as caught:
        load_stations(path)
    copy = pickle.loads(pickle.dumps(caught.value))

    assert str(copy) == str(caught.value)
    assert copy.mistakes == caught.value.mistakes


def test_the_default_file_is_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Elsewhere than in the checkout, the checkout's own stations are meant; a local file comes first."""
    monkeypatch.chdir(tmp_path)
    assert "sim" in load_stations()

    (tmp_path / "stations.toml").write_text("x = 1", encoding="utf-8")
    with pytest.raises(StationsInvalid):
        load_stations()


def test_an_unknown_station_names_the_closest():
    """`smi` is answered with `sim`."""
    with pytest.raises(SetupError, match="did you mean 'sim'"):
        pick_station(load_stations(SHIPPED), "smi")


def test_roles_and_drivers_are_told_from_the_source():
    """What the source says is what the modules have when imported."""
    import importlib

    for name, role in read_drivers().items():
        driver = importlib.import_module(f"hil.instruments.{name}").DRIVER
        assert role == driver.ROLE
    assert set(REQUIRED_ROLES) <= read_roles() <= set(vars(roles))
    assert set(read_drivers().values()) == set(REQUIRED_ROLES + OPTIONAL_ROLES)


def test_a_driver_that_is_not_python_is_named(tmp_path: Path):
    """A half-written driver is an error with its line, not a driver that vanished."""
    (tmp_path / "acme.py").write_text("x = 1\nclass (", encoding="utf-8")
    with pytest.raises(SetupError, match=r"acme\.py:2"):
        read_drivers(tmp_path)
