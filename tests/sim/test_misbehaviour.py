"""Faults of the bench by name: which there are, when they act, and how often."""

from __future__ import annotations

import pytest
import pyvisa
from desk import Desk
from scpi_demo import Demo
from serving import Loop, opened

from hil.sim.faults import UnknownFault, fault_names, parse_fault
from hil.sim.misbehaviour import GARBAGE, Delivery, Kind, Misbehaviour, Saboteur, parse_bench_fault
from hil.sim.station import Station
from hil.sim.transports.raw import RawServer
from hil.sim.world import World


def test_the_names_are_those_that_make_sense():
    """Twelve roles and twelve kinds; a switch has no reading, SNMP no block, and only Modbus numbers its answers."""
    named = [name for name in fault_names() if parse_bench_fault(name)[1] is not None]

    assert len(named) == 12 * 12 - 6 - 2 - 1 - 11
    assert parse_bench_fault("bench-ac-source-half-block") == ("ac-source", Kind.HALF_BLOCK)
    for missing in ("bench-switch-nan", "bench-link-partner-half-block", "bench-toaster-late"):
        assert parse_bench_fault(missing) == ("", None)
        with pytest.raises(UnknownFault):
            parse_fault(missing)


@pytest.mark.parametrize(
    ("kind", "delivery"),
    [
        (Kind.SILENT, Delivery(b"", silent=True)),
        (Kind.LATE, Delivery(b"+1.250E+01", delay_s=6.0)),
        (Kind.EMPTY, Delivery(b"")),
        (Kind.GARBAGE, Delivery(GARBAGE)),
        (Kind.HALF_BLOCK, Delivery(b"+1.25", ended=False)),
        (Kind.OVER_RANGE, Delivery(b"+9.90000000E+37")),
        (Kind.NAN, Delivery(b"NAN")),
        (Kind.CUT, Delivery(b"+1.25", ended=False, cut=True)),
        (Kind.RECONNECTS, Delivery(b"+1.25", ended=False, cut=True, reconnects=True)),
    ],
)
def test_it_acts_once(kind: Kind, delivery: Delivery):
    """The answer after it is right again."""
    saboteur = Saboteur(object())
    saboteur.arm(Misbehaviour(kind, skip=1))

    answers = [saboteur.deliver("MEAS?", "+1.250E+01") for _ in range(3)]

    assert answers == [Delivery(b"+1.250E+01"), delivery, Delivery(b"+1.250E+01")]


def test_a_sentinel_waits_for_a_reading():
    """A state, an identity or an empty error queue is never over-range."""
    saboteur = Saboteur(object())
    saboteur.arm(Misbehaviour(Kind.OVER_RANGE))

    for answer in ("1", '+0,"No error"', "Keysight Technologies,34465A,MY59001234,A.03.02", "OFF"):
        assert saboteur.deliver("ANY?", answer) == Delivery(answer.encode())
    assert saboteur.deliver("WAV?", b"#14\x01\x02\x03\x04") == Delivery(b"#14\xff\xff\xff\xff")


def test_another_model_answers_to_its_name_only():
    """For good; every other answer is right."""
    saboteur = Saboteur(object())
    saboteur.arm(Misbehaviour(Kind.WRONG_IDENTITY))

    assert saboteur.deliver("VOLT?", "1.0").data == b"1.0"
    for _ in range(2):
        assert b"RIGOL" in saboteur.deliver("*IDN?", "ACME,AL-20,1,1.0").data


def test_an_entry_appears_in_the_error_queue_by_itself():
    """Once, before a question."""
    instrument = Desk().instruments["Dmm"]
    saboteur = Saboteur(instrument)
    saboteur.arm(Misbehaviour(Kind.QUEUE_ERROR))

    saboteur.before("CONF:VOLT:DC 10")
    assert not instrument.errors
    saboteur.before("READ?")
    saboteur.before("READ?")
    assert [code for code, _ in instrument.errors] == [-310]


def test_a_connection_that_is_cut_is_refused_afterwards_unless_it_reconnects(loop: Loop):
    """Half an answer, then the end."""
    for kind, served in ((Kind.CUT, False), (Kind.RECONNECTS, True)):
        server = RawServer(Demo(World()))
        loop.run(server.start())
        with opened(server.resource, timeout_s=0.3) as session:
            server.saboteur.arm(Misbehaviour(kind))
            with pytest.raises((pyvisa.VisaIOError, ConnectionError)):
                session.query("*IDN?")
        if served:
            with opened(server.resource) as session:
                assert session.query("*IDN?").strip() == Demo.IDENTITY
        else:
            assert server.refused
        loop.run(server.stop())


def test_a_fault_by_name_begins_at_its_time(loop: Loop):
    """Answers before it are right."""

    async def run() -> list[str]:
        station = Station("SP-000123", faults=["bench-dmm-empty@2"])
        await station.start()
        saboteur, acts = station.saboteurs["dmm"], []
        for _ in range(3):
            acts.append(saboteur.deliver("*IDN?", "x").data.decode())
            await station.world.wait(1.5)
        await station.stop()
        return acts

    assert loop.run(run()) == ["x", "x", ""]
