"""Meatest M632 programmable resistance decade on its LAN option: raw socket, CR LF.

Ref: operation manual of the sister M631, p. 29 (`:RES 100;:OUTP ON`, terminators), and of the Powertek MC642, p. 36
(identification, error queue). Range and accuracy, unverified: 1 ohm to 1.2 Mohm, 0.02 % + 10 mohm. [A]: the functions
SHORT and OPEN, and relays that all move 4 ms after the command, in one step. CR alone ends no message here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from hil.sim.scpi import NumberSetting, ScpiErrorQueue, ScpiInstrument, SwitchSetting, scpi
from hil.sim.scpi_syntax import Call

if TYPE_CHECKING:
    from hil.sim.bench import Bench
    from hil.sim.world import World

LOWEST_OHM, HIGHEST_OHM = 1.0, 1.2e6
ACCURACY, RESIDUE_OHM = 2e-4, 0.01
SHORT_OHM = 0.02
SETTLE_S = 0.004


class MeatestM632(ScpiErrorQueue, ScpiInstrument):
    """A resistance at two terminals; with the output off they are open."""

    ROLE = "ProgrammableResistor"
    MODEL = "Meatest M632"
    IDENTITY = "MEATEST,M632,632017,1.04"
    NO_ERROR = '0,"No Error"'
    RESET_S = 0.05  # [A]
    SETTINGS: ClassVar = (
        NumberSetting(
            "resistance_ohm",
            "[:SOURce]:RESistance[:LEVel][:IMMediate][:AMPLitude]",
            100.0,
            LOWEST_OHM,
            HIGHEST_OHM,
            "OHM",
            "{:.6e}",
        ),
        SwitchSetting("output", ":OUTPut[:STATe]", False),
    )

    def __init__(self, world: World, bench: Bench) -> None:
        super().__init__(world, bench)
        self._gain = 1.0 + self.drawn(ACCURACY)
        self._residue_ohm = self.drawn(RESIDUE_OHM)
        self._function = "RES"

    def format_error(self, code: int, text: str) -> str:
        """Return an error without the plus sign."""
        return f'{code},"{text}"'

    async def changed(self, name: str, value: Any, suffixes: tuple[int, ...]) -> None:
        if name == "resistance_ohm":
            self._function = "RES"
        self._move()

    @scpi("[:SOURce]:SHORt", most=0)
    def _short(self, call: Call) -> None:
        self._function = "SHOR"
        self._move()

    @scpi("[:SOURce]:OPEN", most=0)
    def _open(self, call: Call) -> None:
        self._function = "OPEN"
        self._move()

    @scpi(":SOURce:FUNCtion?")
    def _which(self, call: Call) -> str:
        return self._function

    def _move(self) -> None:
        """Let the relays move to what is set now."""
        ohm = {
            "RES": self.get("resistance_ohm") * self._gain + self._residue_ohm,
            "SHOR": SHORT_OHM,
            "OPEN": math.inf,
        }[self._function]
        connected = self.get("output") and self._function != "OPEN"
        self.later(SETTLE_S, lambda: self.bench.set_resistor(ohm=ohm, connected=connected))

    async def reset(self) -> None:
        self._function = "RES"
        self._move()
