"""Everything is tried, in order, and believed only when it reads back."""

from __future__ import annotations

import pytest

from hil.errors import HilError, NoAnswer, NotConnected
from hil.station.safe_state import make_safe


class Instrument:
    """Off is what it does unless it is told to fail; what was done is written down."""

    def __init__(self, name, log, fails=None, stays_on=False):
        self.name, self.log, self.fails, self.stays_on = name, log, fails, stays_on

    def off(self):
        self.log.append(f"{self.name} off")
        if self.fails:
            raise self.fails

    def is_off(self):
        self.log.append(f"{self.name}?")
        return not self.stays_on


@pytest.fixture
def log():
    return []


def test_all_off_in_order_then_all_read_back(log) -> None:
    """Power first; nothing is assumed."""
    bench = {name: Instrument(name, log) for name in ("Source", "Load")}

    state = make_safe(bench, bench.__getitem__)

    assert log == ["Source off", "Load off", "Source?", "Load?"]
    assert state.safe
    assert state.readback == {"Source": "off", "Load": "off"}


@pytest.mark.parametrize(
    "error", [NoAnswer("Source", "OUTP OFF", 2.0), ValueError("a flaw of the driver"), KeyError(1)]
)
def test_one_that_fails_keeps_no_other_on(log, error) -> None:
    """Not even by an error nobody foresaw; the bench is not safe then."""
    bench = {"Source": Instrument("Source", log, fails=error), "Load": Instrument("Load", log)}

    state = make_safe(bench, bench.__getitem__)

    assert [line for line in log if "Load" in line] == ["Load off", "Load?"]
    assert not state.safe
    assert state.readback["Load"] == "off"
    assert str(error) in state.readback["Source"]


def test_passing_trouble_is_tried_once_more(log) -> None:
    """A late answer is not an instrument that is on."""
    source = Instrument("Source", log, fails=NoAnswer("Source", "OUTP OFF", 2.0))

    def off() -> None:
        log.append("Source off")
        if log.count("Source off") == 1:
            raise NoAnswer("Source", "OUTP OFF", 2.0)

    source.off = off

    assert make_safe(["Source"], lambda role: source).safe
    assert log == ["Source off", "Source off", "Source?"]


def test_one_that_stays_on_is_named(log) -> None:
    """It took the command and does not obey."""
    bench = {"Source": Instrument("Source", log, stays_on=True)}

    state = make_safe(bench, bench.__getitem__)

    assert not state.safe
    assert str(state) == "Source: ON"


def test_a_broken_link_is_opened_anew_once(log) -> None:
    """The instrument behind it may be on; what reads back then is the new link."""
    bench = {"Source": Instrument("broken", log, fails=NotConnected("Source", "x", "cut"))}

    def reopen(role):
        bench[role] = Instrument("new", log)
        return bench[role]

    assert make_safe(["Source"], bench.__getitem__, reopen).safe
    assert log == ["broken off", "new off", "new?"]


def test_one_that_cannot_be_opened_is_said(log) -> None:
    """An instrument nobody reaches is not proven off."""

    def get(role) -> Instrument:
        raise NotConnected(role, "192.0.2.1", "nothing listens there")

    state = make_safe(["Source"], get)

    assert not state.safe
    assert "nothing listens there" in state.readback["Source"]
    assert issubclass(NotConnected, HilError)
