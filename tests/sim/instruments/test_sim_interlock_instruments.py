"""The programmable resistor and the surge generator, by raw messages and over their wires."""

from __future__ import annotations

import asyncio

import pytest
from desk import Desk
from serving import Loop, opened

from hil.sim.bench import Bench
from hil.sim.instruments.emc_partner_tra3000 import COMMANDS, EmcPartnerTra3000
from hil.sim.station import Station
from hil.sim.transports.serial import SerialServer
from hil.sim.world import World

RESISTOR = "ProgrammableResistor"


# -- Meatest M632 ------------------------------------------------------------------------------------------------------


def test_the_resistor_takes_what_its_manual_shows(desk: Desk):
    """`:RES 100;:OUTP ON`: connected, within its accuracy, after its relays have moved."""
    asyncio.run(desk.instruments[RESISTOR].execute(":RES 100;:OUTP ON"))
    assert not desk.bench.resistor.connected

    desk.pause(0.004)
    assert desk.bench.resistor.connected
    assert desk.bench.resistor.ohm == pytest.approx(100.0, abs=0.03)
    assert desk.numbers(RESISTOR, "RES?") == [100.0]
    assert desk.ask(RESISTOR, "OUTP?;*OPC?") == "1;1"
    assert desk.ask(RESISTOR, "*IDN?").startswith("MEATEST,M632,")


@pytest.mark.parametrize("ohm", [1.0, 934.0, 10e3, 1.2e6])
def test_the_resistor_is_as_exact_as_it_says(ohm):
    """0.02 % and 10 mohm, over its whole range."""
    desk = Desk()
    desk.tell(RESISTOR, f"SOUR:RES:LEV {ohm};:OUTP 1")

    assert desk.bench.resistor.ohm == pytest.approx(ohm, abs=2e-4 * ohm + 0.01)


def test_the_resistor_can_be_short_open_and_off(desk: Desk):
    """A short is some milliohms; open and off are both an open circuit; a resistance brings it back."""
    desk.tell(RESISTOR, ":RES 1000;:OUTP ON;:SHOR")
    assert desk.bench.resistor.ohm < 0.1

    desk.tell(RESISTOR, ":OPEN")
    assert not desk.bench.resistor.connected
    desk.tell(RESISTOR, ":RES 2000")
    assert desk.bench.resistor.connected
    assert desk.bench.resistor.ohm == pytest.approx(2000.0, rel=1e-3)
    desk.tell(RESISTOR, "OUTP OFF")
    assert not desk.bench.resistor.connected


def test_the_resistor_refuses_what_it_cannot_be(desk: Desk):
    """Out of range and unknown headers go to the error queue; the setting stays; *RST opens it."""
    resistor = desk.instruments[RESISTOR]
    for message in (":OUTP ON", ":RES 0.5", ":RES 2e6", ":NONSENSE 1"):
        asyncio.run(resistor.execute(message))

    assert desk.ask(RESISTOR, "SYST:ERR?") == '-222,"Data out of range"'
    assert desk.ask(RESISTOR, "SYST:ERR?") == '-222,"Data out of range"'
    assert desk.ask(RESISTOR, "SYST:ERR?").startswith("-113,")
    assert desk.ask(RESISTOR, "SYST:ERR?") == '0,"No Error"'
    desk.tell(RESISTOR, "*RST")
    assert (desk.ask(RESISTOR, "OUTP?"), desk.bench.resistor.connected) == ("0", False)


# -- EMC Partner TRA3000 -----------------------------------------------------------------------------------------------


class Generator:
    """The generator on a bench whose mains is on."""

    def __init__(self) -> None:
        self.world = World("SP-000123")
        self.bench = Bench(self.world)
        self.bench.set_ac(voltage_v=230.0, frequency_hz=50.0, on=True)
        self.world.advance(1.0)
        self.model = EmcPartnerTra3000(self.world, self.bench)

    def say(self, *messages: str) -> str | None:
        answers = [asyncio.run(self.model.execute(message)) for message in messages]
        return answers[-1]

    def charge(self, level_v: int = 1000, polarity: str = "POS", angle_deg: int = 90) -> None:
        self.say("REN", f"VNOM {level_v}", f"POL {polarity}", f"PHI {angle_deg}", "TEST")
        self.world.advance(6.0)


def test_the_generator_answers_as_its_manual_shows():
    """The answers of p. 134, and an error that is taken once (p. 135)."""
    generator = Generator()

    assert [generator.say(message) for message in ("ID?", "FID?", "LC?", "VPK?", "IPK?", "E?")] == [
        "TRA 1.15",
        "TRA3000 F-S-D-V",
        "L-N",
        "0",
        "0",
        "0",
    ]
    assert generator.say("REN", 'VNOM 4ç*"6', "E?") == "3"
    assert generator.say("E?") == "0"


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        (("VNOM 1000",), 1),
        (("REN", "NONSENSE"), 2),
        (("REN", "VPK 5"), 2),
        (("REN", "VNOM 9000"), 3),
        (("REN", "POL UP"), 3),
        (("REN", "PHI"), 3),
        (("REN?",), 4),
        (("REN", "TEST", "VNOM 500"), 5),
        (("REN", "TRIG"), 64),
    ],
)
def test_each_mistake_has_its_code(messages, code):
    """Codes 1 to 5 of p. 135 relate to the command before."""
    assert Generator().say(*messages, "E?") == str(code)


def test_one_shot_at_the_angle_and_it_is_on_standby_again():
    """Charged after some seconds, fired when the mains stands at the angle; the peaks are those of the world's log."""
    generator = Generator()
    generator.say("REN", "VNOM 1000", "POL NEG", "PHI 270", "TEST")
    assert generator.say("ST?") == "1"
    generator.world.advance(6.0)
    assert generator.say("ST?") == "2"
    assert generator.say("TRIG", "ST?") == "3"
    generator.world.advance(0.025)
    event = next(event for event in generator.world.events if event["kind"] == "surge")

    assert generator.say("ST?") == "0"
    assert event["t_s"] % 0.02 == pytest.approx(0.015, abs=1e-9)
    assert event["level_v"] == pytest.approx(-1000.0, rel=0.015)
    assert int(generator.say("VPK?")) == pytest.approx(event["peak_v"], rel=0.011)
    assert int(generator.say("IPK?")) == pytest.approx(event["peak_a"], rel=0.02)
    assert generator.say("TRIG", "E?") == "64"


@pytest.mark.parametrize("message", ["STBY", "GTL"])
def test_standby_before_the_shot_is_no_shot(message):
    """In the milliseconds between trigger and angle, and while it charges."""
    generator = Generator()
    generator.charge()
    generator.say("TRIG", message)
    generator.world.advance(1.0)
    generator.say("REN", "TEST", message)
    generator.world.advance(10.0)

    assert generator.say("ST?") == "0"
    assert not [event for event in generator.world.events if event["kind"] == "surge"]


def test_what_the_manual_does_not_say_is_marked():
    """Every command has its source."""
    assert {name for name, command in COMMANDS.items() if command.source.startswith("manual p. 13")} == {
        "ID", "FID", "LC", "VPK", "IPK", "REN", "GTL", "E", "VNOM",
    }  # fmt: skip
    assert all(command.source for command in COMMANDS.values())


# -- on their wires ----------------------------------------------------------------------------------------------------


def test_both_answer_through_pyvisa(loop: Loop):
    """The resistor on a raw socket ends with CR LF, the generator sits on a serial line."""
    station = Station("SP-000123")
    addresses = loop.run(station.start())["instruments"]
    try:
        with opened(addresses[RESISTOR]["resource"], read_termination="\r\n") as session:
            assert session.query("*IDN?") == "MEATEST,M632,632017,1.04"
            assert session.query(":RES 250;:OUTP ON;*OPC?") == "1"
        with opened(
            addresses["SurgeGenerator"]["resource"], read_termination="\r\n", write_termination="\r\n"
        ) as session:
            assert session.query("ID?") == "TRA 1.15"
            session.write("REN")
            session.write("VNOM 1234")
            assert session.query("VNOM?") == "1234"
            assert session.query("FID?") == "TRA3000 F-S-D-V"
    finally:
        loop.run(station.stop())

    assert addresses["SurgeGenerator"]["model"] == "EMC Partner TRA3000"


@pytest.mark.parametrize("name", ["programmable-resistor", "surge-generator"])
def test_they_can_die(name, loop: Loop):
    """The fault cuts that instrument off when it begins, and no other."""
    station = Station("SP-000123", faults=[f"bench-{name}-dies@1"])
    loop.run(station.start())

    async def later() -> set[str]:
        station.world.advance(2.0)
        return {role for role, server in station.servers.items() if server.refused}

    try:
        dead = loop.run(later())
    finally:
        loop.run(station.stop())

    assert dead == {"ProgrammableResistor" if name == "programmable-resistor" else "SurgeGenerator"}


def test_a_dead_line_is_an_error_to_who_listens(loop: Loop):
    """The terminal hangs up: nobody waits for a time-out to know."""

    class Echo:
        async def execute(self, message: str) -> str | None:
            return message

    async def serve() -> SerialServer:
        server = SerialServer(Echo())
        await server.start()
        return server

    async def die(server: SerialServer) -> None:
        server.die()

    server = loop.run(serve())
    with opened(server.resource, read_termination="\r\n", write_termination="\n") as session:
        assert session.query("one") == "one"
        loop.run(die(server))
        with pytest.raises(Exception):  # noqa: B017, PT011 - pyserial's and pyvisa's own, whichever sees it first
            session.query("two")
    loop.run(server.stop())


# -- with the scope ----------------------------------------------------------------------------------------------------


def test_the_scope_catches_the_pulse_through_the_probe(desk: Desk):
    """Armed on channel 2 behind the probe: triggered by the shot, its maximum is the clamping voltage over 500."""
    generator = EmcPartnerTra3000(desk.world, desk.bench)
    desk.bench.set_routes(frozenset({118}))
    desk.mains()
    for message in ("REN", "VNOM 1000", "PHI 90", "TEST"):
        asyncio.run(generator.execute(message))
    desk.pause(6.0)
    setup = ":CHAN2:DISP ON;PROB 1;RANG 8;OFFS 0;:TIM:RANG 0.0005;POS 0;:TRIG:SOUR CHAN2;LEV 1.5;SLOP POS;SWE NORM"
    desk.tell("Scope", setup)
    desk.tell("Scope", ":SING")
    desk.pause(0.1)
    assert int(desk.ask("Scope", ":OPER:COND?")) & 0x08

    asyncio.run(generator.execute("TRIG"))
    desk.pause(0.1)
    event = next(event for event in desk.world.events if event["kind"] == "surge")

    assert not int(desk.ask("Scope", ":OPER:COND?")) & 0x08
    assert float(desk.ask("Scope", ":MEAS:VMAX? CHAN2")) == pytest.approx(event["bus_v"] / 500.0, abs=0.15)


def test_stimulus_and_current_are_seen_together(desk: Desk):
    """Channel 2 triggers on the resistor's step; channel 1 shows the load's sine."""
    desk.mains()
    desk.load(1.0)
    desk.bench.set_routes(frozenset({305, 117, 119, 310}))
    desk.tell("ProgrammableResistor", ":RES 10000;:OUTP ON")
    desk.tell("Scope", ":CHAN1:DISP ON;PROB 1;RANG 2;OFFS 0;:CHAN2:DISP ON;PROB 1;RANG 4;OFFS 0")
    desk.tell("Scope", ":TIM:RANG 0.1;POS 0;:TRIG:SOUR CHAN2;LEV 0.8;SLOP NEG;SWE NORM")
    desk.tell("Scope", ":SING")
    desk.pause(0.5)
    desk.tell("ProgrammableResistor", ":RES 800")
    stepped_s = next(event["t_s"] for event in reversed(desk.world.events) if event["kind"] == "ntc")
    desk.pause(0.2)

    assert desk.world.now_s - stepped_s == pytest.approx(0.2)
    assert float(desk.ask("Scope", ":MEAS:VMIN? CHAN2")) == pytest.approx(3.3 * 800 / 10800, abs=0.1)
    assert float(desk.ask("Scope", ":MEAS:VPP? CHAN1")) == pytest.approx(2 * 0.2 * 2**0.5, abs=0.08)
