"""The operator as a surge generator: what is asked, what is accepted, and a real terminal."""

import os
import pty
import subprocess
import sys
import threading

import pytest

from hil.clock import RealClock
from hil.errors import NoReading, OutOfRange, SetupError
from hil.instruments.operator_surge import OperatorSurge
from hil.instruments.roles import SurgeGenerator, SurgeShot

OPEN = "from hil.clock import RealClock; from hil.instruments.operator_surge import OperatorSurge as O; "


class Person:
    """Answers from a list, and remembers what was asked."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def __call__(self, question):
        self.asked.append(question)
        return self.answers.pop(0)


def generator(person, clock, resource="operator://UCS 500N5"):
    driver: SurgeGenerator = OperatorSurge(resource, person, clock)
    return driver


def test_the_certificate_says_that_a_person_did_it(clock):
    """The maker is the operator, the model what stations.toml calls it."""
    assert str(generator(Person(), clock).identify()) == "operator UCS 500N5"
    assert str(generator(Person(), clock, "operator://").identify()) == "operator surge generator"
    with pytest.raises(SetupError, match="operator://"):
        generator(Person(), clock, "person://")


def test_a_shot_is_asked_for_step_by_step(clock):
    """Set and charge, fire, two numbers, discharge; each confirmed with a word."""
    person = Person("armed", " Fired ", "-0.95 kV", "-212", "safe")
    surge = generator(person, clock)

    surge.arm(-1000.0, 270.0)
    assert not surge.is_off()
    assert surge.fire() == SurgeShot(-950.0, -212.0)
    assert surge.is_off()
    assert "-1000 V" in person.asked[0]
    assert "270 degrees" in person.asked[0]


def test_nonsense_is_refused_with_a_sentence_and_asked_again(clock):
    """Enter alone is no confirmation; a wrong unit, sign or size is no reading."""
    voltages = ("about 900", "900 A", "-900", "0", "9000", "900 V")
    person = Person("", "yes", "armed", "fired", *voltages, "9 kA", "0", "safe")
    surge = generator(person, clock)

    surge.arm(1000.0, 0.0)
    assert surge.fire() == SurgeShot(900.0, 0.0)
    assert "'yes' is not 'armed'" in person.asked[2]
    assert "is no number of V" in person.asked[5]
    for refused in ("'-900'", "'0'", "'9000'", "'9 kA'"):
        assert any(f"{refused} cannot be the peak of this pulse" in question for question in person.asked)


def test_no_pulse_is_no_reading_and_still_to_be_made_safe(clock):
    """The operator may say that none came; the generator counts as charged until confirmed safe."""
    surge = generator(Person("armed", "none", "safe"), clock)

    surge.arm(1000.0, 0.0)
    with pytest.raises(NoReading):
        surge.fire()
    assert not surge.is_off()
    surge.off()
    surge.off()
    assert surge.is_off()


def test_firing_unarmed_asks_nobody(clock):
    """And nothing out of range is asked for."""
    surge = generator(Person(), clock)

    with pytest.raises(NoReading):
        surge.fire()
    for level_v, angle_deg in ((0.0, 0.0), (7000.0, 0.0), (1000.0, 360.0)):
        with pytest.raises(OutOfRange):
            surge.arm(level_v, angle_deg)
    surge.off()


def test_without_a_terminal_it_is_refused_at_open():
    """A run in a service has nobody to ask: it says so before anything is energised."""
    code = OPEN + "O.open('operator://', RealClock())"
    done = subprocess.run(
        [sys.executable, "-c", code], start_new_session=True, capture_output=True, text=True, check=False
    )

    assert "SetupError" in done.stderr
    assert "this run has no terminal" in done.stderr


def in_a_terminal(code, answers, pause_s=0.0):
    """Run Python code in a terminal of its own and answer what it asks; return what the terminal showed."""
    terminal, theirs = pty.openpty()
    code = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); " + code
    streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    child = subprocess.Popen([sys.executable, "-c", code], start_new_session=True, **streams)
    os.close(theirs)
    guard = threading.Timer(30.0, child.kill)
    guard.start()
    shown = b""
    try:
        for question, answer in answers:
            while question not in shown:
                shown += os.read(terminal, 4096)
            RealClock().sleep(pause_s)
            os.write(terminal, answer)
            shown = shown.partition(question)[2]
        while chunk := os.read(terminal, 4096):
            shown += chunk
    except OSError:  # Linux says so when the last one on a terminal is gone
        pass
    finally:
        guard.cancel()
        child.wait()
        os.close(terminal)
    return shown.decode()


def test_a_real_terminal_is_asked_past_all_capture():
    """Standard input and output are elsewhere, as under pytest; the answers come from /dev/tty."""
    code = OPEN + (
        "import os; n = os.open('/dev/null', 2); os.dup2(n, 0); out = os.dup(1); os.dup2(n, 1); os.dup2(n, 2); "
        "s = O.open('operator://', RealClock()); s.arm(1000.0, 90.0); shot = s.fire(); s.close(); "
        "os.write(out, repr(shot).encode())"
    )
    answers = [(b"armed:", b"armed\n"), (b"fired:", b"fired\n"), (b"in V:", b"950\n"), (b"in A:", b"20\n")]
    shown = in_a_terminal(code, [*answers, (b"safe:", b"safe\n")])

    assert "SurgeShot(peak_v=950.0, peak_a=20.0)" in shown


def test_the_progress_display_leaves_room_for_a_question():
    """Nothing is drawn between the question and the answer; afterwards the bar goes on."""
    code = (
        "from hil.commands.progress import open_display; from hil.links.terminal import Terminal\n"
        "with open_display() as display:\n"
        "    display.begin(3); display.test('a/test_surge.py::test_it')\n"
        "    typed = Terminal('SurgeGenerator').ask('Ready?')\n"
        "    display.test('a/test_surge.py::test_afterwards')\n"
        "print('typed', typed)"
    )
    shown = in_a_terminal(code, [(b"Ready?", b""), (b" ", b"ye"), (b"ye", b"s\n")], pause_s=0.3)

    assert shown.startswith("s\r\n")
    assert "afterwards" in shown
    assert "typed yes" in shown


def test_a_run_in_the_background_cannot_ask():
    """It would be stopped by its terminal, with the bench as it is."""
    inner = OPEN + "O.open('operator://', RealClock())"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}], process_group=0)"

    assert "this run is in the background" in in_a_terminal(code, [])


def test_an_input_that_ends_ends_the_run_with_a_sentence():
    """Ctrl-D instead of an answer: the set-up is to blame, and the generator still counts as charged."""
    code = OPEN + (
        "from hil.errors import SetupError\ns = O.open('operator://', RealClock())\n"
        "try: s.arm(1000.0, 90.0)\nexcept SetupError as error: print(error, s.is_off())"
    )
    shown = in_a_terminal(code, [(b"armed:", b"\x04")])

    assert "the operator ended the input instead of answering" in shown
    assert "False" in shown
