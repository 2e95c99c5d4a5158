"""The simulated instruments on a bench with one unit, without wires: messages go straight to the models."""

from __future__ import annotations

import asyncio
import functools
import json

from hil.sim.bench import Bench
from hil.sim.instruments.chroma_61500 import Chroma61502
from hil.sim.instruments.itech_it8615 import ItechIT8615
from hil.sim.instruments.keysight_34465a import Keysight34465A
from hil.sim.instruments.keysight_daq970a import KeysightDaq970A
from hil.sim.instruments.keysight_dsox import KeysightDsox
from hil.sim.instruments.keysight_e36312a import KeysightE36312A
from hil.sim.instruments.meatest_m632 import MeatestM632
from hil.sim.instruments.yokogawa_wt310e import YokogawaWT310E
from hil.sim.scpi import ScpiInstrument
from hil.sim.world import World


class Desk:
    """Ask a role a question; time passes only where the instrument needs it, or by pause."""

    def __init__(self, serial: str = "SP-000123", seed: int = 0) -> None:
        self.world = World(serial, seed)
        self.bench = Bench(self.world)

    @functools.cached_property
    def instruments(self) -> dict[str, ScpiInstrument]:
        models: tuple[type[ScpiInstrument], ...] = (
            Chroma61502,
            YokogawaWT310E,
            ItechIT8615,
            KeysightDsox,
            KeysightE36312A,
            Keysight34465A,
            KeysightDaq970A,
            MeatestM632,
        )
        return {model.ROLE: model(self.world, self.bench) for model in models}

    def ask(self, role: str, message: str) -> str:
        answer = asyncio.run(self.instruments[role].execute(message))
        assert answer is not None, f"{role} was silent on {message!r}: {self.instruments[role].errors}"
        return answer if isinstance(answer, str) else answer.decode("latin-1")

    def block(self, role: str, message: str) -> bytes:
        """Return the payload of a definite block."""
        answer = asyncio.run(self.instruments[role].execute(message))
        assert isinstance(answer, bytes)
        digits = int(answer[1:2])
        length = int(answer[2 : 2 + digits])
        assert len(answer) == 2 + digits + length
        return answer[2 + digits :]

    def silent(self, role: str, message: str) -> bool:
        return asyncio.run(self.instruments[role].execute(message)) is None

    def tell(self, role: str, message: str) -> None:
        """Send settings and let what they start finish."""
        answer = asyncio.run(self.instruments[role].execute(message))
        assert answer is None, f"{role} answered {message!r}"
        asyncio.run(self.instruments[role].finish()) if role != "Scope" else None
        assert not self.instruments[role].errors, f"{role} refused {message!r}: {self.instruments[role].errors}"

    def numbers(self, role: str, message: str) -> list[float]:
        return [float(text) for text in self.ask(role, message).rstrip(",").split(",")]

    def pause(self, duration_s: float) -> None:
        self.world.advance(duration_s)

    # -- what several tests need ---------------------------------------------------------------------------------

    def mains(self, voltage_v: float = 230.0, frequency_hz: float = 50.0) -> None:
        self.tell("AcSource", f"VOLT:RANG HIGH;:VOLT:AC {voltage_v};:FREQ {frequency_hz};:OUTP ON")
        self.pause(2.0)

    def load(self, current_a: float, power_factor: float = 1.0, socket: int = 1) -> None:
        """Close the relay and the contactor of a socket and draw a current."""
        self.bench.set_routes(frozenset({304 + socket}))
        body = json.dumps({"id": socket - 1, "on": True}).encode()
        assert self.bench.unit.http("POST", "/rpc/Switch.Set", body) is not None, "the firmware is not up"
        self.pause(0.5)
        self.tell("AcLoad", f"SYST:REM;:SYST:MODE AC;:FUNC CURR;:CURR {current_a};:PFAC {power_factor};:INP ON")
        self.pause(0.5)
