"""Keysight DAQ970A mainframe as a switch: two DAQM901A multiplexers, one DAQM903A actuator, no internal meter in use.

Ref: DAQ970A programming guide (facts, instruments 3.7, and the 34970A family it continues). Errors 111 and 112 are the
family's own, unverified for this model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from hil.sim.scpi import ChoiceSetting, ScpiErrorQueue, ScpiInstrument, scpi
from hil.sim.scpi_syntax import Call, ScpiError

if TYPE_CHECKING:
    from hil.sim.bench import Bench
    from hil.sim.world import World

SLOTS = {1: ("DAQM901A", 20), 2: ("DAQM901A", 20), 3: ("DAQM903A", 20)}  # module and its voltage channels
CHANNELS = tuple(100 * slot + n for slot, (_, count) in SLOTS.items() for n in range(1, count + 1))
RELAY_S = 0.003  # data sheet of the DAQM901A, unverified: one relay after the other


class KeysightDaq970A(ScpiErrorQueue, ScpiInstrument):
    """Opens and closes routes; after a reset all are open."""

    ROLE = "Switch"
    MODEL = "Keysight DAQ970A"
    IDENTITY = "Keysight Technologies,DAQ970A,MY58003391,A.03.01-01.00-03.01-00.02-03-03"
    RESET_S = 0.1  # [A]
    SETTINGS: ClassVar = (
        ChoiceSetting("advance", ":ROUTe:CHANnel:ADVance:SOURce", "IMM", ("IMMediate", "EXTernal", "BUS")),
        ChoiceSetting("trigger", ":TRIGger:SOURce", "IMM", ("IMMediate", "BUS", "EXTernal", "TIMer", "ALARm1")),
    )

    def __init__(self, world: World, bench: Bench) -> None:
        super().__init__(world, bench)
        self._closed: frozenset[int] = frozenset()
        self._cycles = dict.fromkeys(CHANNELS, 0)
        self._scan: list[int] = []

    def _channels(self, call: Call) -> list[int]:
        return call.channels(0, CHANNELS, _unknown)

    async def _move(self, closed: frozenset[int]) -> None:
        """Move one relay after the other; each takes its time."""
        for channel in sorted(self._closed - closed) + sorted(closed - self._closed):
            await self.world.wait(RELAY_S)
            self._cycles[channel] += channel in closed
            self._closed ^= {channel}
            self.bench.set_routes(self._closed)

    @scpi(":ROUTe:CLOSe")
    async def _close(self, call: Call) -> None:
        await self._move(self._closed | set(self._channels(call)))

    @scpi(":ROUTe:CLOSe:EXCLusive")
    async def _close_only(self, call: Call) -> None:
        """Open the other channels of the slots concerned, then close these."""
        wanted = self._channels(call)
        slots = {channel // 100 for channel in wanted}
        await self._move(frozenset(channel for channel in self._closed if channel // 100 not in slots) | set(wanted))

    @scpi(":ROUTe:OPEN")
    async def _open(self, call: Call) -> None:
        await self._move(self._closed - set(self._channels(call)))

    @scpi(":ROUTe:CLOSe?", most=1)
    def _is_closed(self, call: Call) -> str:
        return ",".join(str(int(channel in self._closed)) for channel in self._channels(call))

    @scpi(":ROUTe:OPEN?", most=1)
    def _is_open(self, call: Call) -> str:
        return ",".join(str(int(channel not in self._closed)) for channel in self._channels(call))

    @scpi(":ROUTe:DONE?")
    def _done(self, call: Call) -> str:
        return "1"

    @scpi(":ROUTe:SCAN")
    def _set_scan(self, call: Call) -> None:
        self._scan = self._channels(call) if call.text(0).replace(" ", "") != "(@)" else []

    @scpi(":ROUTe:SCAN?")
    def _scan_list(self, call: Call) -> str:
        text = f"(@{','.join(map(str, self._scan))})"
        return f"#{len(str(len(text)))}{len(text)}{text}"

    @scpi(":SYSTem:CTYPe?", most=1)
    def _module(self, call: Call) -> str:
        slot = call.integer(0, 1, 3) if not call.text(0).endswith("00") else call.integer(0, 100, 300) // 100
        model = SLOTS[slot][0]
        return f"KEYSIGHT TECHNOLOGIES,{model},MY5800{1200 + slot},1.00"

    @scpi(":SYSTem:CPON")
    async def _card_reset(self, call: Call) -> None:
        text = call.text(0).upper()
        slots = set(SLOTS) if text == "ALL" else {call.integer(0, 100, 300) // 100}
        await self._move(frozenset(channel for channel in self._closed if channel // 100 not in slots))

    @scpi(":DIAGnostic:RELay:CYCLes?", most=1)
    def _relay_cycles(self, call: Call) -> str:
        return ",".join(f"{self._cycles[channel]:+d}" for channel in self._channels(call))

    @scpi(":INSTrument:DMM[:STATe]?", ":INSTrument:DMM:INSTalled?")
    def _meter(self, call: Call) -> str:
        return "0"

    async def reset(self) -> None:
        self._scan = []
        await self._move(frozenset())


def _unknown(channel: int) -> ScpiError:
    if channel // 100 not in SLOTS:
        return ScpiError(111, "Channel list: slot number out of range")
    return ScpiError(112, "Channel list: channel number out of range")
