"""A SCPI instrument that is nobody's: the core and the transports are tested on it."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from hil.sim.scpi import ChoiceSetting, NumberSetting, ScpiErrorQueue, ScpiInstrument, SwitchSetting, scpi
from hil.sim.scpi_syntax import Call, definite_block
from hil.sim.world import World


class Demo(ScpiErrorQueue, ScpiInstrument):
    ROLE = "Demo"
    IDENTITY = "NOBODY,DEMO,1,0"
    SETTINGS = (
        NumberSetting("volts", "[:SOURce]:VOLTage[:LEVel]", 1.0, 0.0, 10.0, "V"),
        NumberSetting("range_v", ":CHANnel#:RANGe", 8.0, 0.008, 40.0, "V"),
        ChoiceSetting("slope", ":TRIGger[:EDGE]:SLOPe", "POS", ("POSitive", "NEGative")),
        SwitchSetting("output", ":OUTPut[:STATe]", False),
    )
    SUFFIXES = {"range_v": (1, 4)}  # noqa: RUF012 (annotated as a class variable by the parent)

    def __init__(self, world: World) -> None:
        super().__init__(world, cast(Any, None))  # the core never touches the bench

    @scpi(":BLOCk?", most=1)
    def _block(self, call: Call) -> bytes:
        return definite_block(bytes(range(256)) * call.integer(0, 1, 100000))

    @scpi(":SLOW?", most=1)
    async def _slow(self, call: Call) -> str:
        await asyncio.sleep(call.number(0, 0.0, 10.0, "S"))  # real time on purpose: this is about time-outs
        return "late"

    @scpi(":LIST?", most=1)
    def _list(self, call: Call) -> str:
        return ",".join(map(str, call.channels(0, [101, 102, 103, 201, 202])))
