"""The thermal chamber's driver against what an F4T says by its manuals, over real Modbus TCP."""

import json
import socket
import struct
import threading
from pathlib import Path

import pytest

from hil.clock import WaitTimeout
from hil.errors import BadAnswer, InstrumentRefused, NoReading, OutOfRange, SetupError, WrongInstrument
from hil.instruments.roles import Identity
from hil.instruments.watlow_f4t import DRIVER

PATH = Path(__file__).parent / "transcripts" / "watlow_f4t.jsonl"


class Replay:
    """A Modbus server that expects the requests of one scene, in order, and gives the answers of the transcript."""

    def __init__(self, scene):
        lines = [json.loads(line) for line in PATH.read_text().splitlines()]
        assert "source" in lines[0]
        self.left = [line for line in lines[1:] if line["scene"] == scene]
        assert self.left, scene
        self.wrong = ""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        connection, _ = self._listener.accept()
        with connection, connection.makefile("rb") as requests:
            while header := requests.read(6):
                transaction, _, length = struct.unpack(">HHH", header)
                sent = requests.read(length).hex()
                expected = self.left.pop(0) if self.left else {"sent": "nothing", "answered": "018304"}
                if sent != expected["sent"]:
                    self.wrong = f"{sent} instead of {expected['sent']}"
                answer = bytes.fromhex(expected["answered"])
                connection.sendall(struct.pack(">HHH", transaction, 0, len(answer)) + answer)

    def close(self):
        self._listener.close()
        self._thread.join(2.0)


@pytest.fixture
def chamber(clock):
    """Return a function (scene, options) -> driver; at the end the whole scene must have been asked, and no more."""
    opened = []

    def take(scene, options=""):
        replay = Replay(scene)
        driver = DRIVER.open(f"modbus://127.0.0.1:{replay.port}/1{options}", clock)
        opened.append((driver, replay))
        return driver

    yield take
    for driver, replay in opened:
        driver.close()
        replay.close()
        assert not replay.wrong
        assert not replay.left


def test_it_says_who_it_is(chamber):
    """Part number one character a register; serial number and software of 32 bits, low word first."""
    assert chamber("identify").identify() == Identity("Watlow", "F4T1L1EAA6D1AAA", "1234567", "4.7.12")


@pytest.mark.parametrize(("scene", "got"), [("another model", "F4SH"), ("no part number", "illegal data address")])
def test_another_controller_is_refused(chamber, scene, got):
    """By its part number, or because it has none there."""
    with pytest.raises(WrongInstrument, match=got):
        chamber(scene).identify()


@pytest.mark.parametrize(("scene", "options"), [("set 40 C", ""), ("set 40 C in Fahrenheit, loop 2", "?loop=2")])
def test_a_temperature_is_set_and_read_back(chamber, scene, options):
    """In the units that the controller has on this wire, in the loop of the resource."""
    chamber(scene, options).set_temperature(40.0)


def test_beyond_the_controllers_limits_nothing_is_sent(chamber):
    """The limits are read from the instrument."""
    with pytest.raises(OutOfRange, match=r"90 is outside -40 \.\. 85"):
        chamber("beyond the limits").set_temperature(90.0)


@pytest.mark.parametrize(
    ("scene", "error", "says"),
    [
        ("a profile runs", InstrumentRefused, "a profile runs"),
        ("not taken", InstrumentRefused, "read back as 25 C"),
        ("unknown units", BadAnswer, "neither C"),
    ],
)
def test_a_temperature_that_would_not_be_reached_is_an_error(chamber, scene, error, says):
    """A running profile would change it; what reads back as another value was not taken; no units, no number."""
    with pytest.raises(error, match=says):
        chamber(scene).set_temperature(40.0)


def test_on_switches_the_power_event_and_the_loop(chamber):
    """The event output first, where the chamber's maker uses one as its power switch."""
    chamber("on with a power event", "?event=1").on()


def test_off_switches_heating_and_cooling_off(chamber):
    """And reads back that it is so."""
    chamber("off").off()


def test_off_ends_a_profile_first(chamber):
    """A profile would switch the loop on again."""
    chamber("off while a profile runs", "?event=1").off()


def test_off_switches_the_outputs_off_even_where_the_profile_does_not_end(chamber):
    """Nor the loop: the event output is still tried. The chamber is not left hot without a word."""
    with pytest.raises(InstrumentRefused, match="server device failure"):
        chamber("off refused", "?event=1").off()


def test_off_that_does_not_happen_is_an_error(chamber, clock):
    """After two seconds of bench time."""
    with pytest.raises(InstrumentRefused, match="not so after 2 s"):
        chamber("it stays on").off()

    assert clock.now_s() == pytest.approx(2.0, abs=0.15)


def test_a_refusal_names_what_was_refused(chamber):
    """The exception code in words."""
    with pytest.raises(InstrumentRefused, match=r"write 62 to register 2730.*illegal data value"):
        chamber("refused").off()


def test_the_airs_temperature(chamber):
    """With the bounds of the chamber's own sensor."""
    measured = chamber("the air").measure_temperature_c()

    assert (measured.value, measured.unit) == (22.75, "degC")
    assert "[A]" in measured.source


def test_a_sensor_that_is_broken_gives_no_temperature(chamber):
    """Not a number is no reading."""
    with pytest.raises(NoReading, match="not a finite number"):
        chamber("no sensor").measure_temperature_c()


def test_it_has_settled_after_a_whole_soak_within_tolerance(chamber):
    """An excursion begins the soak anew: within half a kelvin from 60 s on, for 60 s."""
    assert chamber("settles").settle(0.5, 60.0, 600.0) == pytest.approx(120.0)


def test_a_chamber_that_does_not_settle_is_an_error(chamber):
    """It says where it stayed."""
    with pytest.raises(WaitTimeout, match=r"within 0.5 K of 40 C \(it is at 38.0 C\)"):
        chamber("does not settle").settle(0.5, 60.0, 60.0)


@pytest.mark.parametrize(
    "resource",
    ["modbus://127.0.0.1/300", "modbus:///1", "snmp://127.0.0.1/1", "modbus://127.0.0.1/1?loop=5",
     "modbus://127.0.0.1/1?event=x", "modbus://127.0.0.1/1?words=middle", "modbus://127.0.0.1/1?zone=1"],
)  # fmt: skip
def test_a_resource_that_describes_none_is_refused(clock, resource):
    """Before anything is connected."""
    with pytest.raises(SetupError):
        DRIVER.open(resource, clock)
